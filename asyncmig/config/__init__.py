"""What asyncmig.toml, ASYNCMIG_* and the command line say, as one value. Never imports SQLAlchemy: `heads` needs this."""

from asyncmig.config.config import Config
from asyncmig.config.env_file import load_env_file
from asyncmig.config.keys import KEYS, Key, PostWriteHook

__all__ = ["KEYS", "Config", "Key", "PostWriteHook", "load_env_file"]
