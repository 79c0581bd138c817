"""What asyncmig should know about this project. It only declares: asyncmig runs the migrations."""

from asyncmig import Environment

from app.models import Base
from app.settings import get_settings

environment = Environment(
    target_metadata=Base.metadata,
    url=get_settings().database_url,
)
