"""web_memory: what a web worker holds after it has answered many dashboards."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import END, LAST_DAY, add_moves, companies_with_history
from tests.benchmarks.keys import new_key
from tests.benchmarks.outcomes import Outcome, Request
from tests.serving import HOST, served

GOAL = 200.0
TRANSITIONS = 50_000
TAIL = 500
DASHBOARDS = 200
WARM = 5
KIBIBYTES_PER_MEGABYTE = 1000 / 1.024

# What a page of charts asks for: a quarter of days, the year behind it, and the board itself.
DASHBOARD = """
query ($from: DateTime!, $year: DateTime!, $to: DateTime!, $project: String!) {
  quarter: analytics(window: {between: {from: $from, to: $to}}, project: $project, bucket: DAY) {
    window { starts complete }
    states { slug name category }
    cumulativeFlow {
      series { state { slug } counts }
      arrivals departures left difference correctionWindows { taskKey from to }
    }
    workInProgress
    throughput { finished finishEvents cancelled }
    transitions { from { slug } to { slug } count medianSeconds }
    receipt { digest readFrom rawRows tailRows }
  }
  year: analytics(window: {between: {from: $year, to: $to}}, bucket: DAY) {
    cumulativeFlow(mode: OCCUPANCY) { series { state { slug } counts } }
    receipt { digest }
  }
  board(project: $project, at: $to) { columns { state { slug } tasks(first: 20) { edges { node { key title } } } } }
}
"""


def web_memory(request: Request) -> Iterator[Outcome]:
    """Resident memory of a gunicorn worker, in MB, after 200 dashboards of different windows over HTTP."""
    [company] = companies_with_history(companies=1, transitions=request.size(TRANSITIONS))
    fold_all()
    add_moves(company, facts=TAIL, begin=LAST_DAY, end=END)
    secret = new_key(company.tenant.id)
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.served",
        "FLOWLEDGER_BENCH_DATABASE": settings.DATABASES["default"]["NAME"],
    }
    with served(environ=environ) as server:
        for number in range(WARM):
            _ask(server.port, secret, company, number)
        begun = _resident(server.pid)
        for number in range(DASHBOARDS):
            _ask(server.port, secret, company, number)
        held = _resident(server.pid)
    yield Outcome(
        name="web_memory",
        ratio=held,
        goal=GOAL,
        detail={"unit": "MB", "dashboards": DASHBOARDS, f"after_{WARM}": round(begun, 1)},
    )


def _ask(port: int, secret: str, company: Company, number: int) -> None:
    """One dashboard, its windows a day apart from those of the number before."""
    to = END - timedelta(days=number)
    variables = {
        "from": (to - timedelta(days=90)).isoformat(),
        "year": (to - timedelta(days=365)).isoformat(),
        "to": to.isoformat(),
        "project": company.boards[number % len(company.boards)].key,
    }
    asked = urllib.request.Request(
        f"http://{HOST}:{port}/graphql",
        data=json.dumps({"query": DASHBOARD, "variables": variables}).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=120) as response:
        answer = json.load(response)
    if "errors" in answer:
        raise RuntimeError(f"The dashboard was not answered: {answer['errors']}")


def _resident(server: int) -> float:
    """Megabytes of the server's only worker."""
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,rss="], check=True, capture_output=True, text=True).stdout
    found = [int(rss) for parent, rss in map(str.split, listed.splitlines()) if int(parent) == server]
    return max(found) / KIBIBYTES_PER_MEGABYTE
