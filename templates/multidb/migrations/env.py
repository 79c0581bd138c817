"""What asyncmig should know about this project. It only declares: asyncmig runs the migrations."""

from asyncmig import Context, Environment

# The models of each database, by its name in asyncmig.toml:
#
#     from shop.models import AuditBase, Base
#     MODELS = {"primary": Base.metadata, "audit": AuditBase.metadata}
MODELS = {"primary": None, "audit": None}


def environment(context: Context) -> Environment:
    """Asked once a run; context.config.name is the database that -n chose."""
    return Environment(target_metadata=MODELS[context.config.name])
