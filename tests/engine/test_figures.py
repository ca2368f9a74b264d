"""Records of figures and wings: one that is not whole, or is there twice, is refused at start with one sentence."""

from dataclasses import replace
from typing import Any

import pytest
import strawberry

from analytics.engine.family import Family
from analytics.engine.figure import Figure, Measure, Unit, as_it_is, explained
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import counts, parts_of, with_figures
from analytics.engine.graphql.prices import by_bucket
from analytics.engine.reading.costs import Weight
from analytics.engine.wing import Wing
from analytics.engine.wings import check_wings
from analytics.flow.catalogue.churn import CHURN
from analytics.flow.catalogue.cumulative_flow import CUMULATIVE_FLOW
from analytics.flow.family import TRANSITIONS
from analytics.flow.reading.opening import open_reading


@strawberry.type(description="What moved.")
class Stock:
    received: int = strawberry.field(description="What came in.", metadata=counts("pieces", Measure.FLOW))
    unit_price: int | None = strawberry.field(description="What one costs.", metadata=counts("cents"))


def stock(root: WindowAnswer) -> Stock:
    found: Stock = root.asked.figure("stock")
    return found


WHOLE: dict[str, Any] = {
    "name": "stock",
    "sentence": "Pieces that came in.",
    "unit": "pieces",
    "measure": Measure.FLOW,
    "family": "movements",
    "version": "stock/1",
    "price": by_bucket,
    "weight": Weight(),
    "read": lambda reading, given: reading.stock(),
    "canonical": as_it_is,
    "resolver": stock,
    "parts": parts_of(Stock),
}


def family(name: str) -> Family:
    return replace(TRANSITIONS, name=name)


def wing(name: str, *, figure: Figure | None = None) -> Wing:
    figures = (figure,) if figure else ()
    return Wing(name=name, families=(family("movements"),), figures=figures, open_reading=open_reading)


@pytest.mark.parametrize(
    "lacking",
    ["sentence", "unit", "measure", "family", "version", "price", "weight", "read", "canonical", "resolver"],
)
@pytest.mark.parametrize("left_out", [False, True])
def test_a_figure_that_lacks_something_is_refused(lacking: str, left_out: bool) -> None:
    given = {name: value for name, value in WHOLE.items() if name != lacking or not left_out}
    with pytest.raises(ValueError, match=f"The figure 'stock' has no {lacking}; its record has to say "):
        Figure(**(given if left_out else {**given, lacking: None}))


def test_a_sentence_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="The sentence of the figure 'stock' has no full stop; end it"):
        Figure(**{**WHOLE, "sentence": "Pieces"})


def test_a_whole_figure_has_its_parts_by_name() -> None:
    """As the API names them, with the words of the family for what they count."""
    figure = Figure(**WHOLE)
    assert [(name, each.unit, each.measure) for name, each in figure.described()] == [
        ("stock", "pieces", Measure.FLOW),
        ("stock.received", "pieces", Measure.FLOW),
        ("stock.unitPrice", "cents", Measure.WHOLE),
    ]


def test_an_object_without_parts_is_refused() -> None:
    figure = Figure(**{**WHOLE, "parts": ()})
    with pytest.raises(
        ValueError, match="The figure 'stock' has no parts, and Stock has fields; its record has to say"
    ):
        with_figures([figure])(type("Shown", (), {}))


def test_a_field_that_does_not_say_what_it_counts_is_refused() -> None:
    @strawberry.type(description="Less.")
    class Less:
        received: int = strawberry.field(description="What came in.")

    @strawberry.type(description="Less still.")
    class Silent:
        received: int = strawberry.field(metadata=counts(Unit.ITEMS))

    with pytest.raises(
        ValueError, match=r"Less\.received does not say what it counts; declare it with metadata=counts"
    ):
        parts_of(Less)
    with pytest.raises(ValueError, match=r"Silent\.received has no sentence; declare it"):
        parts_of(Silent)


def test_two_figures_of_one_name_are_refused() -> None:
    """And two wings, which would be the same one twice."""
    figure = Figure(**WHOLE)
    told = (
        "There are two figures of the name 'stock', in the wings 'shop' and 'warehouse'; give one of them another name."
    )
    with pytest.raises(ValueError, match=told):
        check_wings([wing("shop", figure=figure), wing("warehouse", figure=figure)])
    with pytest.raises(ValueError, match="There are two wings of the name 'shop'"):
        check_wings([wing("shop"), wing("shop")])


def test_a_figure_of_another_family_is_refused() -> None:
    figure = Figure(**{**WHOLE, "family": "weather"})
    with pytest.raises(
        ValueError, match="is of the family 'weather', which the wing 'shop' does not have; it has movements"
    ):
        wing("shop", figure=figure)


def test_figures_that_nothing_reads_again_are_refused() -> None:
    told = "The wing 'shop' has figures and no `open_reading`; without it no receipt of theirs can be replayed."
    with pytest.raises(ValueError, match=told):
        Wing(name="shop", families=(family("movements"),), figures=(Figure(**WHOLE),))


def test_a_drill_down_that_explains_nothing_is_refused() -> None:
    figure = Figure(**{**WHOLE, "drills": {"RECEIVED": ("received",), "WORTH": ("",)}})
    assert explained([figure], metrics=["RECEIVED"]) == {"RECEIVED": ("stock.received",), "WORTH": ("stock",)}
    with pytest.raises(ValueError, match="The drill-down SENT explains no figure; name it in `drills` of the one"):
        explained([figure], metrics=["RECEIVED", "SENT"])


def test_arguments_that_are_left_out_are_the_usual_ones() -> None:
    assert CHURN.in_full({}) == {"reopenWithinDays": 14}
    assert CHURN.in_full({"reopenWithinDays": 3}) == {"reopenWithinDays": 3}


def test_single_items_weigh_more() -> None:
    """The diagram with the times in which items were behind follows each of them."""
    without, with_them = Weight(in_window=1.5), Weight(fact=1.0, in_window=5.0, replayed=10.0)
    assert CUMULATIVE_FLOW.weighs({"mode": "OCCUPANCY", "corrections": False}) == without
    assert CUMULATIVE_FLOW.weighs({"mode": "OCCUPANCY"}) == with_them
