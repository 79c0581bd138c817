"""Migrations in an application's own tests: a pytest plugin, and the checks as plain async functions (`checks`)."""
