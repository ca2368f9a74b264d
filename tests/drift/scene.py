"""A tenant with a scripted history, and the two ways in which a defect in our side of it is looked for.

The old counts are compared as the product compares them, with an older side that is nobody's code but the test's. All other
figures are compared with what they were without the defect.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from random import Random
from typing import Any

from analytics.drift.arithmetic import comparing
from analytics.drift.arithmetic.comparing import Exact, Fields, Keyed, Listed
from analytics.drift.arithmetic.verdicts import Verdict, judged
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.experiment import Comparison, Question, compare
from analytics.engine.projects import project_facts
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.fold import fold
from analytics.flow.family import TRANSITIONS
from analytics.flow.figures import durations
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.legacy.midnight import Organisation
from analytics.pure import windows
from analytics.pure.windows import Bucket
from analytics.switching import counted_flow
from tasks_app.models import Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.drift.eventful_history import eventful
from tests.drift.old_counts import FIRST, ZONE, OldSystem, days_from, midnight, scripted
from tests.flow.loading import Loaded, seeded
from tests.oracle.facts import History

DAYS = 21
FLOW = DECLARED[Capability.CUMULATIVE_FLOW]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """A tenant with a scripted history of which a part is folded, and the older system beside it."""

    loaded: Loaded
    old: OldSystem

    @property
    def now(self) -> datetime:
        """Nine hours after the last of its days."""
        return midnight(self.old.first + timedelta(days=DAYS), self.old.zone) + timedelta(hours=9)

    @property
    def middle(self) -> datetime:
        """When half of its days are over."""
        return midnight(self.old.first + timedelta(days=DAYS // 2), self.old.zone)


def scene_of(loaded: Loaded, history: History, *, first: date = FIRST, zone: str = ZONE) -> Scene:
    """The scene of a history that is in the database."""
    slug = Tenant.objects.get(id=loaded.tenant_id).slug
    return Scene(loaded, OldSystem(history=history, slug=slug, zone=zone, first=first))


def scenes() -> list[Scene]:
    """Three, half folded: the other half is in the tail. The change of clocks; a leap day; a new year."""
    plain = scripted(days=DAYS)
    leap, year = date(2024, 2, 19), date(2024, 12, 23)
    return [
        _half_folded(plain, FIRST),
        *(_half_folded(eventful(first=first, days=DAYS), first) for first in (leap, year)),
    ]


def _half_folded(history: History, first: date) -> Scene:
    loaded = seeded(history)
    made = scene_of(loaded, history, first=first)
    owner = next(each for each in owners() if each.id == loaded.tenant_id)
    fold(owner=owner, family=TRANSITIONS, now=made.now, most_facts=len(history.facts) // 2, wait=True)
    return made


def compared(
    scene: Scene, *, at: datetime | None = None, days: int = DAYS, chance: int = 1, now: datetime | None = None
) -> Comparison:
    """The old counts, compared as the product compares them."""
    question = Question(
        tenant_id=scene.loaded.tenant_id,
        slug=scene.old.slug,
        zone=scene.old.zone,
        days=days,
        asked_at=at or scene.now,
        stage="SHADOW",
        flag_version=1,
        stratum="",
    )
    return compare(declaration=FLOW, control=scene.old, question=question, chance=Random(chance), now=now or scene.now)


# ------------------------------------------------------------------ all other figures


def figures_of(scene: Scene) -> Figures:
    """What the product says of the tenant and of WEB, day by day, and of its weeks and fiscal quarters."""
    with entered(tenant_id=scene.loaded.tenant_id, role=DatabaseRole.WORKER, read_only=True):
        found: Figures = {
            "all": _of(scene, None, ReadFrom.MERGED, Bucket.DAY),
            "WEB": _of(scene, "WEB", ReadFrom.RAW, Bucket.DAY),
            "weeks": _of(scene, "WEB", ReadFrom.MERGED, Bucket.WEEK),
            "served": counted_flow(tenant=_tenant(scene), days=DAYS, now=scene.now)["days"],
            "known": _of(scene, None, ReadFrom.RAW, Bucket.DAY, known_at=scene.middle),
        }
    found["quarters"] = [
        windows.quarter_label(start=midnight(day), zone=ZONE, fiscal_year_start_month=4)
        for day in days_from(scene.old.first, DAYS)
    ]
    plain: Figures = json.loads(json.dumps(found, default=str))
    return plain


def _tenant(scene: Scene) -> Organisation:
    return Organisation(id=scene.loaded.tenant_id, slug=scene.old.slug, timezone=scene.old.zone)


def _of(
    scene: Scene, key: str | None, read_from: ReadFrom, bucket: Bucket, known_at: datetime | None = None
) -> Figures:
    tenant_id, first = scene.loaded.tenant_id, scene.old.first
    window = windows.between(
        start=midnight(first) - timedelta(days=3),
        end=midnight(first + timedelta(days=DAYS + 1)),
        zone=ZONE,
        bucket=bucket,
        now=scene.now,
    )
    reading = FlowReading(
        question=FlowQuestion(tenant_id=tenant_id, window=window, now=scene.now, whole_tenant=key is None),
        boards=project_facts(tenant_id=tenant_id, key=key, known_at=known_at),
        knowledge=Knowledge(known_at=known_at),
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


class Seen(IntEnum):
    """How a defect shows. BY_COUNTS: the old counts drift. BY_FIGURES: only other figures do. BY_ERROR: it only raises."""

    NOT = 0
    BY_ERROR = 1
    BY_FIGURES = 2
    BY_COUNTS = 3


@dataclass(frozen=True)
class Watched:
    """Scenes, and what their figures are without any defect."""

    scenes: Sequence[Scene]
    honest: Sequence[Figures]

    def seen(self, patched: Callable[[], AbstractContextManager[Any]]) -> Seen:
        """The plainest way in which a defect shows in any of the scenes."""
        found = Seen.NOT
        with patched():
            for scene, honest in zip(self.scenes, self.honest, strict=True):
                found = max(found, _by_counts(scene))
                if found is Seen.BY_COUNTS:
                    break
                found = max(found, _by_figures(scene, honest))
        return found

    def told(self) -> list[tuple[Any, Figures]]:
        """All that is compared, of each scene: the findings of the old counts, and the other figures."""
        return [(dict(compared(scene).figures), figures_of(scene)) for scene in self.scenes]


def watched() -> Watched:
    """The three scenes."""
    found = scenes()
    return Watched(found, [figures_of(scene) for scene in found])


def _by_counts(scene: Scene) -> Seen:
    # Fewer days are read from other rows of the rollups.
    return max(WAYS.get(compared(scene, days=days).finding.verdict, Seen.NOT) for days in (DAYS, 7))


WAYS = {Verdict.DRIFT: Seen.BY_COUNTS, Verdict.CANDIDATE_ERROR: Seen.BY_ERROR}


def _by_figures(scene: Scene, honest: Figures) -> Seen:
    try:
        ours = figures_of(scene)
    except Exception:
        return Seen.BY_ERROR
    found = judged(comparing.compare(ours=ours, theirs=honest, by=_shape(honest)), rules=[], at=scene.now)
    return Seen.BY_FIGURES if found.verdict is Verdict.DRIFT else Seen.NOT


def _shape(value: Any) -> comparing.Comparator:
    """A comparator for exactly this shape."""
    if isinstance(value, dict):
        return Fields({name: _shape(each) for name, each in value.items()})
    if isinstance(value, list):
        return (
            Keyed("slug" if "slug" in value[0] else "date", _shape(value[0]))
            if value and isinstance(value[0], dict)
            else Listed(_Any())
        )
    return Exact()


@dataclass(frozen=True)
class _Any:
    """Whatever it is, as it is."""

    def differences(self, ours: Any, theirs: Any, place: comparing.Place, /) -> Iterator[comparing.Difference]:
        """See Comparator."""
        yield from (_shape(theirs) if isinstance(theirs, list) else Exact()).differences(ours, theirs, place)
