"""Defects put into our side on purpose: those that the plan of the dual run names, and what they are made of.

Others, which nobody named, are in defects_invented.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.engine.reading import coverage as standing_module
from analytics.flow.figures import durations, workflow
from analytics.flow.figures.cumulative_flow import Frame, Movement
from analytics.flow.reading import chart_states as shown
from analytics.flow.reading import source_choice
from analytics.flow.reading.sources import FoldedSource
from analytics.flow.replay import definitions
from analytics.flow.replay import flow as replay
from analytics.pure import bucket_edges as steps
from analytics.pure import windows
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
from tests.drift.old_counts import ZONE

SUMMER = datetime(2025, 3, 30, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _utc(instant: datetime) -> datetime:
    local = instant.astimezone(ZoneInfo(ZONE))
    return datetime(local.year, local.month, local.day, tzinfo=UTC)


def _category(frame: Frame, state: int, piece: int) -> str | None:
    return frame.category_of(state, piece=min(piece, len(frame.epoch_of_piece) - 1)) if state else None


def _between(before: str | None, after: str | None) -> Callable[[Frame, list[Movement]], list[Movement]]:
    def without(frame: Frame, rows: list[Movement]) -> list[Movement]:
        return [
            row
            for row in rows
            if (_category(frame, row.before, row.piece), _category(frame, row.after, row.piece)) != (before, after)
        ]

    return without


def _sunday(self: steps.Calendar, span: Any) -> Any:
    found = STOCK_STEPS(self, span)
    return found if self.days != 7 else replace(found, days=tuple(day - timedelta(days=1) for day in found.days))


STOCK_DEFINITION = definitions._definition
STOCK_STEPS = steps.Calendar.steps
STOCK_LABEL = windows.quarter_label
STOCK_SLUG = workflow.by_slug
STOCK_BETWEEN = windows.between
STOCK_STANDING = standing_module.standing
STOCK_READ = FoldedSource._read
STOCK_KNOWN = Frame.where_known


def _uncancelled(row: Any) -> Any:
    return STOCK_DEFINITION((*row[:4], "DONE" if row[4] == "CANCELLED" else row[4], *row[5:]))


def _erased(frame: Frame, rows: list[Movement]) -> list[Movement]:
    """Whoever goes back never was there: neither the move back nor the one that it takes back."""
    back = {
        row.before: row.items
        for row in rows
        if row.before and row.after and frame.first[row.after].position < frame.first[row.before].position
    }
    return [row for row in rows if row.before not in back or row.after in back]


def _by_name(states: Any) -> Any:
    groups = STOCK_SLUG(states)
    return [*groups, *(group for group in groups if group[0].name == "Blocked")]


def _quarter(*, start: Any, zone: str, fiscal_year_start_month: int) -> str:
    return STOCK_LABEL(start=start, zone=zone, fiscal_year_start_month=fiscal_year_start_month + 1)


def _window(**asked: Any) -> Any:
    found = STOCK_BETWEEN(**asked)
    return replace(found, complete=(True,) * len(found.complete))


def _far(**asked: Any) -> Any:
    return STOCK_BETWEEN(**{**asked, "zone": "America/New_York"})


def _first_missing(**asked: Any) -> Any:
    found = STOCK_BETWEEN(**asked)
    return replace(
        found, start=found.starts[1], starts=found.starts[1:], ends=found.ends[1:], complete=found.complete[1:]
    )


def _no_tail(**asked: Any) -> Any:
    return replace(STOCK_STANDING(**asked), tail_rows=0)


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100 + 1)] if ordered else None


def _doubled(rows: list[Movement]) -> list[Movement]:
    return [row._replace(items=row.items * 2) for row in rows]


PROJECTS = "(%(projects)s::int[] IS NULL OR l.project_id = ANY (%(projects)s))"
WHOLE = attribute(replay.Scope, "_text_of", lambda self, statement: statement.of_tenant)
FACT = "l.happened_at < %(until)s"
ORDER = "ORDER BY l.happened_at, l.seq)"
DISCARDED, COUNTED = "l.kind = 4 AS discarded", "discarded, count(*)\n  FROM fact"
PIECES = "width_bucket(happened_at, %(edges)s::timestamptz[])"

DEFECTS = (
    Defect("a day later", shifted(lambda at: at + DAY)),
    Defect("a day earlier", shifted(lambda at: at - DAY)),
    Defect("UTC for local", shifted(_utc)),
    Defect("the tenant's zone for the project's", shifted(lambda at: at + 6 * HOUR)),
    Defect("another zone than asked", attribute(windows, "between", _far)),
    Defect("the hour of the clock change twice", shifted(lambda at: at + HOUR if at > SUMMER else at)),
    Defect("the hour of the clock change never", shifted(lambda at: at - HOUR if at > SUMMER else at)),
    Defect("a stale cache", shifted(lambda at: at if at < SUMMER else SUMMER)),
    Defect("the last minute of a day lost", shifted(lambda at: at - timedelta(minutes=1))),
    Defect("cancelled as done", attribute(definitions, "_definition", _uncancelled)),
    Defect("review as in progress", kinds(lambda each: "in_progress" if kind_of(each) == "review" else kind_of(each))),
    Defect("waiting not counted", kinds(lambda each: None if each.waiting else kind_of(each))),
    Defect("waiting as review", kinds(lambda each: "review" if each.waiting else kind_of(each))),
    Defect("archived as cancelled, to do as nothing", kinds(lambda each: None if each.category == "TODO" else kind_of(each))),
    Defect("every state with a limit", kinds(lambda each: None if each.position > 3 else kind_of(each))),
    Defect("a wrong opening balance", moved(lambda _, rows: [row for row in rows if row.piece])),
    Defect("an opening balance twice", moved(lambda _, rows: [*rows, *(row for row in rows if not row.piece)])),
    Defect("a double join", moved(lambda _, rows: _doubled(rows))),
    Defect("the last piece lost", moved(lambda _, rows: [row for row in rows if row.piece < max(r.piece for r in rows)])),
    Defect("backward moves ignored", moved(_between("IN_PROGRESS", "TODO"))),
    Defect("reopened items lost", moved(_between("DONE", "IN_PROGRESS"))),
    Defect("finishing ignored", moved(_between("IN_PROGRESS", "DONE"))),
    Defect("discards ignored", moved(lambda _, rows: [row for row in rows if not row.discarded])),
    Defect("restored items lost", moved(lambda _, rows: [row for row in rows if row.before or row.items < 2])),
    Defect("counted once a day at most", moved(lambda _, rows: [row._replace(items=1) for row in rows])),
    Defect("backward moves erase", moved(_erased)),
    Defect("another tenant's filter", sql("l.tenant_id = %(tenant)s", "l.tenant_id = %(tenant)s + 1")),
    Defect("restores and discards are no facts", sql("l.kind <= 5", "l.kind <= 3")),
    Defect("moves alone", sql("l.kind <= 5", "l.kind <= 2")),
    Defect("discarded items removed from the past", sql(FACT, f"{FACT} AND l.task_id NOT IN (SELECT z.task_id FROM"
        " task_ledger z WHERE z.tenant_id = %(tenant)s AND z.kind = 4)")),
    Defect("late facts ignored", sql(FACT, f"{FACT} AND l.recorded_at < l.happened_at + interval '1 hour'")),
    Defect("late facts twice", both(sql(DISCARDED, f"{DISCARDED}, l.recorded_at > l.happened_at + interval '1 hour' AS late"),
        sql(COUNTED, "discarded, sum(CASE WHEN late THEN 2 ELSE 1 END)\n  FROM fact"))),
    Defect("facts as they were recorded", sql(ORDER, "ORDER BY l.recorded_at, l.seq)")),
    Defect("equal instants reversed", sql(ORDER, "ORDER BY l.happened_at, l.seq DESC)")),
    Defect("bounds closed", sql(PIECES, "width_bucket(happened_at - interval '1 microsecond', %(edges)s::timestamptz[])")),
    Defect("what was known is what is known", sql("l.recorded_at <= %(known_at)s", "TRUE")),
    Defect("no state before", sql("lag(CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END, 1, 0) OVER history", "l.from_id")),
    Defect("a dropped filter", both(WHOLE, sql(PROJECTS, "TRUE"))),
    Defect("transfers twice", attribute(FoldedSource, "_counted_in", None)),
    Defect("the tail ignored", attribute(source_choice, "standing", _no_tail)),
    Defect("the tail twice", sql("m.after_id, 1 AS facts", "m.after_id, 2 AS facts")),
    Defect("rollups and tail twice", attribute(FoldedSource, "_read", lambda self, targets: STOCK_READ(self, targets) * 2)),
    Defect("null as 0", attribute(Frame, "where_known", lambda self, values: [each or 0 for each in values])),
    Defect("unknown buckets lost", attribute(Frame, "where_known", lambda self, values: [
        each for each in STOCK_KNOWN(self, values) if each is not None])),
    Defect("a renamed state in two", attribute(shown, "by_slug", _by_name)),
    Defect("states in another order", attribute(shown, "by_slug", lambda states: STOCK_SLUG(states)[::-1])),
    Defect("weeks begin on Sunday", attribute(steps.Calendar, "steps", _sunday)),
    Defect("the fiscal quarter shifted", attribute(windows, "quarter_label", _quarter)),
    Defect("another percentile", attribute(durations, "percentile", _percentile)),
    Defect("the last bucket complete", attribute(windows, "between", _window)),
    Defect("the first bucket missing", attribute(windows, "between", _first_missing)),
    Defect("rounded", each_day(lambda row: {k: v and round(v, -1) for k, v in row.items()})),
    Defect("a truncated list", old_counts(lambda rows: rows[:-1])),
    Defect("keys swapped", each_day(lambda row: {**row, "todo": row["done"], "done": row["todo"]})),
    Defect("an integer overflows", each_day(lambda row: {k: v and v % 16 for k, v in row.items()})),
    Defect("numbers as texts", each_day(lambda row: {k: str(v) for k, v in row.items()})),
    Defect("zero for one", each_day(lambda row: {k: 0 if v == 1 else v for k, v in row.items()})),
)  # fmt: skip

# In the words of the plan, and which of the above it is.
NAMED = {
    "off-by-one day": "a day later",
    "UTC for local": "UTC for local",
    "tenant zone for project zone": "another zone than asked",
    "DST hour twice": "the hour of the clock change twice",
    "DST hour never": "the hour of the clock change never",
    "lost null bucket": "unknown buckets lost",
    "null as 0": "null as 0",
    "double join": "a double join",
    "dropped filter": "a dropped filter",
    "other tenant's filter": "another tenant's filter",
    "late event ignored": "late facts ignored",
    "late event double": "late facts twice",
    "tail ignored": "the tail ignored",
    "tail double": "the tail twice",
    "stale cache": "a stale cache",
    "wrong opening balance": "a wrong opening balance",
    "backward move ignored": "backward moves ignored",
    "backward move erasing": "backward moves erase",
    "reopened item lost": "reopened items lost",
    "discarded item removed from the past": "discarded items removed from the past",
    "transfer counted twice": "transfers twice",
    "renamed state split": "a renamed state in two",
    "reordered states": "states in another order",
    "cancelled as done": "cancelled as done",
    "equal timestamps reversed": "equal instants reversed",
    "half-open bound closed": "bounds closed",
    "week starting Sunday": "weeks begin on Sunday",
    "fiscal quarter shifted": "the fiscal quarter shifted",
    "percentile method changed": "another percentile",
    "rounding": "rounded",
    "truncated list": "a truncated list",
    "sorted keys swapped": "keys swapped",
    "last bucket complete": "the last bucket complete",
    "first bucket missing": "the first bucket missing",
    "integer overflow": "an integer overflows",
}
