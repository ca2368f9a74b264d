"""A dashboard is one transaction and few statements, counted as they go over the wire."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from analytics.engine.rollups.compact import compact
from tests.cast import Person, cast
from tests.graphql.in_process import ask
from tests.graphql.march import NOW, at, made

MOST = 12

pytestmark = pytest.mark.django_db(transaction=True)
# libpq writes a line for each message: F for those to the server, Q for a text of statements, P for one to be prepared.
SENT = re.compile(r"^(?:\S+ \S+\t)?F\t\d+\t(?:Query|Parse)\t (.*)$", re.MULTILINE)
SHARED = """
  cumulativeFlow { series { state { slug } counts } arrivals }
  throughput { finished }
  workInProgress
  timeInState { state { slug } p85Seconds }
  cycleTime { items p85Seconds points(first: 50) { edges { node { taskKey seconds } } } }
  leadTime { items p85Seconds }
  aging(first: 50) { edges { node { taskKey ageSeconds } } }
"""
EIGHTH = {"flowEfficiency": "flowEfficiency { value }", "churn": "churn { reopenRate backflow reverts }"}
DASHBOARD = """
query ($project: String) {{
  analytics(project: $project, window: {{rolling: {{count: 40, unit: DAY}}}}, bucket: DAY) {{ {figures} }}
}}
"""


@contextmanager
def wire(scratch: Path) -> Iterator[list[str]]:
    """While inside, everything that is sent to the server; read after it."""
    raw: Any = connection.connection.pgconn
    sent: list[str] = []
    path = scratch / "wire"
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    raw.trace(file)
    try:
        yield sent
    finally:
        raw.untrace()
        os.close(file)
        sent += SENT.findall(path.read_text())


@pytest.fixture
def alice(db: Any) -> Person:
    """A person with a month of finished tasks, returns and work in progress, folded."""
    people = cast()
    ways = [("doing", "waiting", "done"), ("doing",), ("doing", "done", "doing", "done"), ("doing", "todo")]
    for number, way in enumerate(ways):
        moves = {at(2 + number + step): state for step, state in enumerate(way)}
        made(people.alice, title=f"Task {number}", created=at(1), moves=moves)
    compact(now=NOW, tenant_id=people.acme.tenant.id)
    return people.alice


@pytest.mark.parametrize("eighth", EIGHTH)
@pytest.mark.parametrize("project", ["WEB", None])
def test_eight_figures_are_one_transaction_and_at_most_twelve_statements(
    alice: Person, tmp_path: Path, eighth: str, project: str | None
) -> None:
    """BEGIN, with all settings of the transaction, and COMMIT are two of them."""
    query = DASHBOARD.format(figures=SHARED + EIGHTH[eighth])
    first = ask(alice, query, now=NOW, project=project)
    with wire(tmp_path) as sent:
        again = ask(alice, query, now=NOW, project=project)
    assert again == first
    assert again["analytics"]["aging"]["edges"]
    assert again["analytics"]["cycleTime"]["points"]["edges"]
    assert sent[0].startswith('"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    assert sent[-1] == '"COMMIT"'
    assert [text for text in sent[1:-1] if text.startswith(('"BEGIN', '"COMMIT', '"SAVEPOINT'))] == []
    assert len(sent) <= MOST, "\n".join(text[:40] for text in sent)
