"""The picture of two daily series: exact geometry, no database."""

from datetime import date, timedelta
from xml.etree import ElementTree

from analytics.pictures.overlay import Overlay, overlay_svg
from analytics.pictures.svg import Counts

NAME = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 3, 1)


def chart(ours: Counts, theirs: Counts) -> Overlay:
    days = [FIRST + timedelta(days=number) for number in range(len(ours))]
    return Overlay(slug="todo", title="To do <both>", description="In words", days=days, ours=ours, theirs=theirs)


def drawn(ours: Counts, theirs: Counts) -> ElementTree.Element:
    return ElementTree.fromstring(overlay_svg(chart(ours, theirs)))


def test_each_day_that_differs_has_a_band() -> None:
    """Another number, or a number that only one side has; null beside null is no difference, 0 beside null is."""
    ours: Counts = [1, 2, None, None, 0]
    theirs: Counts = [1, 3, 4, None, None]
    assert chart(ours, theirs).differing == [1, 2, 4]
    bands = [each for each in drawn(ours, theirs).iter(f"{NAME}rect") if each.get("fill") == "url(#todo-differs)"]
    assert [str(each.findtext(f"{NAME}title")) for each in bands] == [
        "2026-03-02: ours 2, theirs 3",
        "2026-03-03: ours nothing, theirs 4",
        "2026-03-05: ours 0, theirs nothing",
    ]
    assert {each.get("width") for each in bands} == {"163.2"}


def test_a_line_is_broken_where_there_is_nothing() -> None:
    """Ours: a stretch between each two neighbours that are known; theirs: a ring for each count."""
    picture = drawn([1, 2, None, 4, 5], [1, None, 3, 4, 5])
    assert len([each for each in picture.iter(f"{NAME}line") if each.get("stroke-width") == "2"]) == 2
    rings = [each.get("cx") for each in picture.iter(f"{NAME}circle")]
    assert rings == ["137.6", "464.0", "627.2", "790.4"]


def test_without_days_it_says_so_and_names_are_escaped() -> None:
    """An empty picture is a picture; the same chart gives the same text."""
    assert "No day was compared." in overlay_svg(chart([], []))
    assert "To do &lt;both&gt;" in overlay_svg(chart([1], [1]))
    assert overlay_svg(chart([0], [0])) == overlay_svg(chart([0], [0]))
