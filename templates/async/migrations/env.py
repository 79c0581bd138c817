"""What asyncmig should know about this project. It only declares: asyncmig runs the migrations."""

from asyncmig import Environment

# Your models, for autogenerate to compare with the database:
#
#     from shop.models import Base
#     target_metadata = Base.metadata
target_metadata = None

environment = Environment(
    target_metadata=target_metadata,
    # The application's own settings may name the database, instead of asyncmig.toml:
    #     url=get_settings().database_url,
)
