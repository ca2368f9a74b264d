"""What is right is no alarm, wherever the clock is and whoever writes meanwhile. A thousand of them are in `drift_recall`."""

import pytest

from analytics.pure.drift.verdicts import Verdict
from tests.database.clean_comparisons import PLACES, clean, written_to
from tests.database.drift_scene import compared

DAYS_ASKED = 12


@pytest.mark.django_db
@pytest.mark.parametrize("name", PLACES)
def test_no_clock_is_an_alarm(name: str) -> None:
    """P50: about the midnights and the changes of the clock, midnights that never were and days that never were."""
    made = clean(name, folded=0.5)
    for number, at in enumerate(made.moments()[::5]):
        found = compared(made.scene, at=at, days=DAYS_ASKED, chance=number, now=made.now)
        assert found.finding.verdict is Verdict.MATCH, (at, found.finding.reason)


@pytest.mark.django_db(transaction=True)
def test_who_writes_meanwhile_is_no_alarm() -> None:
    """Late facts, moves and folding between any two statements of a comparison."""
    made = clean("spring", folded=0.5)
    with written_to(made) as writing:
        for number, at in enumerate(made.moments()[::5]):
            found = compared(made.scene, at=at, days=DAYS_ASKED, chance=number, now=made.now)
            assert found.finding.verdict is Verdict.MATCH, (at, found.finding.reason)
    assert writing.committed > 10
