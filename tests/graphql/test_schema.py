"""The schema as it is served: exported, described, and in agreement with the contract where that is at hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    parse,
    print_ast,
)

from config.schema import schema
from tasks_app.management.commands.export_schema import served_schema

CONTRACT = Path(settings.BASE_DIR).parent / "shared" / "contract" / "schema.graphql"
EXPORTED = Path(settings.BASE_DIR) / "config" / "schema.graphql"
SERVED = schema._schema
NAMED = {name: kind for name, kind in SERVED.type_map.items() if not name.startswith("__")}
WITH_FIELDS = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)


def test_the_exported_schema_is_the_one_that_is_served() -> None:
    assert EXPORTED.read_text(encoding="utf-8") == served_schema(), "run manage.py export_schema"


def test_the_export_is_a_whole_schema() -> None:
    again = build_schema(EXPORTED.read_text(encoding="utf-8"))
    assert set(again.type_map) == set(SERVED.type_map)


def test_every_type_and_field_is_described() -> None:
    standard = {"Boolean", "Float", "ID", "Int", "String"}
    bare = [name for name, kind in NAMED.items() if not kind.description and name not in standard]
    for name, kind in NAMED.items():
        if isinstance(kind, WITH_FIELDS):
            bare += [f"{name}.{field}" for field, declared in kind.fields.items() if not declared.description]
    assert bare == []


def definitions(document: DocumentNode) -> dict[str, Any]:
    found = [node for node in document.definitions if hasattr(node, "name")]
    return {node.name.value: node for node in found}


def differences(*, ours: str, theirs: str) -> Iterator[str]:
    """What exists in both and does not agree. Ours may have more, and may not yet have all."""
    served, contract = definitions(parse(ours)), definitions(parse(theirs))
    for name in sorted(served.keys() & contract.keys()):
        yield from _type_differences(name, served[name], contract[name])


def _type_differences(name: str, ours: Any, theirs: Any) -> Iterator[str]:
    if ours.kind != theirs.kind:
        yield f"{name}: {ours.kind}, not {theirs.kind}"
    elif ours.kind == "enum_type_definition":
        missing = {value.name.value for value in theirs.values} - {value.name.value for value in ours.values}
        yield from (f"{name}: no value {value}" for value in sorted(missing))
    elif ours.kind != "scalar_type_definition":
        yield from _field_differences(name, ours, theirs)


def _field_differences(name: str, ours: Any, theirs: Any) -> Iterator[str]:
    for what in ("interfaces", "directives"):
        mine, wanted = (sorted(print_ast(node) for node in getattr(side, what, None) or ()) for side in (ours, theirs))
        if mine != wanted:
            yield f"{name}: {what} {mine}, not {wanted}"
    wanted_fields = {field.name.value: field for field in theirs.fields}
    for field in ours.fields:
        place = f"{name}.{field.name.value}"
        if field.name.value in wanted_fields:
            yield from _value_differences(place, field, wanted_fields[field.name.value])
        elif ours.kind == "input_object_type_definition" and _is_required(field):
            yield f"{place}: required, and not in the contract"


def _value_differences(place: str, ours: Any, theirs: Any) -> Iterator[str]:
    for what in ("type", "default_value"):
        mine, wanted = (print_ast(node) if (node := getattr(side, what, None)) else None for side in (ours, theirs))
        if mine != wanted:
            yield f"{place}: {what} {mine}, not {wanted}"
    wanted_arguments = {argument.name.value: argument for argument in getattr(theirs, "arguments", None) or ()}
    for argument in getattr(ours, "arguments", None) or ():
        if argument.name.value in wanted_arguments:
            name = f"{place}({argument.name.value})"
            yield from _value_differences(name, argument, wanted_arguments[argument.name.value])
        elif _is_required(argument):
            yield f"{place}({argument.name.value}): required, and not in the contract"


def _is_required(value: Any) -> bool:
    return value.type.kind == "non_null_type" and value.default_value is None


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not at hand")
def test_what_is_served_agrees_with_the_contract() -> None:
    """Names, arguments, types, nullability, defaults, enum values and interfaces."""
    assert list(differences(ours=served_schema(), theirs=CONTRACT.read_text(encoding="utf-8"))) == []


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not at hand")
def test_a_mutation_takes_and_answers_all_that_the_contract_says() -> None:
    """What is served of a mutation is whole: no input field and no payload field is left out."""
    contract = definitions(parse(CONTRACT.read_text(encoding="utf-8")))
    mutation = SERVED.mutation_type
    assert mutation is not None
    for field in mutation.fields.values():
        for kind in (field.type.of_type, field.args["input"].type.of_type):
            assert {f.name.value for f in contract[kind.name].fields} <= set(kind.fields), kind.name


def test_the_comparison_sees_what_differs() -> None:
    theirs = "type A { a(x: Int! = 1): Int! b: [B!]! } enum B { C D } input I { i: Int }"
    ours = "type A { a(x: Int! = 2, y: Int!): Int b: [B!]! c: Int } enum B { C E } input I { i: Int! j: Int! }"
    assert list(differences(ours=ours, theirs=theirs)) == [
        "A.a: type Int, not Int!",
        "A.a(x): default_value 2, not 1",
        "A.a(y): required, and not in the contract",
        "B: no value D",
        "I.i: type Int!, not Int",
        "I.j: required, and not in the contract",
    ]
