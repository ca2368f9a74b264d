"""Selection of figures: which ones a field's sub-selection names, with which arguments."""

from collections.abc import Mapping
from typing import Any

from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField, Selection

from analytics.engine.figure import Figure
from analytics.engine.reading.questions import Figures, label
from tasks_app.graphql.asking import Info

PAGE = frozenset({"first", "after", "last", "before"})


def figures_selected(info: Info, *, known: Mapping[str, Figure]) -> Figures:
    """The figures below this field, by a label of name and arguments, so that an alias or a repeat changes nothing.

    Single items are many, and nobody looks for them where neither they nor a receipt are selected.
    """
    fields = [field for selected in info.selected_fields for field in _below(selected)]
    names = {field.name for field in fields} | {each.name for field in fields for each in _below(field)}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for field in fields:
        if figure := known.get(field.name):
            full = figure.in_full(_given(figure, field.arguments))
            if figure.items and names.isdisjoint({"receipt", figure.items[0]}):
                full = {**full, figure.items[1]: False}
            found[label(figure.name, full)] = (figure.name, full)
    return found


def _given(figure: Figure, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments that count, numbers as numbers: a selection has those that stand in the document as text."""
    usual, left_out = figure.defaults, PAGE if figure.paged else ()
    given = {name: value for name, value in arguments.items() if name not in left_out}
    return {
        name: _like(usual.get(name), value) for name, value in given.items() if value is not None or name not in usual
    }


def _like(usual: Any, value: Any) -> Any:
    return value if usual is None else type(usual)(value)


def _below(selection: Selection) -> list[SelectedField]:
    found: list[SelectedField] = []
    for child in selection.selections:
        if isinstance(child, SelectedField):
            found.append(child)
        elif isinstance(child, FragmentSpread | InlineFragment):
            found.extend(_below(child))
    return found
