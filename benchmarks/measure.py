"""What a command costs: processor time, time on the wall and memory of one process, as medians over interleaved rounds."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Users of both tools run modules that are compiled already, installed ones and those of their own that ran before; where
# Python may write no .pyc, every command would pay for compiling whatever is not installed, and only for that.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time (user and system, the process and the children it waited for), seconds on the wall, peak MB."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure. `before` and `after` run around each round and are not measured."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None

    def cost(self) -> Cost:
        """Runs the process to its end; SystemExit with its output if it fails."""
        self.before()
        with tempfile.TemporaryFile() as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.arguments,
                cwd=self.folder,
                env={**_ENVIRONMENT, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            # wait4 and not RUSAGE_CHILDREN: the memory there is the maximum over all children so far
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                output.seek(0)
                text = output.read().decode(errors="replace")
                raise SystemExit(f"{' '.join(self.arguments)} ended with {process.returncode}:\n{text[-4000:]}")
        self.after()
        unit = 1 / 1024 if sys.platform == "linux" else 1 / 1024 / 1024  # macOS counts bytes
        return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit)


def medians(contenders: Mapping[str, Command], *, rounds: int, budget: float = 60.0) -> dict[str, Cost]:
    """The median cost of each contender.

    They take turns, so that what else the machine does falls on all alike. One round before the first is not
    counted: it writes the .pyc files and fills the caches. A case stops early, after one counted round at least, when it has taken
    `budget` seconds.
    """
    deadline = time.monotonic() + budget
    for command in contenders.values():
        command.cost()
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for done in range(rounds):
        if done and time.monotonic() > deadline:
            break
        for name, command in contenders.items():
            costs[name].append(command.cost())
    return {name: _median(found) for name, found in costs.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.memory for cost in costs),
    )
