"""Applications in real processes: their source, uvicorn around it, and what it printed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import servers
from projects import Project

START_DEADLINE = 60.0

# A task of the application's ticks while the migrations run: the longest gap says whether they block the event loop.
# What the host had before its lifespan, and has after it, is compared where it is served.
MAIN = """
import asyncio, contextlib, json, logging, os, signal, sys, time
from pathlib import Path
from asyncmig import Migrator
from asyncmig.integrations.asgi import lifespan
# As an application has them already: importing takes its time, and is not what the ticks are to show.
import sqlalchemy.ext.asyncio, asyncmig.database.run, asyncmig.database.work

logging.getLogger("app").setLevel(logging.DEBUG)

def host():
    handlers = {name: repr(signal.getsignal(getattr(signal, name))) for name in ("SIGTERM", "SIGINT", "SIGHUP")}
    loggers = {
        name: [logging.getLogger(name).level, logging.getLogger(name).disabled, len(logging.getLogger(name).handlers)]
        for name in ("", "app", "uvicorn", "uvicorn.error", "sqlalchemy.engine")
    }
    return [handlers, loggers, list(sys.path), os.getcwd(), repr(asyncio.get_event_loop_policy().__class__)]

state = {"gap": 0.0}

async def tick():
    last = time.monotonic()
    while True:
        await asyncio.sleep(0.01)
        now = time.monotonic()
        state["gap"], last = max(state["gap"], now - last), now

@contextlib.asynccontextmanager
async def outer(app):
    ticking = asyncio.create_task(tick())
    before = host()
    async with inner(app) as handed:
        ticking.cancel()
        state["unchanged"] = host() == before
        state["handed"] = handed
        Path(f"worker-{os.getpid()}.json").write_text(json.dumps(state))
        yield handed

@contextlib.asynccontextmanager
async def wrapped(app):
    yield {"from": "the application"}

migrator = Migrator(Path(__file__).with_name("asyncmig.toml"))
timeout = float(os.environ["STARTUP_TIMEOUT"]) if "STARTUP_TIMEOUT" in os.environ else None
inner = lifespan(migrator, os.environ.get("STARTUP_MODE", "upgrade"), timeout=timeout, wrap=wrapped)
"""
FRAMEWORKS: Mapping[str, str] = {
    "fastapi": """
from fastapi import FastAPI
app = FastAPI(lifespan=outer)

@app.get("/")
async def root():
    return state
""",
    "starlette": """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def root(request):
    return JSONResponse(state)

app = Starlette(routes=[Route("/", root)], lifespan=outer)
""",
    "litestar": """
from typing import Any
from litestar import Litestar, get

@get("/")
async def root() -> dict[str, Any]:
    return state

app = Litestar([root], lifespan=[outer])
""",
}


def application(project: Project, framework: str) -> Project:
    return project.file("main.py", MAIN + FRAMEWORKS[framework])


@dataclass(slots=True)
class Served:
    """uvicorn in a session of its own; everything that it printed is in `output` once it has ended."""

    process: "subprocess.Popen[str]"
    port: int
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def get(self) -> dict[str, object]:
        """What a worker answers."""
        return dict(httpx.get(f"http://127.0.0.1:{self.port}/", timeout=10).raise_for_status().json())

    def started(self, workers: int = 1) -> None:
        """Wait until so many workers have said that they are ready."""
        self.said("Application startup complete", workers)

    def said(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while self.output.count(text) < times:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{text!r} was not printed {times} times\n{self.output}")
            time.sleep(0.05)

    def ended(self, timeout: float = START_DEADLINE) -> int:
        return self.process.wait(timeout)


@contextlib.contextmanager
def serve(project: Project, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """`uvicorn main:app`, ended with everything that it started."""
    port = servers._free_port()
    log = project.folder / f"uvicorn-{port}.log"
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port), *options]
    with log.open("w") as sink:
        process = subprocess.Popen(
            command,
            cwd=project.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        yield Served(process, port, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def workers(project: Project) -> list[dict[str, object]]:
    """What each worker saw while it started."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in project.folder.glob("worker-*.json")]


def applied(url: str) -> list[str]:
    """The revisions that the journal says were applied, in order, each as often as it was."""
    found = servers.rows(url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
    return [revision for revision, outcome in found if outcome == "applied"]
