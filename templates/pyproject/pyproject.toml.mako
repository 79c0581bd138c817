[tool.asyncmig]
# How asyncmig finds the scripts and the database. Paths start at the folder of this file.
# <%text>${NAME} and ${NAME:-default}</%text> are environment variables, <%text>${here}</%text> is the folder of this file.
# ASYNCMIG_<KEY> in the environment stands above this file, and so does what env.py gives.

# The folder of env.py, script.py.mako and versions/.
script_location = "${script_location}"

# The database. postgresql:// means asyncpg, sqlite:// means aiosqlite.
url = "<%text>${DATABASE_URL:-sqlite:///${here}/app.db}</%text>"

# The models that autogenerate compares with the database, unless env.py gives them.
# target_metadata = "shop.models:Base.metadata"

# The table that holds the current revision, and its schema (PostgreSQL; the default is the search path's).
# version_table = "asyncmig_version"
# version_table_schema = "public"

# The folders of revision scripts, and whether their subfolders count.
# version_locations = ["${script_location}/versions"]
# recursive_version_locations = false

# File names of new scripts: rev, slug, year, month, day, hour, minute, second, epoch; it may hold folders.
# file_template = "%(year)d_%(month).2d_%(day).2d_%(rev)s_%(slug)s"

# How much of a message goes into the file name.
# truncate_slug_length = 40

# The time zone of create dates and file names. The default is the machine's local time.
# timezone = "UTC"

# Put at the front of sys.path while env.py and scripts are loaded and run.
# prepend_sys_path = ["."]

# One run at a time: "auto" ("advisory" on PostgreSQL), "lease" behind a transaction-mode pooler, or "none".
# lock = "auto"

# Seconds to wait for another run to finish.
# lock_timeout = 60

# With lock = "lease": seconds after which the lock of a run that died is free.
# lease_duration = 30

# Seconds that a statement may wait for a lock on PostgreSQL; the step is then tried again. Unset: the server's.
# statement_lock_timeout = 5

# A transaction for each "revision", or one for the whole "run".
# transaction = "revision"

# When an applied script was edited afterwards: "error", "warn" or "off".
# checksums = "error"

# Whether autogenerate looks at all schemas, or only at the default one.
# include_schemas = false

# Whether scripts may import from `alembic` and get asyncmig's own.
# alembic_compat = false

# Commands run on each new script: type "exec" (executable), "module" (module) or "console_scripts" (entrypoint).
# post_write_hooks = [
#     { name = "ruff", type = "exec", executable = "ruff", options = "format REVISION_SCRIPT_FILENAME" },
# ]

# Several databases, each with keys of its own over the ones above: asyncmig -n audit upgrade head
# [tool.asyncmig.databases.audit]
# url = "postgresql://localhost/audit"

# Many databases, or many schemas of one, at once: asyncmig fleet upgrade head
# [tool.asyncmig.fleet]
# query = "SELECT schema_name FROM public.tenant"
