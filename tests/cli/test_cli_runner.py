"""Running coroutines: a signal cancels once and the cleanup runs to its end."""

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from asyncmig.cli.runner import run, run_without_loop

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, sys, time
from asyncmig.cli import stopping
from asyncmig.cli.runner import run
from asyncmig.errors import Interrupted

stopping._BETWEEN_LOOKS = {between_looks}

async def work():
    try:
        print("started", flush=True)
        {body}
    finally:
        await asyncio.sleep(0.3)
        print("cleaned", flush=True)

try:
    run(work())
except (Interrupted, KeyboardInterrupt) as error:
    print(type(error).__name__, flush=True)
    sys.exit(130)
"""


async def _value() -> int:
    return 7


async def _waits() -> int:
    await asyncio.sleep(0)
    return 7


def test_run_returns_the_result() -> None:
    assert run(_waits()) == 7


def test_run_without_loop_returns_the_result_of_what_never_waits() -> None:
    assert run_without_loop(_value()) == 7


def test_run_without_loop_refuses_what_waits() -> None:
    with pytest.raises(RuntimeError, match="waited"):
        run_without_loop(_waits())


def test_run_passes_errors_on_and_restores_the_signal_handlers() -> None:
    async def fails() -> None:
        raise LookupError("x")

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(LookupError):
        run(fails())
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_run_works_outside_the_main_thread() -> None:
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(run(_waits())))
    thread.start()
    thread.join()
    assert results == [7]


@pytest.mark.parametrize(
    ("body", "signals", "between_looks"),
    [
        ("await asyncio.sleep(30)", [signal.SIGINT], 0.05),
        ("await asyncio.sleep(30)", [signal.SIGTERM], 0.05),
        ("await asyncio.sleep(30)", [signal.SIGINT, signal.SIGINT, signal.SIGINT], 0.05),
        ("time.sleep(30)", [signal.SIGINT, signal.SIGINT], 0.05),
        ("time.sleep(30)", [signal.SIGINT, signal.SIGINT], 0.00005),
    ],
    ids=["interrupt", "terminate", "impatient", "blocking", "looked-at-all-the-time"],
)
def test_signals_cancel_once_and_wait_for_the_cleanup(
    body: str, signals: list[signal.Signals], between_looks: float
) -> None:
    """A second signal is not lost in a look at what the first could not end."""
    program = dedent(PROGRAM).format(body=body, between_looks=between_looks)
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        for number in signals:
            process.send_signal(number)
            threading.Event().wait(0.1)
        stdout, stderr = process.communicate(timeout=20)
    assert stdout.splitlines()[0] == "cleaned"
    assert stdout.splitlines()[-1] in ("Interrupted", "KeyboardInterrupt")
    assert process.returncode == 130
    assert stderr == "" or all(line.startswith("still stopping") for line in stderr.splitlines())


def test_warnings_that_are_logged_reach_stderr_once() -> None:
    program = """
        import logging
        from asyncmig.cli.runner import run
        async def work():
            logging.getLogger("asyncmig").warning("the lock was lost")
            logging.getLogger("asyncmig").info("not this")
        run(work())
        run(work())
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "warning: the lock was lost\n" * 2)
