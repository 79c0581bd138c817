"""The version of this package: read by the build, the command line and the journal."""

__version__ = "0.1.0"
