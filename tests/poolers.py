"""A transaction-mode pooler before the tests' PostgreSQL: PgBouncer where it is installed, else one of our own.

Every transaction may be on another server connection there, so that session locks, settings and prepared statements
do not hold. ASYNCMIG_TEST_POOLER=own asks for our own, which changes the connection for every transaction.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import psycopg
import servers
from rotating_pooler import rotating_pooler

# Debian has it where only root looks.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
PGBOUNCER = None if os.environ.get("ASYNCMIG_TEST_POOLER") == "own" else shutil.which("pgbouncer", path=_PATH)

SETTINGS = """
[databases]
* = host={server.host} port={server.port} user={server.user} password={server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
server_round_robin = 1
default_pool_size = 12
min_pool_size = 4
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
"""


@contextlib.contextmanager
def transaction_pooler(server: servers.PostgresServer) -> Iterator[int]:
    """The port to connect to instead of the server's."""
    if PGBOUNCER is None:
        with rotating_pooler(server) as port:
            yield port
        return
    with TemporaryDirectory(prefix="asyncmig-pooler-") as name:
        folder, port = Path(name), servers._free_port()
        (folder / "pgbouncer.ini").write_text(SETTINGS.format(server=server, port=port, folder=folder))
        account = servers._unprivileged()
        if account is not None:
            for path in (folder, folder / "pgbouncer.ini"):
                shutil.chown(path, account.pw_uid, account.pw_gid)
        process = subprocess.Popen(
            [PGBOUNCER, "-q", str(folder / "pgbouncer.ini")],
            stdin=subprocess.DEVNULL,
            preexec_fn=servers._die_with_parent,  # noqa: PLW1509 - one system call, no lock of ours
            **servers._as_account(account),
        )
        try:
            deadline = time.monotonic() + 10
            while not servers.port_is_open(port):
                assert process.poll() is None, (folder / "pgbouncer.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def through(url: str, port: int) -> str:
    """The URL of the same database at the pooler."""
    parts = urlsplit(url)
    place = f"{parts.netloc.rpartition(':')[0]}:{port}"
    return urlunsplit(parts._replace(netloc=place))


def backends(url: str, transactions: int) -> set[int]:
    """The server processes that so many transactions of one client and its neighbour were on."""
    with (
        psycopg.connect(servers.libpq_url(url), prepare_threshold=None) as one,
        psycopg.connect(servers.libpq_url(url), prepare_threshold=None) as other,
    ):
        found = set()
        for number in range(transactions):
            if number % 2:
                other.execute("SELECT 1")  # keeps a server busy
            found.add(one.execute("SELECT pg_backend_pid()").fetchone()[0])  # type: ignore[index]
            one.commit()
            other.commit()
        return found
