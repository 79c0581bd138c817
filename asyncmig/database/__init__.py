"""The only package that awaits a connection: locks, version and journal tables, and the executor."""

import logging

# All that logs below the command line lives here. Without a handler of its own a library's warnings would reach the
# stderr of a host that has not set up logging.
logging.getLogger("asyncmig").addHandler(logging.NullHandler())
