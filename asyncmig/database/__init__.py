"""The only package that awaits a connection: locks, version and journal tables, and the executor."""
