"""The picture of a cumulative flow diagram: no database, exact geometry."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pictures.palette import shades
from analytics.pictures.stacked_areas import LEFT, PLOT_HEIGHT, PLOT_WIDTH, TOP, Band, Chart, flow_svg, layers, overlaps

NAME = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def chart(*columns: Sequence[int | None], stacked: bool = True) -> Chart:
    """A chart of days; one column of numbers per state, first state first."""
    days = len(columns[0])
    return Chart(
        title="Flow",
        description="In words",
        zone="UTC",
        edges=[START + DAY * number for number in range(days + 1)],
        bands=[Band(name=f"State {number}", counts=counts) for number, counts in enumerate(columns)],
        stacked=stacked,
    )


def paths(picture: str) -> dict[str, str]:
    """The outline of each band by its name."""
    root = ElementTree.fromstring(picture)
    titled = [(path.findtext(f"{NAME}title"), path.get("d")) for path in root.iter(f"{NAME}path")]
    return {name: outline for name, outline in titled if name and outline}


def words(picture: str) -> list[str]:
    """All texts that are written in it."""
    return ["".join(node.itertext()) for node in ElementTree.fromstring(picture).iter(f"{NAME}text")]


counts = st.lists(st.lists(st.none() | st.integers(0, 10_000), min_size=4, max_size=4), min_size=1, max_size=6)


@given(counts)
def test_stacked_bands_add_up_to_the_total(columns: list[list[int | None]]) -> None:
    """Each stands on the one below; the top of the first is the sum of those that are known."""
    drawn = layers(chart(*columns))
    for bucket in range(4):
        known = [column[bucket] for column in columns]
        reached = 0
        for layer, count in reversed(list(zip(drawn, known, strict=True))):
            if count is None:
                assert (layer.low[bucket], layer.high[bucket]) == (None, None)
            else:
                assert (layer.low[bucket], layer.high[bucket]) == (reached, reached + count)
                reached += count
        assert reached == sum(count or 0 for count in known)


@given(counts, st.booleans())
def test_the_picture_is_well_formed_whatever_the_numbers(columns: list[list[int | None]], stacked: bool) -> None:
    """And the same chart gives the same text."""
    asked = chart(*columns, stacked=stacked)
    picture = flow_svg(asked)
    assert ElementTree.fromstring(picture).tag == f"{NAME}svg"
    assert flow_svg(asked) == picture


def test_lines_lie_behind_each_other_each_of_its_own_height() -> None:
    """CUMULATIVE lines are not stacked: they already count what is beyond them."""
    drawn = layers(chart([5, 6], [2, 3], stacked=False))
    assert [(layer.low, layer.high) for layer in drawn] == [([0, 0], [5, 6]), ([0, 0], [2, 3])]


def test_a_column_is_as_high_as_its_count() -> None:
    """10 items on an axis up to 10 reach the top; a column goes from its bucket's start to its end."""
    bottom, right, middle = TOP + PLOT_HEIGHT, LEFT + PLOT_WIDTH, LEFT + PLOT_WIDTH / 2
    outline = paths(flow_svg(chart([10, 5])))["State 0"]
    assert outline == (
        f"M{LEFT}.0 {bottom}.0V{TOP}.0H{middle}V{TOP + PLOT_HEIGHT / 2}H{right}.0"
        f"V{bottom}.0H{middle}V{bottom}.0H{LEFT}.0Z"
    )


def test_what_is_not_known_is_left_blank() -> None:
    """Two runs with a gap between them: nothing is drawn in it, not even a zero."""
    outline = paths(flow_svg(chart([None, 3, None, None, 4, None])))["State 0"]
    runs = re.findall(r"M([\d.]+) [^Z]*Z", outline)
    assert [round((float(x) - LEFT) / PLOT_WIDTH * 6) for x in runs] == [1, 4]
    assert outline.count("Z") == 2


def test_a_chart_of_nothing_known_has_axes_and_says_so() -> None:
    """No band, and no number where a zero would be a lie."""
    picture = flow_svg(chart([None, None]))
    assert paths(picture) == {}
    assert "not known" in words(picture)


def test_names_are_escaped_shortened_and_kept_whole_for_who_asks() -> None:
    """People name states as they like."""
    name = "<script>alert('x')</script> & a very long name \x01 indeed"
    asked = chart([1, 2])
    picture = flow_svg(replace(asked, title=name, description=name, bands=[Band(name=name, counts=[1, 2])]))
    root = ElementTree.fromstring(picture)
    assert root.findtext(f"{NAME}title") == name.replace("\x01", "\ufffd")
    assert not list(root.iter(f"{NAME}script"))
    assert any(text.startswith("<script>alert('x')<…") for text in words(picture))


def test_it_names_its_title_and_description() -> None:
    """For people who hear the page."""
    root = ElementTree.fromstring(flow_svg(chart([1])))
    named = (root.get("aria-labelledby") or "").split()
    assert root.get("role") == "img"
    assert [root.findtext(f"{NAME}{tag}") for tag in ("title", "desc")] == ["Flow", "In words"]
    assert [root[place].get("id") for place in (0, 1)] == named


def test_definition_changes_are_marked_once_per_place() -> None:
    """Three of one minute are one line; the legend has its sign."""
    marks = [START + DAY, START + DAY + timedelta(seconds=30), START + DAY + timedelta(seconds=59), START + 3 * DAY]
    picture = flow_svg(replace(chart([1] * 5), marks=marks))
    lines = [
        path
        for path in ElementTree.fromstring(picture).iter(f"{NAME}path")
        if path.findtext(f"{NAME}title") == "Definition change"
    ]
    assert len(lines) == 2
    assert "Definition change" in words(picture)
    assert "Definition change" not in words(flow_svg(chart([1] * 5)))


def test_correction_windows_are_counted_per_bucket() -> None:
    """Half-open: one that ends at a bucket's start is not in it; one without an end is in all that follow."""
    edges = [START + DAY * number for number in range(5)]
    spans = [
        (START - DAY, START),
        (START - DAY, START + DAY),
        (START + DAY, START + 2 * DAY),
        (START + 1.5 * DAY, None),
        (START + 9 * DAY, None),
        (START + 3.2 * DAY, START + 3.4 * DAY),
    ]
    assert overlaps(edges=edges, spans=spans) == [1, 2, 1, 2]


@given(st.lists(st.tuples(st.integers(-30, 130), st.none() | st.integers(1, 60)), max_size=12))
def test_counting_by_edges_is_counting_one_by_one(drawn: list[tuple[int, int | None]]) -> None:
    """Against the plain definition."""
    edges = [START + DAY * number for number in range(5)]
    hour = timedelta(hours=1)
    spans = [(START + begin * hour, None if size is None else START + (begin + size) * hour) for begin, size in drawn]
    plain = [
        sum(begin < edges[place + 1] and (end is None or end > edges[place]) for begin, end in spans)
        for place in range(4)
    ]
    assert overlaps(edges=edges, spans=spans) == plain


@pytest.mark.parametrize("count", [1, 2, 4, 7, 14])
def test_shades_grow_darker_step_by_step(count: int) -> None:
    """Told apart by lightness alone, so also in print without colour."""
    weights = (0.2126, 0.7152, 0.0722)
    lightness = [
        sum(weight * int(shade[place : place + 2], 16) for weight, place in zip(weights, (1, 3, 5), strict=True))
        for shade in shades(count)
    ]
    assert lightness == sorted(lightness, reverse=True)
    assert len(set(lightness)) == count
