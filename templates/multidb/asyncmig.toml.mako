# Two databases with a history each. Choose one with -n: asyncmig -n audit upgrade head
# <%text>${NAME} and ${NAME:-default}</%text> are environment variables, <%text>${here}</%text> is this file's folder.
# Paths start at this file's folder. ASYNCMIG_<KEY> in the environment stands above this file.

[asyncmig]
# The folder of env.py and script.py.mako. What stands here holds for both databases.
script_location = "${script_location}"

[databases.primary]
url = "<%text>${PRIMARY_URL:-sqlite:///${here}/primary.db}</%text>"
version_locations = ["${script_location}/versions/primary"]

[databases.audit]
url = "<%text>${AUDIT_URL:-sqlite:///${here}/audit.db}</%text>"
version_locations = ["${script_location}/versions/audit"]
