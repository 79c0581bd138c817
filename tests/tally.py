"""What many rounds of kills, cuts and restarts came upon, counted over a whole run and told at its end.

A round that kills a process which is through already proves nothing: so each tells whether it hit. The counts travel as
properties of the tests' reports, so that those of pytest-xdist's workers are there too.
"""

import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

PREFIX = "tally "

Tally = Callable[..., None]


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """`tally("kills", hits=True)`: one more of these, and one more of those that hit where `hits` is true."""

    def count(name: str, number: int = 1, **also: int | bool) -> None:
        record_property(PREFIX + name, number)
        for what, more in also.items():
            record_property(f"{PREFIX}{name}, {what.replace('_', ' ')}", int(more))

    return count


def killed(process: "subprocess.Popen[str]") -> bool:
    """Kills the process with SIGKILL; whether it was running until then."""
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def lines_of(reports: Iterable[Any]) -> list[str]:
    """A line a name, with the sum over all tests, the names in the order of the alphabet."""
    sums: Counter[str] = Counter()
    for report in reports:
        if getattr(report, "when", None) == "call":
            for name, value in report.user_properties:
                if name.startswith(PREFIX):
                    sums[name] += value
    return [f"{name.removeprefix(PREFIX)}: {sums[name]}" for name in sorted(sums)]
