"""Which process serves a data directory. Standard library only."""

import subprocess
from pathlib import Path

# No kernel gives this number to a process.
_NOBODYS_PID = 2**31 - 1


def running(*, data: Path) -> int | None:
    """The process id of the live PostgreSQL of this data directory, None when there is none."""
    pid = _named_pid(data / "postmaster.pid")
    return pid if pid and _serves(pid=pid, data=data) else None


def forget_stranger(*, lock_file: Path, data: Path) -> None:
    """Lets PostgreSQL start although its lock file names a live stranger: a number used again, or a zombie."""
    pid = _named_pid(lock_file)
    if pid is None or _serves(pid=pid, data=data):
        return
    # Not deleted: the rest of the file lets PostgreSQL see whether orphans of the old server still write.
    _, newline, rest = lock_file.read_text().partition("\n")
    lock_file.write_text(f"{_NOBODYS_PID}{newline}{rest}")


def _named_pid(lock_file: Path) -> int | None:
    try:
        first_line = lock_file.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    return abs(int(first_line)) if first_line.lstrip("-").isdigit() else None


def _serves(*, pid: int, data: Path) -> bool:
    return f"postgres -D {data} " in _command_line(pid) + " "


def _command_line(pid: int) -> str:
    if not Path("/proc/self/cmdline").exists():
        return _command_line_by_ps(pid)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return " ".join(word.decode(errors="surrogateescape") for word in words)


def _command_line_by_ps(pid: int) -> str:
    arguments = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    outcome = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed program
    return outcome.stdout.strip()
