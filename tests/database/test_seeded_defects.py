"""What the dual run sees: defects put into our side on purpose. All of them, and a thousand clean comparisons, are in the
benchmark `drift_recall`.
"""

from datetime import timedelta

import pytest

from analytics.facts.transitions import TRANSITIONS
from analytics.pure.drift.verdicts import Verdict
from analytics.rollups.compact import owners
from analytics.rollups.fold import fold
from tests.database.loading import seeded
from tests.database.old_counts import FIRST, midnight, scripted
from tests.database.seeded_defects import DAYS, DEFECTS, NOW, Scene, figures_of, scene_of, sees, verdict_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    """Half folded: the other half is in the tail."""
    history = scripted(days=DAYS)
    loaded = seeded(history)
    owner = next(each for each in owners() if each.id == loaded.tenant_id)
    fold(owner=owner, family=TRANSITIONS, now=NOW, most_facts=len(history.facts) // 2, wait=True)
    return scene_of(loaded, history)


def test_defects_are_seen(scene: Scene) -> None:
    """Every defect in the list, at least 95 of 100."""
    honest = figures_of(scene)
    missed = [defect.name for defect in DEFECTS if not sees(scene, defect, honest)]
    assert len(DEFECTS) >= 40
    assert len(missed) <= len(DEFECTS) * 0.05, missed


def test_what_is_right_is_no_alarm(scene: Scene) -> None:
    """Around midnights, the change of clocks among them."""
    moments = [timedelta(0), timedelta(microseconds=-1), timedelta(seconds=1), timedelta(hours=13)]
    asked = [midnight(FIRST + timedelta(days=day)) + moment for day in (1, 13, 14, 20) for moment in moments]
    assert {verdict_of(scene, at=at, days=9) for at in asked} == {Verdict.MATCH}
