"""`python -m asyncmig` is the console script."""

from asyncmig.cli import main

if __name__ == "__main__":
    main()
