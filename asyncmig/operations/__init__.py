"""What a migration does, as values, and `op`, through which scripts say it."""
