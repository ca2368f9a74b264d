"""analytics { forecast }: over the API, with its seed, its digest and its refusals."""

from typing import Any

import pytest

from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import digest_of, replayed

FIELDS = "{ status seed trials historyDays firstDay percentiles { probability items date } backtestCoverage }"
QUERY = """query ($items: Int, $until: Date, $trials: Int! = 1000, $seed: Int, $daysOff: [Date!]) {
    analytics(project: "WEB", window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-04-01T00:00:00Z"}}) {
      forecast(items: $items, until: $until, trials: $trials, seed: $seed, daysOff: $daysOff) %s
      receipt { digest token readFrom rawRows } } }"""


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def finished_daily(people: Cast) -> None:
    """One item a day from the second to the eleventh; asked at noon of the twelfth."""
    for day in range(2, 12):
        made(people.alice, title=f"Of day {day}", created=at(day), moves={at(day, 10): "done"})


def forecast(people: Cast, **asked: Any) -> Any:
    """The forecast and the receipt, or the refusal."""
    answer = ask(people.alice, QUERY % FIELDS, now=NOW, **asked)
    return answer if isinstance(answer, Refusal) else answer["analytics"]


def test_how_many_and_when(people: Cast) -> None:
    """One a day: whatever is drawn, four in four days, today among them, and the fifth on the fifth."""
    finished_daily(people)
    found = forecast(people, until="2026-03-15", seed=3)["forecast"]
    assert found == {
        "status": "OK",
        "seed": 3,
        "trials": 1000,
        "historyDays": 10,
        "firstDay": "2026-03-12",
        "percentiles": [{"probability": p, "items": 4, "date": None} for p in (0.5, 0.7, 0.85, 0.95)],
        "backtestCoverage": None,
    }
    dates = forecast(people, items=5, seed=3)["forecast"]["percentiles"]
    assert dates == [{"probability": p, "items": None, "date": "2026-03-16"} for p in (0.5, 0.7, 0.85, 0.95)]
    later = forecast(people, items=5, seed=3, daysOff=["2026-03-14", "2026-03-15"])["forecast"]["percentiles"]
    assert {each["date"] for each in later} == {"2026-03-18"}


def test_the_same_seed_is_the_same_answer(people: Cast) -> None:
    """P38: as literals or variables, with the seed that was chosen or with that seed given; the digest says so."""
    finished_daily(people)
    made(people.alice, title="Two on one day", created=at(5), moves={at(5, 11): "done"})
    chosen = forecast(people, until="2026-03-15")
    again = forecast(people, until="2026-03-15", seed=chosen["forecast"]["seed"])
    assert again["forecast"] == chosen["forecast"]
    assert again["receipt"]["digest"] == chosen["receipt"]["digest"]
    literal = QUERY.replace("items: $items, until: $until", 'until: "2026-03-15"') % FIELDS
    literal = literal.replace("$items: Int, $until: Date, ", "")
    written = ask(people.alice, literal, now=NOW)["analytics"]
    assert written["receipt"]["digest"] == chosen["receipt"]["digest"]
    assert forecast(people, until="2026-03-15", seed=5)["receipt"]["digest"] != chosen["receipt"]["digest"]
    assert forecast(people, until="2026-03-15", trials=999)["receipt"]["digest"] != chosen["receipt"]["digest"]
    partial = ask(people.alice, QUERY % "{ seed }", now=NOW, until="2026-03-15")["analytics"]
    assert partial["receipt"]["digest"] == chosen["receipt"]["digest"]


@pytest.mark.django_db(transaction=True)
def test_a_forecast_is_replayed(people: Cast) -> None:
    """P38: with the seed that was chosen, whatever was finished since."""
    finished_daily(people)
    given = {"items": 9, "daysOff": ["2026-03-14"], "trials": 100}
    receipt = forecast(people, **given)["receipt"]
    made(people.alice, title="Late", created=at(4), moves={at(5): "done"})
    assert forecast(people, **given)["receipt"]["digest"] != receipt["digest"]
    assert digest_of(replayed(people.alice, receipt["token"])) == receipt["digest"]


def test_two_forecasts_in_one_answer(people: Cast) -> None:
    """By aliases; each has its own place in the digest."""
    finished_daily(people)
    query = """{ analytics(project: "WEB", window: {rolling: {count: 10, unit: DAY}}) {
        when: forecast(items: 3, daysOff: "2026-03-13") { percentiles { date } } many: forecast(until: "2026-03-13") {
        percentiles { items } } receipt { rawRows } } }"""
    answer = ask(people.alice, query, now=NOW)["analytics"]
    assert {each["date"] for each in answer["when"]["percentiles"]} == {"2026-03-15"}
    assert {each["items"] for each in answer["many"]["percentiles"]} == {2}
    assert answer["receipt"]["rawRows"] == 20


def test_thin_history_has_no_percentiles(people: Cast) -> None:
    """P39: the answer says why; it is no error."""
    found = forecast(people, items=5)["forecast"]
    assert (found["status"], found["percentiles"], found["backtestCoverage"]) == ("INSUFFICIENT_DATA", [], None)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "items: give items, to be told a date, or until, to be told a number; not both."),
        (
            {"items": None, "until": None},
            "items: give items, to be told a date, or until, to be told a number; not both.",
        ),
        ({"items": 0}, "items: give a number from 1 to 100,000, not 0."),
        ({"items": 1, "seed": -1}, "seed: give a number from 0 to 2,147,483,647, not -1."),
        ({"items": 1, "trials": 0}, "trials: give a number from 1 to 20,000, not 0."),
        ({"until": "2026-03-11"}, "until: 2026-03-11 is over; give a date from 2026-03-12 on."),
        ({"until": "2126-03-11"}, "until: 2126-03-11 is more than 3,650 days ahead; give an earlier date."),
    ],
)
def test_what_cannot_be_forecast_is_refused(people: Cast, asked: dict, sentence: str) -> None:
    assert forecast(people, **asked) == Refusal("BAD_USER_INPUT", f"forecast.{sentence}")
