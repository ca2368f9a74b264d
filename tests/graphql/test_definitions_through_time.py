"""What states become later changes no answer about the time before, in any figure; asked as of now, it does."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from analytics.engine.wings import figures_by_name
from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, change_states
from tests.cast import WORKFLOW, Cast, cast
from tests.graphql.march import at, made
from tests.graphql.proofs import FIGURES, SUMMARY, actor_id, asked, board_of_march, clock, folded, working
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)

SELECTION = f"""{FIGURES}
    last: cycleTime(policy: LAST_START_LAST_FINISH) {{ {SUMMARY} }}
    erase: cycleTime(policy: ERASE_BACKFLOW) {{ {SUMMARY} }}
    days: cycleTime(calendar: WORKING) {{ {SUMMARY} }}
    until: forecast(until: "2026-05-01", seed: 2, trials: 100) {{ status percentiles {{ items }} }}
    later: churn(reopenWithinDays: 30) {{ reopened abandoned }}"""
# Of states that a board has at the window's end.
PAIRS = f"""fromReview: cycleTime(start: "review") {{ {SUMMARY} }}
    toReview: cycleTime(start: "doing", finish: "review") {{ {SUMMARY} }}"""
WAYS = ("RAW", "ROLLUP", "MERGED")
SPECS = {
    slug: StateSpec(name=name, category=category, slug=slug, waiting=waiting, needs_validation=validated)
    for slug, (name, category, waiting, validated) in WORKFLOW.items()
}


def renamed() -> Sequence[StateSpec]:
    """Every state has another name."""
    return [replace(spec, name=f"{spec.name} (was)") for spec in SPECS.values()]


def of_one_name() -> Sequence[StateSpec]:
    """All states in progress have one name, and so has a new one."""
    named = [replace(s, name="Doing") if s.category == "IN_PROGRESS" else s for s in SPECS.values()]
    return [*named, StateSpec(name="Doing", category="IN_PROGRESS")]


def reordered() -> Sequence[StateSpec]:
    """Backwards."""
    return list(reversed(SPECS.values()))


def added() -> Sequence[StateSpec]:
    """One more before all others and one after them."""
    first, last = StateSpec(name="Idea", category="TODO"), StateSpec(name="Shipped", category="DONE")
    return [first, *SPECS.values(), last]


def archived() -> Sequence[StateSpec]:
    """The states in which nothing is any more."""
    return [spec for slug, spec in SPECS.items() if slug not in ("waiting", "review")]


def recategorised() -> Sequence[StateSpec]:
    """What was in progress is to do, what was done is cancelled, what was to do is done."""
    becomes = {"TODO": "DONE", "IN_PROGRESS": "TODO", "DONE": "CANCELLED", "CANCELLED": "IN_PROGRESS"}
    return [replace(spec, category=becomes[spec.category]) for spec in SPECS.values()]


def otherwise_used() -> Sequence[StateSpec]:
    """What did not wait does, and what needed no validation does."""
    return [
        replace(spec, waiting=not spec.waiting, needs_validation=not spec.needs_validation) for spec in SPECS.values()
    ]


CHANGES = (renamed, of_one_name, reordered, added, archived, recategorised, otherwise_used)


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def a_past(people: Cast) -> None:
    """Moves forward, back and over states; a validation, a wait, a hand-over, another board's item, one discarded."""
    board_of_march(people)
    made(people.bob, title="Reviewed", created=at(2), moves={at(3): "doing", at(4): "review", at(6): "done"})
    made(
        people.bob, title="Back", created=at(1), moves={at(2): "doing", at(3): "waiting", at(4): "todo", at(5): "done"}
    )
    key = made(people.bob, title="Gone", created=at(2), moves={at(3): "review", at(4): "doing"})
    other = made(people.alice, title="Elsewhere", created=at(2), moves={at(3): "review"})
    with working(people.alice) as (tenant_id, me):
        asked_for: dict[str, Any] = {"tenant_id": tenant_id, "actor_id": me, "now": clock()}
        operations.validate_task(task=other, note=None, happened_at=at(4), **asked_for)
        operations.transfer_task(task=other, project="OPS", state="doing", happened_at=at(5), **asked_for)
        operations.discard_task(task=key, happened_at=at(7), **asked_for)


def whose(people: Cast) -> dict[str, dict[str, Any]]:
    """A board, another one, the company, a person's items and a person's changes."""
    return {
        "board": {"project": "WEB", "selection": SELECTION + PAIRS},
        "other board": {"project": "OPS", "selection": SELECTION},
        "company": {"selection": SELECTION + PAIRS},
        "in hands": {"project": "WEB", "assignee": actor_id(people.bob), "selection": SELECTION + PAIRS},
        "changes": {"actor": actor_id(people.alice), "selection": SELECTION + PAIRS},
    }


def digests(people: Cast) -> dict[str, str]:
    """Of all figures as defined then, by who they are of and where they were read from."""
    now = clock()
    return {
        f"{name} {read_from}": asked(people.alice, now=now, **scope, **{"from": read_from})["receipt"]["digest"]
        for name, scope in whose(people).items()
        for read_from in WAYS
    }


def digest_of_now(people: Cast, name: str) -> str:
    """As defined now, the same wherever it was read from."""
    scope = {**whose(people)[name], "selection": SELECTION, "as": "NOW"}
    now = clock()
    found = {asked(people.alice, now=now, **scope, **{"from": way})["receipt"]["digest"] for way in WAYS}
    assert len(found) == 1
    return found.pop()


def redefined(people: Cast, change: Callable[[], Sequence[StateSpec]]) -> None:
    """Both boards."""
    with working(people.alice) as (tenant_id, _):
        for project in ("WEB", "OPS"):
            change_states(tenant_id=tenant_id, project_key=project, states=change())


def test_every_figure_is_asked_for() -> None:
    """A figure that comes later has to be put among them."""
    assert [name for name in figures_by_name() if name not in SELECTION] == []


@pytest.mark.parametrize("change", CHANGES)
def test_past_answers_stay_what_they_were(people: Cast, change: Callable[[], Sequence[StateSpec]]) -> None:
    """P2, P27, P28, P29: byte for byte, before the change is folded and after; as of now they are others, wherever from."""
    a_past(people)
    folded(people)
    then, as_now = digests(people), {name: digest_of_now(people, name) for name in ("board", "company")}
    redefined(people, change)
    for _ in ("waits to be folded", "folded"):
        assert digests(people) == then
        for name, before in as_now.items():
            assert digest_of_now(people, name) != before
        with working(people.alice) as (tenant_id, _):
            operations.create_task(tenant_id=tenant_id, project="WEB", title="Later", now=clock())
        folded(people)


def test_the_label_is_that_of_then_or_now(people: Cast) -> None:
    """P28: in every figure that names states, one row for each state under either."""
    a_past(people)
    redefined(people, renamed)
    selection = """states { slug name } timeInState { state { slug name } } validation { state { slug name } }
        aging(first: 9) { edges { node { state { slug name } } } } transitions { from { slug name } to { slug name } }
        cumulativeFlow { series { state { slug name } } }"""
    for as_defined, suffix in (("THEN", ""), ("NOW", " (was)")):
        answer = asked(people.alice, selection=selection, now=clock(), project="WEB", **{"as": as_defined})
        shown = [
            *answer["states"],
            *(each["state"] for name in ("timeInState", "validation") for each in answer[name]),
            *(each["state"] for each in answer["cumulativeFlow"]["series"]),
            *(each["node"]["state"] for each in answer["aging"]["edges"]),
            *(each[end] for each in answer["transitions"] for end in ("from", "to") if each[end]),
        ]
        assert {each["name"] for each in shown} <= {f"{name}{suffix}" for name, *_ in WORKFLOW.values()}
        assert len(answer["timeInState"]) == len({each["state"]["slug"] for each in answer["timeInState"]})
        assert {"todo", "doing", "review", "done"} <= {each["slug"] for each in shown}


def test_a_state_of_a_name_that_was_archived_is_another_one(people: Cast) -> None:
    """P27: the archived one keeps its past, the new one begins with nothing; their slugs tell them apart."""
    a_past(people)
    redefined(people, archived)
    redefined(people, lambda: [*archived(), StateSpec(name="Review", category="IN_PROGRESS")])
    selection = "timeInState(clip: FULL) { state { slug name } visits ongoingVisits }"
    answer = asked(people.alice, selection=selection, now=clock(), project="WEB", **{"as": "NOW"})
    found = {each["state"]["slug"]: (each["state"]["name"], each["visits"]) for each in answer["timeInState"]}
    assert found["review"] == ("Review", 3)
    assert found["review-2"] == ("Review", 0)


def test_a_closed_window_stays_what_it_was_when_its_open_items_go_on(people: Cast) -> None:
    """P9, P11: carried over to another board, finished, discarded or brought back after its end, none of it late."""
    a_past(people)
    folded(people)
    before = digests(people)
    keys = [
        key
        for (key,) in sql(
            "SELECT key FROM task WHERE discarded_at IS NULL AND project_id IN"
            " (SELECT id FROM project WHERE key = 'WEB') ORDER BY id"
        )
    ]
    with working(people.alice) as (tenant_id, me):
        told: dict[str, Any] = {"tenant_id": tenant_id, "actor_id": me, "happened_at": None, "now": clock()}
        operations.transfer_task(task=keys[0], project="OPS", **told)
        operations.discard_task(task=keys[1], **told)
        for key in keys[2:]:
            operations.move_task(task=key, to="doing", **told)
    for _ in ("waits to be folded", "folded"):
        assert digests(people) == before
        folded(people)
