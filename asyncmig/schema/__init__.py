"""Schemas as values, and the way between them and SQLAlchemy."""
