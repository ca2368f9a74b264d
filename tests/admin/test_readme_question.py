"""The question of the README, "where do items wait?", from its query to the picture."""

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tasks_app.demo import acme
from tasks_app.demo.access import QUESTION
from tasks_app.demo.today import live_through
from tasks_app.demo.writing import found_tenant
from tasks_app.models import User
from tests.admin.scene import table, text
from tests.tasks_app.recording import web_login

README = Path(__file__).resolve().parents[2] / "README.md"
SECTION = re.compile(r"## Where do items wait\?\n(.*?)\n## ", re.DOTALL)
BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)


@pytest.fixture
def ada(db: Any) -> Any:
    """The owner of the demo's Acme, signed in, with the connection stepped down to the web's login."""
    now = datetime.now(UTC)  # noqa: TID251 - triggers ask the real clock
    live_through(story=acme.STORY, people=found_tenant(story=acme.STORY, now=now), now=now)
    client = Client()
    client.force_login(User.objects.get(email=acme.PEOPLE[0].email))
    with web_login():
        yield client


def query_of_the_readme() -> str:
    """What a reader would copy."""
    section = SECTION.search(README.read_text(encoding="utf-8"))
    block = BLOCK.search(section[1]) if section else None
    assert block is not None
    return textwrap.dedent(block[0]).strip()


def test_the_demo_prints_the_query_of_the_readme() -> None:
    """One text in two places."""
    assert query_of_the_readme() == QUESTION


def seconds(state: dict[str, Any]) -> float:
    """All time of a state."""
    return float(state["totalSeconds"]) + float(state["ongoingSeconds"])


def test_items_wait_for_reviews(ada: Client) -> None:
    """On the demo's data one waiting state has more time than any two others that are not done; the picture says the same."""
    answer = ada.post("/graphql", {"query": query_of_the_readme()}, content_type="application/json").json()
    found = answer["data"]["analytics"]
    first, *others = found["bottlenecks"]
    assert (first["state"]["slug"], first["state"]["waiting"]) == ("review", True)
    assert seconds(first) > sum(seconds(each) for each in others)
    assert 0 < found["flowEfficiency"]["value"] < 0.4
    waiting = found["drillDown"]
    assert waiting["totalCount"] == first["ongoingVisits"] >= len(waiting["edges"]) > 0
    assert all(edge["seconds"] > 0 and edge["ledgerId"] and edge["node"]["key"] for edge in waiting["edges"])
    file = table(ada.get("/admin/projects/WEB/time-in-state.csv?days=90"))
    (review,) = (row for row in file if row["state_slug"] == "review")
    # The running visits grow between two questions.
    assert float(review["total_seconds"]) == first["totalSeconds"]
    assert int(review["ongoing_visits"]) == first["ongoingVisits"]
    page = text(ada.get("/admin/projects/WEB/"))
    assert "most: Code review" in page
    assert 'id="time-in-state"' in page
