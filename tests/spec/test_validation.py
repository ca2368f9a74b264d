"""How long items wait for their validation, by state and by who gave it."""

from datetime import timedelta

import pytest

from tests.oracle.questions import AsOf
from tests.oracle.validation import Waits
from tests.spec.runner import FullEngine, days, loaded, utc

HOUR = timedelta(hours=1)
TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:needs_validation  Done:done
facts
2026-03-01 09:00  -                 WEB-1  created Doing
2026-03-01 12:00  -                 WEB-1  moved Review
2026-03-01 13:00  -                 WEB-1  validated by Ada
2026-03-01 15:00  -                 WEB-1  validated by Grace      # the first counts
2026-03-02 09:00  -                 WEB-1  moved Done
2026-03-01 09:00  -                 WEB-2  created Review
2026-03-02 12:00  2026-03-05 00:00  WEB-2  validated by Grace      # told late
2026-03-02 18:00  -                 WEB-2  moved Doing
2026-03-02 20:00  -                 WEB-2  moved Review            # another visit, another wait
2026-03-01 09:00  -                 WEB-3  created Review
2026-03-02 10:00  -                 WEB-3  moved Done by Linus     # without approval
2026-03-01 09:00  -                 WEB-4  created Doing
2026-03-01 10:00  -                 WEB-4  validated by Ada        # nobody waited for it
"""
OF_ADA = Waits(validated=1, unapproved=0, waiting=0, p50=HOUR, p85=HOUR, total=HOUR)
OF_GRACE = Waits(validated=1, unapproved=0, waiting=0, p50=27 * HOUR, p85=27 * HOUR, total=27 * HOUR)
OF_ALL = Waits(validated=2, unapproved=1, waiting=1, p50=25 * HOUR, p85=27 * HOUR, total=53 * HOUR)


@pytest.mark.parametrize("project", ["WEB", None])
def test_waits_end_with_the_first_validation(full_engine: FullEngine, project: str | None) -> None:
    """P33: nearest rank over those that ended; leaving without approval ends a wait, too."""
    found = loaded(full_engine, TABLE).validation(question=days("2026-03-01", 2, project=project))
    assert found == {("review", None): OF_ALL, ("review", "Ada"): OF_ADA, ("review", "Grace"): OF_GRACE}


def test_a_wait_is_of_the_day_on_which_it_ends(full_engine: FullEngine) -> None:
    """P6: it may have begun before the window, and may last at its end."""
    loaded(full_engine, TABLE)
    first = full_engine.validation(question=days("2026-03-01", 1))
    assert first == {
        ("review", None): Waits(validated=1, unapproved=0, waiting=2, p50=HOUR, p85=HOUR, total=HOUR),
        ("review", "Ada"): OF_ADA,
    }
    assert full_engine.validation(question=days("2026-03-02", 1)) == {
        ("review", None): Waits(validated=1, unapproved=1, waiting=1, p50=25 * HOUR, p85=27 * HOUR, total=52 * HOUR),
        ("review", "Grace"): OF_GRACE,
    }


def test_a_late_validation_was_not_known_before(full_engine: FullEngine) -> None:
    """P56: until then the visit ended unapproved."""
    question = days("2026-03-02", 1, known_at=utc("2026-03-03"))
    assert loaded(full_engine, TABLE).validation(question=question) == {
        ("review", None): Waits(validated=0, unapproved=2, waiting=1, p50=25 * HOUR, p85=33 * HOUR, total=58 * HOUR),
    }


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ("Ada", {("review", None): OF_ADA, ("review", "Ada"): OF_ADA}),
        (
            "Linus",
            {
                ("review", None): Waits(
                    validated=0, unapproved=1, waiting=0, p50=25 * HOUR, p85=25 * HOUR, total=25 * HOUR
                )
            },
        ),
    ],
)
def test_of_an_actor_the_waits_that_the_actor_ended(
    full_engine: FullEngine, actor: str, expected: dict[tuple[str, str | None], Waits]
) -> None:
    """What still waits nobody has ended."""
    question = days("2026-03-01", 2, actor=actor)
    assert loaded(full_engine, TABLE).validation(question=question) == expected


MARKED_LATER = """
project WEB
states  Todo:todo  Review:in_progress  Done:done
define  2026-03-02 00:00  states Todo:todo Review:in_progress:needs_validation Done:done
facts
2026-03-01 09:00  -  WEB-1  created Review
2026-03-03 09:00  -  WEB-1  moved Done
2026-03-02 09:00  -  WEB-2  created Review
"""


@pytest.mark.parametrize(("as_of", "counts"), [(AsOf.THEN, (0, 1)), (AsOf.NOW, (1, 1))])
def test_a_visit_waits_that_began_when_its_state_asked_for_it(
    full_engine: FullEngine, as_of: AsOf, counts: tuple[int, int]
) -> None:
    """P2: a state that asks later makes no wait of the past, unless the definitions of now are asked for."""
    found = loaded(full_engine, MARKED_LATER).validation(question=days("2026-03-01", 3, as_of=as_of))
    of_all = found["review", None]
    assert (of_all.unapproved, of_all.waiting) == counts
