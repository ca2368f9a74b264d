"""Starting and ending the processes of a load."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
END_SECONDS = 600

Process = subprocess.Popen[str]


@dataclass(kw_only=True)
class Report:
    """What processes of a load did: how often what, and what they found wrong."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    wrongs: int = 0


@dataclass(kw_only=True)
class Crew:
    """The processes of a load on one database."""

    database: str
    seeds: Iterator[int] = field(default_factory=count)
    processes: list[Process] = field(default_factory=list)

    def hire(self, kinds: Mapping[str, int]) -> list[Process]:
        """So many of each kind, at work when this returns."""
        hired = [self._started(kind) for kind, number in kinds.items() for _ in range(number)]
        for process in hired:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError(f"A process of the load did not start: {process.communicate()[1]}")
        return hired

    def dismiss(self, processes: Sequence[Process]) -> Report:
        """Lets them finish what they are at. Raises with its complaint when one had failed."""
        report = Report()
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            self.processes.remove(process)
            _add(report, process)
        return report

    def kill(self, process: Process) -> None:
        """kill -9."""
        self.processes.remove(process)
        process.kill()
        process.wait()
        _close(process)

    @contextmanager
    def paused(self, processes: Sequence[Process]) -> Iterator[None]:
        """Inside they stand still, wherever they are."""
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                process.send_signal(signal.SIGCONT)

    def _started(self, kind: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.audits.workers", kind, str(next(self.seeds)), self.database],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process


@contextmanager
def crew(*, database: str) -> Iterator[Crew]:
    """An empty crew; whoever still works in the end is killed."""
    found = Crew(database=database)
    try:
        yield found
    finally:
        for process in list(found.processes):
            found.kill(process)


def _add(report: Report, process: Process) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    output, complaint = process.stdout.read(), process.stderr.read()
    if process.wait(timeout=END_SECONDS) != 0:
        raise RuntimeError(f"A process of the load failed: {complaint}")
    told = json.loads(output.splitlines()[-1])
    report.done.update(told["done"])
    report.wrong += told["wrong"]
    report.wrongs += told["wrongs"]
    _close(process)


def _close(process: Process) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
