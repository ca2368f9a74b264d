"""Documents that ask for every field of the schema: one for each field of Query and Mutation, with all that is below it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from config.schema import schema

LITERALS = {"Int": "1", "Boolean": "true", "DateTime": '"2026-01-01T00:00:00Z"', "Float": "1.0"}
# Where any value of the right type would be refused before what is below is asked for.
ARGUMENTS: Mapping[str, str] = {
    "Query.analytics": "window: {rolling: {count: 3, unit: DAY}}",
    "Query.board": 'project: "WEB"',
    "Query.project": 'key: "WEB"',
    "Query.explainChange": 'project: "WEB", metric: ARRIVALS, bucket: "2026-03-02T00:00:00Z",'
    ' knownFrom: "2026-01-01T00:00:00Z", knownTo: "2026-01-02T00:00:00Z", first: 1',
    "Query.task": 'key: "WEB-1"',
    "Analytics.forecast": "items: 1, trials: 100",
}
# Fields that take a scope of their own, by their lines in the table: each is asked for apart from all beside it.
APART: Mapping[str, str] = {"analytics:drillDown": "Analytics.drillDown"}
CORE = schema._schema
ROOTS: Mapping[str, GraphQLObjectType] = {
    operation: root
    for operation, root in (("query", CORE.query_type), ("mutation", CORE.mutation_type))
    if root is not None
}
DEEPEST = 8


@dataclass(frozen=True, kw_only=True)
class Document:
    """What asks for one root field. `covers` has every field in it, as Type.field."""

    text: str
    covers: frozenset[str]


def literal(kind: GraphQLInputType) -> str:
    """Any value of the type, with what is required and no more."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{literal(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if not isinstance(kind, GraphQLInputObjectType):
        return LITERALS.get(kind.name, '"x"')
    given = {name: each for name, each in kind.fields.items() if is_required_input_field(each)}
    given = given or dict(list(kind.fields.items())[:1])
    return "{" + ", ".join(f"{name}: {literal(each.type)}" for name, each in given.items()) + "}"


def documents() -> Mapping[str, Document]:
    """By the name of the root field."""
    return {name: _document(operation, root, name) for operation, root in ROOTS.items() for name in root.fields}


def documents_apart() -> Mapping[str, Document]:
    """What asks for a field that takes a scope of its own, by its line in the table."""
    return {line: _document_of(line.partition(":")[0], place) for line, place in APART.items()}


def _document_of(root: str, place: str) -> Document:
    kind, _, name = place.partition(".")
    parent, query = CORE.type_map[kind], ROOTS["query"]
    assert isinstance(parent, GraphQLObjectType)
    covered: set[str] = set()
    text = _asked(parent, name, parent.fields[name], path=(f"Query.{root}",), covered=covered)
    arguments = _arguments(f"Query.{root}", query.fields[root])
    return Document(text=f"query {{ {root}{arguments} {{ {text} }} }}", covers=frozenset(covered))


def every_field() -> frozenset[str]:
    """All fields that an answer can have, as Type.field; introspection has its own."""
    return frozenset(
        f"{kind.name}.{field}"
        for kind in CORE.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for field in kind.fields
    )


def _document(operation: str, root: GraphQLObjectType, name: str) -> Document:
    covered: set[str] = set()
    text = _asked(root, name, root.fields[name], path=(), covered=covered)
    return Document(text=f"{operation} {{ {text} }}", covers=frozenset(covered))


def _asked(
    parent: GraphQLObjectType, name: str, field: GraphQLField, *, path: tuple[str, ...], covered: set[str]
) -> str:
    place = f"{parent.name}.{name}"
    below = _below(field, path=(*path, place), covered=covered)
    if below is None:
        return ""
    covered.add(place)
    return f"{name}{_arguments(place, field)}{below}"


def _below(field: GraphQLField, *, path: tuple[str, ...], covered: set[str]) -> str | None:
    """The selection; None where it would lead round in a circle or too deep."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    if len(path) > DEEPEST:
        return None
    if is_abstract_type(kind):
        parts = [f"... on {each.name} {{ {_fields(each, path, covered)} }}" for each in CORE.get_possible_types(kind)]
        return f" {{ {' '.join(parts)} }}"
    assert isinstance(kind, GraphQLObjectType)
    inside = _fields(kind, path, covered)
    return f" {{ {inside} }}" if inside else None


def _fields(kind: GraphQLObjectType, path: tuple[str, ...], covered: set[str]) -> str:
    chosen = [
        _asked(kind, name, field, path=path, covered=covered)
        for name, field in kind.fields.items()
        if f"{kind.name}.{name}" not in {*path, *APART.values()}
    ]
    return " ".join(text for text in chosen if text)


def _arguments(place: str, field: GraphQLField) -> str:
    given = [ARGUMENTS[place]] if place in ARGUMENTS else list(_required(field))
    return f"({', '.join(given)})" if given else ""


def _required(field: GraphQLField) -> Iterator[str]:
    yield from (f"{name}: {literal(each.type)}" for name, each in field.args.items() if is_required_argument(each))
    if "first" in field.args and "last" in field.args:
        yield "first: 1"
