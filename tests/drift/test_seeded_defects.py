"""What the dual run sees: defects put into our side on purpose. Clean comparisons are in test_clean_comparisons.py."""

from collections.abc import Sequence

import pytest

from analytics.drift.arithmetic.verdicts import Verdict
from tests.drift.defect_patches import Defect
from tests.drift.defects_invented import EQUAL, INVENTED
from tests.drift.scene import Seen, Watched, compared, watched
from tests.drift.seeded_defects import DEFECTS, NAMED


@pytest.fixture
def scenes(db: None) -> Watched:
    """Three tenants, half folded: the other half is in the tail."""
    found = watched()
    assert {compared(scene).finding.verdict for scene in found.scenes} == {Verdict.MATCH}
    return found


@pytest.mark.parametrize(("defects", "by_counts"), [(DEFECTS, 38), (INVENTED, 54)], ids=["named", "invented"])
def test_every_defect_is_seen(scenes: Watched, defects: Sequence[Defect], by_counts: int) -> None:
    """Most by the old counts, as a tenant's dual run has them. None shows by an error alone, so each changes a figure."""
    found = {defect.name: scenes.seen(defect.patched) for defect in defects}
    assert [name for name, seen in found.items() if seen < Seen.BY_FIGURES] == []
    others = [name for name, seen in found.items() if seen is not Seen.BY_COUNTS]
    assert len(found) - len(others) >= by_counts, others


def test_the_plan_is_all_there() -> None:
    """Each of its defects by its own words; each defect has a name of its own."""
    names = [defect.name for defect in (*DEFECTS, *INVENTED)]
    assert len(set(names)) == len(names) >= 110
    assert set(NAMED.values()) <= set(names)
    assert len(set(NAMED.values())) == len(NAMED) == 35


def test_what_changes_no_figure_cannot_be_seen(scenes: Watched) -> None:
    """Equal answers are equal: these are no defects of the answers, whatever they are of the code."""
    honest = scenes.told()
    for why, defect in EQUAL.items():
        with defect.patched():
            assert scenes.told() == honest, (defect.name, why)
        assert scenes.seen(defect.patched) is Seen.NOT, defect.name
