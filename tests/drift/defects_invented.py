"""Defects that no list names, and some that no comparison can see because no figure is another for them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from analytics import switching
from analytics.engine import projects
from analytics.flow.figures import workflow
from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.reading import board_definitions, learned_later, old_daily_counts
from analytics.flow.reading import chart_states as shown
from analytics.flow.replay import definitions
from analytics.pure import windows, zones
from analytics.pure.cutoffs import Cutoff
from tests.drift.defect_patches import (
    Defect,
    attribute,
    both,
    each_day,
    kind_of,
    kinds,
    moved,
    old_counts,
    shifted,
    sql,
)
from tests.drift.old_counts import midnight

DAY, MINUTE, MICROSECOND = timedelta(days=1), timedelta(minutes=1), timedelta(microseconds=1)
LEAP_DAY, NEW_YEAR = midnight(date(2024, 2, 29)), midnight(date(2025, 1, 1))
STOCK_BETWEEN = windows.between
STOCK_PROJECTS = projects.project_facts
STOCK_LEARNED_LATER = learned_later.learned_later
STOCK_COUNTED = old_daily_counts._counted
STOCK_DATES = zones.dates
STOCK_DEFINITION = definitions._definition
STOCK_SLUG = workflow.by_slug
STOCK_WORKFLOWS = definitions.workflows
STOCK_PIECE = Frame.definitions_of
FACT = "l.happened_at < %(until)s"
KINDS = "l.kind <= 5"
OF_TENANT = "z.tenant_id = %(tenant)s"


def _labelled(**asked: Any) -> Any:
    found = STOCK_BETWEEN(**asked)
    return replace(found, starts=found.ends)


def _doubled(**asked: Any) -> Any:
    found = STOCK_BETWEEN(**asked)
    starts, ends, complete = found.starts, found.ends, found.complete
    return replace(found, starts=(starts[0], *starts), ends=(ends[0], *ends), complete=(complete[0], *complete))


def _a_step_of(hours: int) -> Any:
    """Days of so many hours, from the newest one back."""
    stock = STOCK_COUNTED

    def counted(*, instants: Any, **asked: Any) -> Any:
        last = max(instants)
        other = {at: last - timedelta(hours=hours) * round((last - at) / DAY) for at in instants}
        found = stock(instants=sorted(set(other.values())), **asked)
        return {at: found[other[at]] for at in instants}

    return attribute(old_daily_counts, "_counted", counted)


def _known(later: timedelta) -> Any:
    """As known so much later than the older side's job knew it."""

    def corrected(*, tenant_id: int, cutoffs: Mapping[str, Cutoff]) -> learned_later.Differences:
        other = {key: replace(each, known_at=each.known_at and each.known_at + later) for key, each in cutoffs.items()}
        return STOCK_LEARNED_LATER(tenant_id=tenant_id, cutoffs=other)

    return attribute(old_daily_counts, "learned_later", corrected)


def _corrected(times: int) -> Any:
    """What was learned later is taken back so many times."""

    def corrected(**asked: Any) -> learned_later.Differences:
        found = STOCK_LEARNED_LATER(**asked)
        return {key: {state: times * items for state, items in each.items()} for key, each in found.items()}

    return attribute(old_daily_counts, "learned_later", corrected)


def _one_board(**asked: Any) -> Any:
    return STOCK_PROJECTS(**asked)[:1]


def _states_of_one_board(**asked: Any) -> Any:
    boards = STOCK_PROJECTS(tenant_id=asked["tenant_id"], key=None)
    return STOCK_WORKFLOWS(**{**asked, "project_ids": [boards[0].id]})


def _as_defined_now(**asked: Any) -> Any:
    return STOCK_WORKFLOWS(**{**asked, "frozen": True})


def _defined(workflows: Any) -> Any:
    return attribute(board_definitions, "workflows", workflows)


def _in_the_next_piece(self: Frame, piece: int) -> Any:
    return STOCK_PIECE(self, min(piece + 1, len(self.epoch_of_piece) - 1))


def _as_first_defined(self: Frame, state: int, *, epoch: int) -> str | None:
    return self.first[state].category if state in self.first else None


def _by_slug_alone() -> Any:
    """What one board first defined holds for every board's state of that slug."""
    firsts: dict[str, Any] = {}
    return kinds(lambda each: kind_of(firsts.setdefault(each.slug, each)))


def _weekends(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rows[number - number % 7] if number % 7 > 4 else row for number, row in enumerate(rows)]


def _never_fewer_done(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = 0
    for row in rows:
        most = max(most, row["done"] or 0)
        row["done"] = most
    return rows


def _uncancelled(row: Any) -> Any:
    return STOCK_DEFINITION((*row[:4], "TODO" if row[4] == "CANCELLED" else row[4], *row[5:]))


def _yesterday(**asked: Any) -> date:
    return zones.local_date(**asked) - DAY


def _unless(name: str) -> Any:
    return lambda row: {key: value for key, value in row.items() if key != name}


INVENTED = (
    Defect("a microsecond before midnight", shifted(lambda at: at - MICROSECOND)),
    Defect("a microsecond after midnight", shifted(lambda at: at + MICROSECOND)),
    Defect("a minute after midnight", shifted(lambda at: at + MINUTE)),
    Defect("no leap day", shifted(lambda at: at + DAY if at == LEAP_DAY else at)),
    Defect("a leap day in the wrong month", shifted(lambda at: at - DAY if at > LEAP_DAY else at)),
    Defect("the year of the newest day", shifted(lambda at: at + 366 * DAY if at < NEW_YEAR else at)),
    Defect("the year begins from nothing", shifted(lambda at: at if at < NEW_YEAR else at - 8 * DAY)),
    Defect("days of 24 hours", _a_step_of(24)),
    Defect("days of 23 hours", _a_step_of(23)),
    Defect("every second day alone", shifted(lambda at: at - DAY if at.day % 2 else at)),
    Defect("the board of now for all days", shifted(lambda at: at + 60 * DAY)),
    Defect("knownAt ignored", _corrected(0)),
    Defect("what was learned later added", _corrected(-1)),
    Defect("what was learned later taken back twice", _corrected(2)),
    Defect("known before, not at", sql("l.recorded_at - interval '1 microsecond'", "l.recorded_at")),
    Defect("late facts without what follows them", sql("1 FOLLOWING AND UNBOUNDED", "2 FOLLOWING AND UNBOUNDED")),
    Defect("known a day later", _known(DAY)),
    Defect("known a day earlier", _known(-DAY)),
    Defect("only open items", kinds(lambda each: None if each.category == "DONE" else kind_of(each))),
    Defect("only items that somebody has", sql(FACT, f"{FACT} AND l.task_id IN (SELECT z.task_id FROM task_ledger z"
        f" WHERE {OF_TENANT} AND z.kind = 7)")),
    Defect("items that somebody has are not counted", sql(FACT, f"{FACT} AND l.task_id NOT IN (SELECT z.task_id FROM"
        f" task_ledger z WHERE {OF_TENANT} AND z.kind = 7)")),
    Defect("at most 100 items", sql(FACT, f"{FACT} AND l.task_id IN (SELECT z.task_id FROM task_ledger z WHERE {OF_TENANT}"
        " GROUP BY z.task_id ORDER BY z.task_id LIMIT 100)")),
    Defect("restores are no facts", sql(KINDS, "(l.kind <= 4)")),
    Defect("transfers are no facts", sql(KINDS, "(l.kind <> 3 AND l.kind <= 5)")),
    Defect("creations are no facts", sql(KINDS, "(l.kind > 1 AND l.kind <= 5)")),
    Defect("whatever is told moves", sql(KINDS, "l.kind <= 8")),
    Defect("the order of recording", sql("ORDER BY l.happened_at, l.seq)", "ORDER BY l.seq)")),
    Defect("the tail in the order of recording", sql("f.item ORDER BY f.happened_at, f.seq)", "f.item ORDER BY f.seq)")),
    Defect("a late fact takes nothing back", sql("h.happened_at > '-infinity'\n", "h.happened_at > '-infinity' AND false\n")),
    Defect("items, not moves", sql("discarded, count(*)\n  FROM fact", "discarded, count(DISTINCT task_id)\n  FROM fact")),
    Defect("first facts alone", sql("WHERE counted GROUP", "WHERE counted AND before_id = 0 GROUP")),
    Defect("archived states lost", kinds(lambda each: None if each.archived else kind_of(each))),
    Defect("archived states not shown", attribute(shown, "by_slug", lambda states: STOCK_SLUG(
        [each for each in states if not each.archived]))),
    Defect("states of later days lost", kinds(lambda each: None if each.slug == "parked" else kind_of(each))),
    Defect("needs_validation ignored", kinds(lambda each: kind_of(replace(each, needs_validation=False)))),
    Defect("needs_validation of all states", kinds(lambda each: kind_of(replace(each, needs_validation=True)))),
    Defect("names for states", kinds(lambda each: None if each.name == "Blocked" else kind_of(each))),
    Defect("one slug, one state", _by_slug_alone()),
    Defect("definitions as of now", _defined(_as_defined_now)),
    Defect("definitions as of the first day", attribute(Frame, "definitions_of", lambda self, piece: self.epochs[0])),
    Defect("a definition of midnight holds for the day before", attribute(Frame, "definitions_of", _in_the_next_piece)),
    Defect("categories as first defined", attribute(Frame, "category_in", _as_first_defined)),
    Defect("the second board skipped", attribute(old_daily_counts, "project_facts", _one_board)),
    Defect("the second board's states skipped", _defined(_states_of_one_board)),
    Defect("rollups without their first rows", sql("x.bucket >= s.start_at", "x.bucket > s.start_at")),
    Defect("rollups with the next row", sql("x.bucket < s.end_at", "x.bucket <= s.end_at")),
    Defect("rollups of every size", sql("AND x.grain = s.grain ", "")),
    Defect("rollups of one board", sql("x.project_id = t.project_id", "x.project_id = (SELECT min(project_id) FROM target)")),
    Defect("labelled by its end", attribute(windows, "between", _labelled)),
    Defect("a day twice", attribute(windows, "between", _doubled)),
    Defect("served until yesterday", attribute(switching, "local_date", _yesterday)),
    Defect("served without its first day", attribute(switching, "dates", lambda **asked: STOCK_DATES(**asked)[1:])),
    Defect("served the other way round", attribute(switching, "dates", lambda **asked: STOCK_DATES(**asked)[::-1])),
    Defect("days in another order", old_counts(lambda rows: rows[::-1])),
    Defect("weekends as on Friday", old_counts(_weekends)),
    Defect("done never falls", old_counts(_never_fewer_done)),
    Defect("the newest day is the one before", old_counts(lambda rows: [*rows[:-1], rows[-2]] if len(rows) > 1 else rows)),
    Defect("null for 0", each_day(lambda row: {key: value or None for key, value in row.items()})),
    Defect("a field lost", each_day(_unless("review"))),
    Defect("a field renamed", each_day(lambda row: {**_unless("review")(row), "in_review": row["review"]})),
    Defect("a field more", each_day(lambda row: {**row, "cancelled": 0})),
    Defect("floats that are off", each_day(lambda row: {key: value and value * 1.0000001 for key, value in row.items()})),
    Defect("shares for counts", each_day(lambda row: {key: value and value / 100 for key, value in row.items()})),
    Defect("review and in progress swapped", each_day(lambda row: {**row, "review": row["in_progress"],
        "in_progress": row["review"]})),
    Defect("true for 1", each_day(lambda row: {key: value == 1 or value for key, value in row.items()})),
    Defect("cancelled as to do", attribute(definitions, "_definition", _uncancelled)),
    Defect("at most 20", each_day(lambda row: {key: value and min(value, 20) for key, value in row.items()})),
    Defect("one item too many", moved(lambda _, rows: [rows[0]._replace(items=rows[0].items + 1), *rows[1:]])),
    Defect("a fact that leads nowhere", moved(lambda _, rows: rows[1:])),
)  # fmt: skip

# Why no figure is another for it.
EQUAL: Mapping[str, Defect] = {
    "A cancelled state has no items on the board, whatever it is taken for.": Defect(
        "cancelled ones as to do", kinds(lambda each: "todo" if each.category == "CANCELLED" else kind_of(each))
    ),
    "A count is never below 0.": Defect(
        "clamped at 0", each_day(lambda row: {key: value and max(value, 0) for key, value in row.items()})
    ),
    "In JSON 3 and 3.0 are one number.": Defect(
        "floats", each_day(lambda row: {key: value and float(value) for key, value in row.items()})
    ),
    "What happens at the window's end belongs to a piece after the last, which nobody adds up.": Defect(
        "the end included", sql(FACT, "l.happened_at <= %(until)s")
    ),
    "Row level security has hidden other tenants' rows already.": Defect(
        "any tenant's facts", both(sql("l.tenant_id = %(tenant)s AND", "TRUE AND"))
    ),
    "A discard is kept with state 0.": Defect(
        "discards by their state", sql("CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END", "l.to_id")
    ),
}
