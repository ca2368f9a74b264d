"""The pictures of durations and throughput: no database, exact geometry."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pictures.aging import APART, Aged, Aging, Row, aging_svg, lanes
from analytics.pictures.bars import Bar, Bars, bars_svg, shares
from analytics.pictures.columns import Columns, columns_svg
from analytics.pictures.scatter import Dot, Level, Scatter, axis_end, scatter_svg
from analytics.pictures.svg import WIDTH, spread

NAME = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECONDS = 86_400.0
LEVELS = [Level(percent=50, seconds=2 * SECONDS), Level(percent=85, seconds=4 * SECONDS)]


def scatter(*days: float, levels: list[Level] | None = None) -> str:
    """Items that finished one a day, each after so many days."""
    dots = [
        Dot(name=f"WEB-{number}", at=START + DAY * (number % 30), seconds=size * SECONDS)
        for number, size in enumerate(days)
    ]
    return scatter_svg(
        Scatter(
            title="Cycle time",
            description="In words",
            zone="UTC",
            start=START,
            end=START + 30 * DAY,
            dots=dots,
            levels=LEVELS if levels is None else levels,
        )
    )


def aging(*rows: list[float], levels: list[Level] | None = None) -> str:
    """A row of ages in days per state."""
    return aging_svg(
        Aging(
            title="Age",
            description="In words",
            rows=[
                Row(
                    name=f"State {number}",
                    note="waiting" if number else "",
                    items=[Aged(name=f"W-{place}", seconds=size * SECONDS) for place, size in enumerate(ages)],
                )
                for number, ages in enumerate(rows)
            ],
            levels=LEVELS if levels is None else levels,
        )
    )


def columns(finished: list[int | None], *, again: int = 0, cancelled: int = 0) -> str:
    """A day a bucket."""
    return columns_svg(
        Columns(
            title="Throughput",
            description="In words",
            zone="UTC",
            edges=[START + DAY * number for number in range(len(finished) + 1)],
            finished=finished,
            finish_events=[None if count is None else count + again for count in finished],
            cancelled=[None if count is None else cancelled for count in finished],
        )
    )


def bar(name: str, group: str, closed: float, *, ongoing: float = 0, drawn: bool = True) -> Bar:
    """A state with one visit."""
    return Bar(name=name, group=group, closed=closed, ongoing=ongoing, visits=1, median=closed, p85=closed, drawn=drawn)


def bars(*found: Bar) -> str:
    return bars_svg(Bars(title="Time", description="In words", bars=found))


def words(picture: str) -> list[str]:
    """All texts that are written in it, without the names that appear under a pointer."""
    return [node.text or "" for node in ElementTree.fromstring(picture).iter(f"{NAME}text")]


def titles(picture: str) -> list[str]:
    """What appears under a pointer."""
    root = ElementTree.fromstring(picture)
    return [node.findtext(f"{NAME}title") or "" for node in root.iter() if node.find(f"{NAME}title") is not None][1:]


def places(picture: str, tag: str, attribute: str) -> list[float]:
    return [float(node.get(attribute) or 0) for node in ElementTree.fromstring(picture).iter(f"{NAME}{tag}")]


DRAWN: list[Callable[[], str]] = [
    lambda: scatter(),
    lambda: scatter(1),
    lambda: scatter(*([1.0] * 5_000)),
    lambda: aging(),
    lambda: aging([]),
    lambda: aging([], levels=[]),
    lambda: aging([1.0], [1.0] * 3_000),
    lambda: columns([None]),
    lambda: columns([0]),
    lambda: columns([1] * 400, again=1, cancelled=1),
    lambda: bars(),
    lambda: bars(bar("Review", "Waiting", 0)),
    lambda: bars(bar("Review", "Waiting", 1, ongoing=1)),
]


@pytest.mark.parametrize("draw", DRAWN)
def test_any_number_of_points_gives_a_picture(draw: Callable[[], str]) -> None:
    """None, one or many: well-formed, named for who cannot see it, nothing beyond its right edge, always the same."""
    picture = draw()
    root = ElementTree.fromstring(picture)
    assert [root[place].get("id") for place in (0, 1)] == (root.get("aria-labelledby") or "").split()
    assert draw() == picture
    height = float((root.get("viewBox") or "").split()[3])
    for tag, across, down in (("text", "x", "y"), ("circle", "cx", "cy"), ("rect", "x", "y")):
        assert all(0 <= x <= WIDTH for x in places(picture, tag, across))
        assert all(0 <= y <= height for y in places(picture, tag, down))


@given(st.lists(st.floats(-50, 500), max_size=12).map(sorted), st.integers(1, 40))
def test_labels_are_kept_apart_and_in_order(wanted: list[float], step: int) -> None:
    """Inside the bounds, if there is room; where nothing is in the way, each where it was wanted."""
    found = spread(wanted, step=step, low=0, high=400)
    assert all(right - left >= step - 0.11 for left, right in pairwise(found))
    if step * len(wanted) <= 400:
        assert all(-0.1 <= place <= 400.1 for place in found)
    if all(right - left >= step for left, right in pairwise(wanted)) and all(0 <= place <= 400 for place in wanted):
        assert found == pytest.approx(wanted, abs=0.06)


@given(st.lists(st.floats(0, 100), max_size=60).map(sorted))
def test_points_of_one_lane_do_not_touch(drawn: list[float]) -> None:
    """But in the middle one, where all stand for which no lane has room."""
    by_lane: dict[int, list[float]] = {}
    for place, lane in zip(drawn, lanes(drawn), strict=True):
        by_lane.setdefault(lane, []).append(place)
    for lane, inside in by_lane.items():
        assert lane == 0 or all(right - left >= APART for left, right in pairwise(inside))


def test_percentiles_are_labelled_with_their_numbers() -> None:
    """P33 on paper: no colour is needed to know which line is which."""
    told = words(scatter(1, 2, 4))
    assert [text for text in told if text.startswith("p")] == ["p50  2 d", "p85  4 d"]
    assert [text for text in words(aging([1.0])) if text.startswith("p")] == ["p50  2 d", "p85  4 d"]


def test_percentiles_of_one_place_have_two_labels() -> None:
    """Where all items took the same time."""
    same = [Level(percent=percent, seconds=SECONDS) for percent in (50, 85, 95)]
    ys = places(scatter(1, levels=same), "text", "y")
    labels = dict(zip(words(scatter(1, levels=same)), ys, strict=True))
    heights = sorted(y for label, y in labels.items() if label.startswith("p"))
    assert all(below - above >= 16.9 for above, below in pairwise(heights))


def test_a_few_far_items_do_not_press_the_others_flat() -> None:
    """The axis goes on beyond p95 by half of it; what is further is a triangle at its end, and counted."""
    levels = [Level(percent=95, seconds=10.0)]
    assert axis_end(seconds=[1, 29], levels=levels) == 29
    assert axis_end(seconds=[1, 31], levels=levels) == 15
    assert axis_end(seconds=[3], levels=[]) == 3
    assert "1 above the axis, the longest 90 d" in words(scatter(1, 2, 90))
    assert "WEB-2: 90 d" in titles(scatter(1, 2, 90))


def test_the_oldest_of_each_state_has_its_key() -> None:
    """And every item its age, for who points at it."""
    picture = aging([1.0, 3.0], [2.0])
    assert [text for text in words(picture) if text.startswith("W-")] == ["W-1", "W-0"]
    assert "W-1: 3 d" in titles(picture)
    assert "waiting" in words(picture)


def test_columns_are_as_high_as_their_counts() -> None:
    """What was finished and undone stands upon it, what was cancelled hangs below; wide ones have their number."""
    picture = columns([4, None, 2], again=1, cancelled=3)
    assert titles(picture)[:2] == ["4 finished", "5 finish events"]
    assert [text for text in ("6 finished", "9 finishes that were undone later") if text in words(picture)]
    heights = {
        title: float(node.get("height") or 0)
        for node in ElementTree.fromstring(picture).iter(f"{NAME}rect")
        if (title := node.findtext(f"{NAME}title"))
    }
    assert heights["4 finished"] == pytest.approx(2 * heights["2 finished"], abs=0.2)
    assert {"4", "2"} <= set(words(picture))


def test_names_are_escaped_and_shortened() -> None:
    """People name states and projects as they like; the whole name is there for who points at it."""
    name = "<script>alert('x')</script> & a very long name"
    drawn = [
        bars(bar(name, name, 1)),
        aging_svg(
            Aging(
                title=name,
                description=name,
                rows=[
                    Row(name=name, note="waiting", items=[Aged(name=name, seconds=1)]),
                    Row(name=name, note="", items=[]),
                ],
                levels=[],
            )
        ),
        scatter_svg(
            Scatter(
                title=name,
                description=name,
                zone="UTC",
                start=START,
                end=START + DAY,
                dots=[Dot(name=name, at=START, seconds=1)],
                levels=[],
            )
        ),
    ]
    for picture in drawn:
        root = ElementTree.fromstring(picture)
        assert not list(root.iter(f"{NAME}script"))
        assert any(name in title for title in titles(picture))
    assert any(text.startswith("<script>") and text.endswith("…") for text in words(drawn[0]))


def test_shares_are_of_what_is_drawn() -> None:
    """Done has its numbers and no part in where the time went."""
    found = [
        bar("Review", "Waiting", 60, ongoing=30),
        bar("Doing", "In progress", 10),
        bar("Done", "Done", 900, drawn=False),
    ]
    assert shares(found) == [0.9, 0.1, None]
    assert shares([bar("Review", "Waiting", 0)]) == [None]
    told = words(bars(*found))
    assert told.index("Waiting") < told.index("Review") < told.index("In progress") < told.index("Done")
    assert [text for text in told if text.endswith("%")] == ["90%", "10%"]
