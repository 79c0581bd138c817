"""The history as a graph: revisions, names for places in it, and the way from one place to another."""
