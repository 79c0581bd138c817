"""Comparing what is with what is wanted, as pure functions over schemas."""
