"""The migrations directory: plain files, read without importing them, written whole or not at all."""
