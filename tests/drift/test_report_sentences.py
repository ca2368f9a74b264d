"""Sentences of the dual run: each is made from what was found, and says no more than that."""

from datetime import date, timedelta

import pytest

from analytics.drift.arithmetic.comparing import Kind
from analytics.drift.arithmetic.report_sentences import (
    Night,
    Restatement,
    assumed_sentence,
    comparisons_of,
    drift_sentence,
    late_sentence,
    slept_sentence,
    whole_sentence,
)

FIRST = date(2026, 10, 12)
VALUE = frozenset({Kind.VALUE})


def day(number: int) -> date:
    """The dates from FIRST on."""
    return FIRST + timedelta(days=number)


def invented(number: int, *, changes: int | None = 5, **gains: int) -> Night:
    """Made up from the board of the 15th."""
    return Night(day=day(number), gains=gains, kinds=VALUE, board_of=day(3), changes=changes)


def test_invented_nights_are_told_with_the_board_that_they_repeat() -> None:
    """The furthest off of each field is told; where all nights are alike it is no `up to`."""
    nights = [invented(0, todo=-4, done=2), invented(1, todo=-1, done=2), invented(2, todo=1, in_progress=3, changes=7)]
    assert drift_sentence(nights, boards={}) == (
        "3 nights from 2026-10-12 to 2026-10-14 were invented: each repeats the board of 2026-10-15 (up to 4 todo too few,"
        " 2 done too many, 3 in progress too many); the ledger has 17 changes in the days that ended with them."
    )
    alike = [invented(0, todo=-1, changes=0), invented(1, todo=-1, changes=1)]
    assert drift_sentence(alike, boards={}) == (
        "2 nights from 2026-10-12 to 2026-10-13 were invented: each repeats the board of 2026-10-15 (1 todo too few);"
        " the ledger has 1 change in the days that ended with them."
    )


def test_one_night_and_a_night_of_which_nobody_counted_the_changes() -> None:
    assert drift_sentence([invented(0, done=1_200, changes=0)], boards={}) == (
        "The night of 2026-10-12 was invented: it repeats the board of 2026-10-15 (1,200 done too many);"
        " the ledger has no change in the day that ended with it."
    )
    assert drift_sentence([invented(0, changes=None), invented(1, changes=3)], boards={}) == (
        "2 nights from 2026-10-12 to 2026-10-13 were invented: each repeats the board of 2026-10-15."
    )


STALE = {"todo": 3, "done": 9}
OTHER = {"todo": 4, "done": 9}


@pytest.mark.parametrize(
    ("boards", "what"),
    [
        ({day(-3): STALE, day(-1): STALE, day(5): STALE}, "repeat the board of 2026-10-11"),
        ({day(-1): OTHER, day(4): STALE, day(5): STALE}, "repeat the board of 2026-10-16"),
        ({day(-1): OTHER}, "show one and the same board"),
    ],
    ids=["the last one before", "a later one", "of nowhere"],
)
def test_a_board_that_was_repeated_is_found_by_its_numbers(boards: dict[date, dict[str, int]], what: str) -> None:
    """The older side does not say that it made anything up."""
    nights = [
        Night(day=day(number), gains={"todo": -gain}, kinds=VALUE, theirs=STALE, changes=2)
        for number, gain in ((0, 1), (1, 2))
    ]
    assert drift_sentence(nights, boards=boards) == (
        f"2 nights from 2026-10-12 to 2026-10-13 {what} (up to 2 todo too few); the ledger has 4 changes in the days that"
        " ended with them."
    )


def test_one_night_of_its_own_repeats_nothing() -> None:
    night = Night(day=day(0), gains={"todo": 2}, kinds=VALUE, theirs=STALE)
    assert drift_sentence([night], boards={day(-1): OTHER}) == (
        "The night of 2026-10-12 differs from the ledger: the older side has 2 todo too many."
    )
    assert drift_sentence([night], boards={day(-1): STALE}) == (
        "The night of 2026-10-12 repeats the board of 2026-10-11 (2 todo too many)."
    )


def test_other_kinds_of_differences_and_scattered_nights() -> None:
    """null and a number, what is missing; numbers and something else at once."""
    strange = [
        Night(day=day(0), gains={"done": 1}, kinds=VALUE | {Kind.NULL}),
        Night(day=day(4), kinds=frozenset({Kind.MISSING})),
    ]
    assert drift_sentence(strange, boards={}) == (
        "2 nights (2026-10-12, 2026-10-16) differ from the ledger: the older side has up to 1 done too many and has a"
        " number where ours has none, or none where ours has one and has something that ours lacks."
    )
    many = [Night(day=day(2 * number), kinds=frozenset({Kind.EXTRA})) for number in range(7)]
    assert drift_sentence(many, boards={}) == (
        "7 nights between 2026-10-12 and 2026-10-24 differ from the ledger: the older side lacks something that ours has."
    )


def test_two_origins_are_one_sentence() -> None:
    nights = [Night(day=day(9), gains={"todo": 1}, kinds=VALUE), invented(0, todo=-1, changes=2)]
    assert drift_sentence(nights, boards={}) == (
        "The night of 2026-10-12 was invented: it repeats the board of 2026-10-15 (1 todo too few); the ledger has 2"
        " changes in the day that ended with it; the night of 2026-10-21 differs from the ledger: the older side has 1"
        " todo too many."
    )


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_difference_has_words(kind: Kind) -> None:
    said = drift_sentence([Night(day=day(0), kinds=frozenset({kind}))], boards={})
    assert said.startswith("The night of 2026-10-12 differs from the ledger: the older side ")
    assert len(said.split(": the older side ")[1]) > 10


def test_answers_that_differ_as_a_whole() -> None:
    assert whole_sentence([Kind.DOUBLE, Kind.ORDER]) == (
        "The answers differ as a whole: the older side has another order and has one of them twice."
    )


def test_nights_that_were_slept_through() -> None:
    assert slept_sentence([Night(day=day(0), changes=3), Night(day=day(1), changes=4)], filled=False) == (
        "2 nights from 2026-10-12 to 2026-10-13 were slept through: the older side has nothing for them;"
        " the ledger has 7 changes in the days that ended with them."
    )
    assert slept_sentence([Night(day=day(0))], filled=False) == (
        "The night of 2026-10-12 was slept through: the older side has nothing for it."
    )
    assert slept_sentence([Night(day=day(0))], filled=True) == (
        "The night of 2026-10-12 was slept through, and filled in later."
    )


def test_cut_offs_that_nobody_told() -> None:
    assert assumed_sentence(assumed=12, of=1_040) == (
        "12 of 1,040 conclusive comparisons assume when the older side counted, which does not say so: they open no gate."
    )
    assert assumed_sentence(assumed=1, of=1) == (
        "1 of 1 conclusive comparisons assumes when the older side counted, which does not say so: it opens no gate."
    )


def test_late_facts_are_no_drift() -> None:
    restated = [Restatement(day=day(1), gains={"done": 1}), Restatement(day=day(0), gains={"done": 2, "todo": -1})]
    assert late_sentence(restated) == (
        "2 nights from 2026-10-12 to 2026-10-13 were counted as the ledger was then, and have other figures today (up to"
        " +2 done, -1 todo): facts were reported late, which is no drift."
    )
    assert late_sentence(restated[:1]) == (
        "The night of 2026-10-13 was counted as the ledger was then, and has other figures today (+1 done):"
        " facts were reported late, which is no drift."
    )


def test_nothing_is_nothing() -> None:
    assert [
        drift_sentence([], boards={}),
        slept_sentence([], filled=True),
        slept_sentence([], filled=False),
        assumed_sentence(assumed=0, of=9),
        late_sentence([]),
        whole_sentence([]),
    ] == [""] * 6


def test_kinds_of_comparisons_have_names() -> None:
    assert [comparisons_of(each) for each in ("AT_REST", "days<=31", "days>92", "CUSTOM")] == [
        "stored nights",
        "answers of up to 31 days",
        "answers of more than 92 days",
        "CUSTOM",
    ]
