"""The directives of `op`, one file a family."""
