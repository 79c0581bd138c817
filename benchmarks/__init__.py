"""Side by side with Alembic: the same work, in the same run, as ratios."""
