"""What is true on one database: the statements of an operation and their facts."""
