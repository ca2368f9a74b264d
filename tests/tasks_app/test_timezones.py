"""The record reads zones from the pinned database, whatever the machine has, like the charts do (P54)."""

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# A process of its own: in this one something has already settled where zones come from.
ASK = """
from datetime import datetime
from tasks_app.refusals import Refused
from tasks_app.timezones import known_timezone, rules_of
try:
    known_timezone("Mars/Base")
except Refused as refused:
    print(refused.message)
print(datetime(2026, 1, 1, tzinfo=rules_of("Europe/Stockholm")).utcoffset())
"""


def test_zones_of_the_machine_are_not_known(tmp_path: Path) -> None:
    """A zone that only this machine has would be kept and then have no chart; a patched one would move instants."""
    utc = resources.files("tzdata.zoneinfo").joinpath("UTC").read_bytes()
    for name in ("Mars/Base", "Europe/Stockholm"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(utc)
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    answer = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == [
        "There is no time zone 'Mars/Base'; use an IANA name such as Europe/Stockholm.",
        "1:00:00",
    ]
