"""Defects put into our side on purpose, and how it is found out whether a comparison sees them.

Each is a patch: of the text of a statement, of the movements that figures are counted from, of a function, or of the finished
figures. It is put into the running product for one comparison. The older side is tests.database.old_counts for the old
counts; for all other figures it is what was answered before the patch.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from analytics.drift import flow_counts
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.experiment import Comparison, Question, compare
from analytics.pure import durations, flow, steps, windows, workflow
from analytics.pure.drift import comparing
from analytics.pure.drift.comparing import Exact, Fields, Keyed, Listed
from analytics.pure.drift.verdicts import Verdict, judged
from analytics.pure.flow import Frame, Movement
from analytics.pure.windows import Bucket
from analytics.replay import definitions
from analytics.replay import flow as replay
from analytics.replay.definitions import boards
from analytics.windows import flow as reading_module
from analytics.windows import shown
from analytics.windows import standing as standing_module
from analytics.windows.figures import FlowMode
from analytics.windows.flow import FlowReading
from analytics.windows.sources import FoldedSource, ReadFrom
from tasks_app.models import Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.database.loading import Loaded
from tests.database.old_counts import FIRST, ZONE, OldSystem, days_from, midnight

DAYS = 21
NOW = midnight(FIRST + timedelta(days=DAYS)) + timedelta(hours=9)
SEEN = (Verdict.DRIFT, Verdict.CANDIDATE_ERROR)
FLOW = DECLARED[Capability.CUMULATIVE_FLOW]
Patch = Callable[[], AbstractContextManager[Any]]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """A tenant with a scripted history of which a part is folded, and the older system beside it."""

    loaded: Loaded
    old: OldSystem


@dataclass(frozen=True)
class Defect:
    """One patch."""

    name: str
    patched: Patch


def scene_of(loaded: Loaded, history: Any, *, first: date = FIRST, zone: str = ZONE) -> Scene:
    """The scene of a history that is in the database."""
    slug = Tenant.objects.get(id=loaded.tenant_id).slug
    return Scene(loaded, OldSystem(history=history, slug=slug, zone=zone, first=first))


def verdict_of(scene: Scene, *, at: datetime = NOW, days: int = DAYS, chance: int = 1, now: datetime = NOW) -> Verdict:
    """Of the old counts, compared as the product compares them."""
    return compared(scene, at=at, days=days, chance=chance, now=now).finding.verdict


def compared(scene: Scene, *, at: datetime = NOW, days: int = DAYS, chance: int = 1, now: datetime = NOW) -> Comparison:
    """The comparison that the verdict is of."""
    question = Question(
        tenant_id=scene.loaded.tenant_id,
        slug=scene.old.slug,
        zone=scene.old.zone,
        days=days,
        asked_at=at,
        stage="SHADOW",
        flag_version=1,
        stratum="",
    )
    return compare(declaration=FLOW, control=scene.old, question=question, chance=Random(chance), now=now)


# ------------------------------------------------------------------ all other figures


def figures_of(scene: Scene) -> Figures:
    """What the product says of the tenant and of WEB, day by day, and of its weeks and fiscal quarters."""
    with entered(tenant_id=scene.loaded.tenant_id, role=DatabaseRole.WORKER, read_only=True):
        found: Figures = {
            "all": _of(scene, None, ReadFrom.MERGED, Bucket.DAY),
            "WEB": _of(scene, "WEB", ReadFrom.RAW, Bucket.DAY),
            "weeks": _of(scene, "WEB", ReadFrom.MERGED, Bucket.WEEK),
            "known": _of(scene, None, ReadFrom.RAW, Bucket.DAY, known_at=midnight(FIRST + timedelta(days=DAYS // 2))),
        }
    found["quarters"] = [
        windows.quarter_label(start=midnight(day), zone=ZONE, fiscal_year_start_month=4) for day in days_from(FIRST, 21)
    ]
    plain: Figures = json.loads(json.dumps(found, default=str))
    return plain


def _of(
    scene: Scene, key: str | None, read_from: ReadFrom, bucket: Bucket, known_at: datetime | None = None
) -> Figures:
    tenant_id = scene.loaded.tenant_id
    window = windows.between(
        start=midnight(FIRST) - timedelta(days=3),
        end=midnight(FIRST + timedelta(days=DAYS + 1)),
        zone=ZONE,
        bucket=bucket,
        now=NOW,
    )
    reading = FlowReading(
        tenant_id=tenant_id,
        boards=boards(tenant_id=tenant_id, key=key, known_at=known_at),
        whole_tenant=key is None,
        window=window,
        known_at=known_at,
        as_defined_now=False,
        now=NOW,
        read_from=read_from,
    )
    occupancy = reading.cumulative_flow(mode=FlowMode.OCCUPANCY)
    lines = reading.cumulative_flow(mode=FlowMode.CUMULATIVE)
    cycle = reading.durations.cycle_time(policy=durations.Policy.FIRST_START_LAST_FINISH, start=None, finish=None)
    return {
        "starts": [each.isoformat() for each in window.starts],
        "complete": list(window.complete),
        "occupancy": _series(occupancy.series),
        "lines": _series(lines.series),
        "arrivals": list(occupancy.arrivals),
        "departures": list(occupancy.departures),
        "discarded": list(occupancy.discarded),
        "progress": list(reading.work_in_progress()),
        "throughput": asdict(reading.throughput()),
        "corrections": len(lines.correction_windows),
        "edges": [
            [each.before and each.before.slug, each.after and each.after.slug, each.count]
            for each in reading.transitions()
        ],
        "p85": cycle.percentile(85),
        "p50": cycle.percentile(50),
        "mean": cycle.mean,
    }


def _series(series: Sequence[Any]) -> list[Figures]:
    return [{"slug": each.state.slug, "name": each.state.name, "counts": list(each.counts)} for each in series]


def verdict_of_figures(scene: Scene, honest: Figures) -> Verdict:
    """Of all other figures, against what they were without the patch."""
    try:
        ours = figures_of(scene)
    except Exception:
        return Verdict.CANDIDATE_ERROR
    return judged(comparing.compare(ours=ours, theirs=honest, by=_shape(honest)), rules=[], at=NOW).verdict


def _shape(value: Any) -> comparing.Comparator:
    """A comparator for exactly this shape."""
    if isinstance(value, dict):
        return Fields({name: _shape(each) for name, each in value.items()})
    if isinstance(value, list):
        return Keyed("slug", _shape(value[0])) if value and isinstance(value[0], dict) else Listed(_Any())
    return Exact()


@dataclass(frozen=True)
class _Any:
    """Whatever it is, as it is."""

    def differences(self, ours: Any, theirs: Any, place: comparing.Place, /) -> Iterator[comparing.Difference]:
        """See Comparator."""
        yield from (_shape(theirs) if isinstance(theirs, list) else Exact()).differences(ours, theirs, place)


def sees(scene: Scene, defect: Defect, honest: Figures) -> bool:
    """Whether a comparison under the defect says so."""
    with defect.patched():
        return (
            verdict_of(scene) in SEEN or verdict_of(scene, days=7) in SEEN or verdict_of_figures(scene, honest) in SEEN
        )


# ------------------------------------------------------------------ the kinds of patches


def sql(find: str, put: str) -> Patch:
    """Another text wherever the statements have that one."""

    def edited(execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        return execute(text.replace(find, put), params, many, context)

    return lambda: connection.execute_wrapper(edited)


def attribute(owner: Any, name: str, value: Any) -> Patch:
    """Another function, property or value."""

    @contextmanager
    def put() -> Iterator[None]:
        stock = vars(owner)[name]
        setattr(owner, name, value)
        try:
            yield
        finally:
            setattr(owner, name, stock)

    return put


def both(*patches: Patch) -> Patch:
    """Several at once."""

    @contextmanager
    def all_of_them() -> Iterator[None]:
        with ExitStack() as stack:
            for each in patches:
                stack.enter_context(each())
            yield

    return all_of_them


def moved(edit: Callable[[Frame, list[Movement]], list[Movement]]) -> Patch:
    """Other movements."""
    stock = flow.count

    def count(*, frame: Frame, movements: Sequence[Movement]) -> flow.Counts:
        return stock(frame=frame, movements=edit(frame, list(movements)))

    return attribute(flow, "count", count)


def shifted(shift: Callable[[datetime], datetime]) -> Patch:
    """The old counts as of other instants than those that were asked for."""
    stock = flow_counts._counted

    def counted(*, instants: Sequence[datetime], **asked: Any) -> Any:
        found = stock(instants=sorted({shift(each) for each in instants}), **asked)
        return {each: found[shift(each)] for each in instants}

    return attribute(flow_counts, "_counted", counted)


def kinds(change: Callable[[Any], str | None]) -> Patch:
    """The old counts take states for something else."""
    return attribute(flow_counts, "kind_of", change)


def old_counts(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Patch:
    """The old counts, changed as a list in the order of their days."""
    stock = FLOW.counted

    def counted(**asked: Any) -> dict[str, Any]:
        found = stock(**asked)
        keys = sorted(found)
        changed = change([dict(found[key]) for key in keys])
        return dict(zip(keys, changed, strict=False))

    return attribute(sys.modules[__name__], "FLOW", replace(FLOW, counted=counted))


# ------------------------------------------------------------------ the defects

SUMMER = datetime(2025, 3, 30, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
kind_of = flow_counts.kind_of


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


PROJECTS = "(%(projects)s::int[] IS NULL OR project_id = ANY (%(projects)s))"
WHOLE = attribute(replay.Scope, "_text_of", lambda self, statement: statement.of_tenant)
FACT = "l.happened_at < %(until)s"
ORDER = "ORDER BY l.happened_at, l.seq)"
PIECES = "width_bucket(happened_at, %(edges)s::timestamptz[])"

DEFECTS = (
    Defect("a day later", shifted(lambda at: at + DAY)),
    Defect("a day earlier", shifted(lambda at: at - DAY)),
    Defect("UTC for local", shifted(_utc)),
    Defect("the tenant's zone for the project's", shifted(lambda at: at + 6 * HOUR)),
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
    Defect("facts as they were recorded", sql(ORDER, "ORDER BY l.recorded_at, l.seq)")),
    Defect("equal instants reversed", sql(ORDER, "ORDER BY l.happened_at, l.seq DESC)")),
    Defect("bounds closed", sql(PIECES, "width_bucket(happened_at - interval '1 microsecond', %(edges)s::timestamptz[])")),
    Defect("what was known is what is known", sql("l.recorded_at <= %(known_at)s", "TRUE")),
    Defect("no state before", sql("lag(CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END, 1, 0) OVER history", "l.from_id")),
    Defect("a dropped filter", both(WHOLE, sql(PROJECTS, "TRUE"))),
    Defect("transfers twice", attribute(FoldedSource, "_counted_in", None)),
    Defect("the tail ignored", attribute(reading_module, "standing", _no_tail)),
    Defect("the tail twice", attribute(FoldedSource, "_read", lambda self, targets: STOCK_READ(self, targets) * 2)),
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
    Defect("rounded", old_counts(lambda rows: [{k: v and round(v, -1) for k, v in row.items()} for row in rows])),
    Defect("a truncated list", old_counts(lambda rows: rows[:-1])),
    Defect("keys swapped", old_counts(lambda rows: [{**row, "todo": row["done"], "done": row["todo"]} for row in rows])),
    Defect("an integer overflows", old_counts(lambda rows: [{k: v and v % 16 for k, v in row.items()} for row in rows])),
    Defect("decimals", old_counts(lambda rows: [{k: str(v) for k, v in row.items()} for row in rows])),
    Defect("zero for one", old_counts(lambda rows: [{k: 0 if v == 1 else v for k, v in row.items()} for row in rows])),
)  # fmt: skip
