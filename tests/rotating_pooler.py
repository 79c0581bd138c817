"""A small transaction pooler of the tests' own: every transaction of a client is on the server connection that was idle longest.

It speaks PostgreSQL's protocol 3.0 ("Message Formats"), logs in with SCRAM-SHA-256 and lets any client in. A client that
leaves inside a transaction takes the server connection with it; its cancel request ends what runs there.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
import struct
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import servers

_SSL_OR_GSS = (80877103, 80877104)
_CANCEL = 80877102


@dataclass
class ServerLink:
    """One connection to the server, logged in; `hello` is what a client is told of it, `key` what cancels it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    hello: bytes
    key: bytes


@dataclass
class RotatingPooler:
    """`size` server connections for each database, all opened before the first client is served."""

    server: servers.PostgresServer
    size: int = 4
    _idle: dict[str, deque[ServerLink]] = field(default_factory=dict)
    _freed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _busy: dict[bytes, ServerLink] = field(default_factory=dict)
    _open: list[asyncio.StreamWriter] = field(default_factory=list)

    async def aclose(self) -> None:
        """Close every connection, and wait until it is."""
        for writer in self._open:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._open), return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it leaves."""
        self._open.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            key = secrets.token_bytes(8)
            database = await self._greet(key, reader, writer)
            if database is not None:
                await self._transactions(database, key, reader, writer)
        writer.close()

    async def _greet(self, key: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
        while True:
            (length, code) = struct.unpack("!II", await reader.readexactly(8))
            rest = await reader.readexactly(length - 8)
            if code in _SSL_OR_GSS:
                writer.write(b"N")
                continue
            if code == _CANCEL:
                await self._cancel(rest)
                return None
            words = rest.decode().split("\0")
            database = dict(zip(words[::2], words[1::2], strict=False))["database"]
            link = await self._take(database)
            writer.write(_message(b"R", struct.pack("!I", 0)) + _message(b"K", key) + link.hello)
            await self._give(database, link)
            return database

    async def _cancel(self, key: bytes) -> None:
        if key in self._busy:
            _, writer = await asyncio.open_connection(self.server.host, self.server.port)
            self._open.append(writer)
            writer.write(struct.pack("!II", 16, _CANCEL) + self._busy[key].key)
            writer.close()

    async def _transactions(
        self, database: str, key: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            first = await _read(reader)
            if first[:1] == b"X":
                return
            link = self._busy[key] = await self._take(database)
            try:
                await _one_transaction(first, link, reader, writer)
            except BaseException:
                link.writer.close()
                await self._give(database, await self._connect(database))
                raise
            finally:
                del self._busy[key]
            await self._give(database, link)

    async def _take(self, database: str) -> ServerLink:
        if database not in self._idle:
            self._idle[database] = deque([await self._connect(database) for _ in range(self.size)])
        async with self._freed:
            await self._freed.wait_for(lambda: self._idle[database])
            link = self._idle[database].popleft()
        if link.reader.at_eof():
            link.writer.close()
            link = await self._connect(database)
        return link

    async def _give(self, database: str, link: ServerLink) -> None:
        async with self._freed:
            self._idle[database].append(link)
            self._freed.notify()

    async def _connect(self, database: str) -> ServerLink:
        reader, writer = await asyncio.open_connection(self.server.host, self.server.port)
        self._open.append(writer)
        body = f"user\0{self.server.user}\0database\0{database}\0\0".encode()
        writer.write(struct.pack("!II", len(body) + 8, 196608) + body)
        await _log_in(reader, writer, self.server.password)
        hello = key = b""
        while True:
            message = await _read(reader)
            if message[:1] == b"K":
                key = message[5:]
                continue
            hello += message
            if message[:1] == b"Z":
                return ServerLink(reader, writer, hello, key)


async def _one_transaction(
    first: bytes, link: ServerLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass messages both ways until the server is ready, outside a transaction, with nothing left to answer."""
    asked = 0

    async def upwards() -> None:
        nonlocal asked
        message = first
        while True:
            if message[:1] == b"X":
                raise ConnectionResetError
            asked += message[:1] in (b"Q", b"S")
            synced.set() if message[:1] in (b"Q", b"S") else synced.clear()
            link.writer.write(message)
            message = await _read(reader)

    synced = asyncio.Event()
    up = asyncio.create_task(upwards())
    try:
        while True:
            down = asyncio.create_task(_read(link.reader))
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            if not down.done():
                down.cancel()
                await up  # raises: the client is gone
            message = down.result()
            if message[:1] == b"Z":
                asked -= 1
                if asked == 0 and message[5:] == b"I" and synced.is_set():
                    up.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await up
                    writer.write(message)
                    return
            writer.write(message)
    finally:
        up.cancel()
        await asyncio.gather(up, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


async def _log_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, password: str) -> None:
    """SCRAM-SHA-256 without channel binding (RFC 5802), or whatever needs no answer."""
    nonce = base64.b64encode(secrets.token_bytes(18)).decode()
    bare = f"n=,r={nonce}"
    proof = ""
    while True:
        message = await _read(reader)
        assert message[:1] == b"R", message
        (kind,) = struct.unpack("!I", message[5:9])
        if kind == 0:
            return
        if kind == 10:
            text = f"n,,{bare}".encode()
            writer.write(_message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(text)) + text))
        if kind == 11:
            challenge = message[9:].decode()
            given = dict(part.split("=", 1) for part in challenge.split(","))
            final = f"c=biws,r={given['r']}"
            salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(given["s"]), int(given["i"]))
            key = hmac.digest(salted, b"Client Key", "sha256")
            signature = hmac.digest(hashlib.sha256(key).digest(), f"{bare},{challenge},{final}".encode(), "sha256")
            proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
            writer.write(_message(b"p", f"{final},p={proof}".encode()))


@contextlib.contextmanager
def rotating_pooler(server: servers.PostgresServer) -> Iterator[int]:
    """The port of a pooler that runs in a thread of this process."""
    port = servers._free_port()
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        pooler = RotatingPooler(server)
        async with await asyncio.start_server(pooler.serve, "127.0.0.1", port):
            ready.set()
            await stop.wait()
        clients = asyncio.all_tasks() - {asyncio.current_task()}
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await pooler.aclose()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
