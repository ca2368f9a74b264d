"""Every figure of the API is in the catalogue, and says there what it is."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLField, GraphQLObjectType

from analytics.engine.wings import described, versions
from config.schema import schema

# What an answer says of itself beside its figures.
NO_FIGURES = {"window", "receipt", "cumulativeFlow.mode"}
CATALOGUE = described()


def fields(type_name: str) -> dict[str, GraphQLField]:
    """The fields of a type of the schema."""
    found = schema._schema.type_map[type_name]
    assert isinstance(found, GraphQLObjectType)
    return found.fields


def figures() -> Iterator[tuple[str, GraphQLField]]:
    """The figures of `analytics` and, of those with parts, each part."""
    for name, field in fields("Analytics").items():
        yield name, field
        kind = getattr(field.type, "of_type", field.type)
        is_list = str(kind).endswith("Connection")
        if isinstance(kind, GraphQLObjectType) and not is_list and name not in NO_FIGURES:
            yield from ((f"{name}.{part}", each) for part, each in kind.fields.items())


DESCRIBED = [(name, field.description) for name, field in figures() if name not in NO_FIGURES]


@pytest.mark.parametrize(("name", "description"), DESCRIBED, ids=[name for name, _ in DESCRIBED])
def test_each_figure_is_described_by_its_entry(name: str, description: str) -> None:
    """P4: one sentence for one figure, wherever it is read."""
    assert CATALOGUE[name].sentence == description
    assert CATALOGUE[name].unit
    assert CATALOGUE[name].sentence.endswith(".")


def test_no_entry_is_of_nothing() -> None:
    """The board is a field of its own."""
    assert sorted(CATALOGUE) == sorted(["board", *(name for name, _ in DESCRIBED)])
    assert CATALOGUE["board"].sentence == fields("Board")["columns"].description


def test_versions_are_those_of_the_figures_asked_for() -> None:
    assert versions(["workInProgress", "cumulativeFlow mode=OCCUPANCY", "transitions"]) == "flow/1"
    assert versions([]) == ""


def test_a_figure_without_an_entry_is_refused() -> None:
    with pytest.raises(KeyError, match="there is no figure 'velocity'; give it an entry in the catalogue of its wing"):
        versions(["velocity"])
