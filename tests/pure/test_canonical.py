"""The canonical text of an answer, and its digest."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from analytics.pure.canonical import LARGEST_INTEGER, canonical, canonical_bytes, digest

scalars = st.none() | st.booleans() | st.text() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.timedeltas()
fields = st.text(st.characters(max_codepoint=0xD7FF))


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(fields, inner), max_leaves=20))
def test_the_text_is_that_of_rfc_8785(value: object) -> None:
    """As an implementation of the standard writes it."""
    assert canonical_bytes(value) == rfc8785.dumps(canonical(value))


def test_one_value_has_one_text() -> None:
    """Keys in order, no spaces, instants in UTC with microseconds, durations in whole microseconds."""
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    value = {"b": [1, None, True], "a": noon, "c": timedelta(seconds=1), "d": date(2026, 3, 1), "é": "é"}
    assert canonical_bytes(value).decode() == (
        '{"a":"2026-03-01T10:00:00.000000+00:00","b":[1,null,true],"c":1000000,"d":"2026-03-01","é":"é"}'
    )


def test_equal_answers_have_equal_digests() -> None:
    """Whatever the order of keys, the zone of an instant, a list or a tuple."""
    here = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    there = {"at": here.astimezone(UTC), "counts": (1, 2)}
    assert digest({"counts": [1, 2], "at": here}) == digest(there)
    assert digest({"counts": [2, 1], "at": here}) != digest(there)


def test_null_is_not_zero() -> None:
    """P61."""
    assert digest([None]) != digest([0])


def test_floats_are_refused() -> None:
    """Two machines may write one differently."""
    with pytest.raises(TypeError, match="no floats"):
        digest({"mean": 1.5})


def test_a_sum_over_many_items_may_be_longer_than_a_float_holds() -> None:
    """600 years of time in one state are digested, exactly: a microsecond more is another answer."""
    long = timedelta(days=365 * 600)
    assert canonical_bytes([2**53 - 1, -(2**53), long]).decode() == (
        '[9007199254740991,"-9007199254740992","18921600000000000"]'
    )
    assert digest(long) != digest(long + timedelta(microseconds=1))
