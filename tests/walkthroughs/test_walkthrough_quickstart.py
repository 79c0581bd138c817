"""`init -t quickstart shop`: a served application in three commands, from an empty folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from projects import Project
from servers import execute, rows, sqlite_url, tables

REVISION = "7c1f0a52be94"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[httpx.Client]:
    """The application in uvicorn; stopped with Ctrl-C, and then it must end cleanly."""
    port, log = free_port(), folder / "uvicorn.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                await_answer(client, process, log)
                yield client
            process.send_signal(signal.SIGINT)
            assert process.wait(20) in (0, 130, -signal.SIGINT), log.read_text()
        finally:
            process.kill()
            process.wait()
    text = log.read_text()
    assert "Application startup complete." in text
    assert "Application shutdown complete." in text
    assert not [word for word in ("Traceback", "ERROR", "WARNING", "Warning") if word in text], text


def await_answer(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            client.get("/items")
            return
        except httpx.TransportError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


@pytest.fixture
def shop(empty: Project) -> Project:
    empty.run("init", "-t", "quickstart", "shop").expect()
    assert [entry.name for entry in empty.folder.iterdir()] == ["shop"]
    return Project(empty.folder / "shop")


def test_the_quickstart_is_upgraded_and_served(shop: Project) -> None:
    database = sqlite_url(shop.folder / "items.db")
    up = shop.run("upgrade", "head").expect()
    assert "(from migrations/env.py)" in up.stderr
    assert shop.run("current").expect().stdout == f"{REVISION} (head)\n"
    with served(shop.folder) as client:
        assert client.get("/items").json() == []
        made = client.post("/items", json={"name": "tea", "price_cents": 350})
        assert (made.status_code, made.json()) == (201, {"id": 1, "name": "tea", "price_cents": 350})
        assert client.post("/items", json={"name": "tea", "price_cents": 1}).status_code == 409
        assert client.get("/docs").status_code == 200
    assert rows(database, "SELECT name, price_cents FROM item") == [("tea", 350)]
    assert "up to date" in shop.run("check").expect().stderr


def test_the_next_revision_is_applied_by_the_start_of_the_application(shop: Project) -> None:
    """No command at all: the database comes into being, and follows the code, when the application starts."""
    database = sqlite_url(shop.folder / "items.db")
    with served(shop.folder) as client:
        client.post("/items", json={"name": "tea", "price_cents": 350}).raise_for_status()
    written = shop.run("revision", "-m", "add stock to item").expect().stdout.strip()
    script = shop.folder / written
    text = script.read_text().replace("  # noqa: F401", "")
    add = 'op.add_column("item", sa.Column("stock", sa.Integer, nullable=False, server_default="0"))'
    text = text.replace("pass", add, 1).replace("pass", 'op.drop_column("item", "stock")', 1)
    script.write_text(text)
    with served(shop.folder) as client:
        assert client.get("/items").json() == [{"id": 1, "name": "tea", "price_cents": 350}]
    assert rows(database, "SELECT name, stock FROM item") == [("tea", 0)]
    log = shop.run("log").expect().stdout
    assert len(log.splitlines()) == 2


def test_the_quickstart_runs_on_postgresql_too(shop: Project, postgres_url: str) -> None:
    with served(shop.folder, DATABASE_URL=postgres_url) as client:
        client.post("/items", json={"name": "tea", "price_cents": 350}).raise_for_status()
    assert "item" in tables(postgres_url)
    execute(postgres_url, "DELETE FROM item")
    assert shop.run("current", env={"DATABASE_URL": postgres_url}).expect().stdout == f"{REVISION} (head)\n"
    assert not (shop.folder / "items.db").exists()
