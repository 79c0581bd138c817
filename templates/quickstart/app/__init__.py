"""A small FastAPI application: items in a database, its tables kept up to date by asyncmig."""
