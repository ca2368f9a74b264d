"""The matrix that people read in tasks_app/README.md, compared with the code and walked, role by role and field by field."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.conf import settings
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.types import get_object_definition

from analytics.graphql.mutations import Mutation
from config.schema import Query, schema
from tasks_app.access import ROLE_SCOPES
from tasks_app.graphql.fields import NeedsScope
from tasks_app.models import Membership, Role, Scope
from tests.cast import cast
from tests.graphql.client import with_session

README = Path(settings.BASE_DIR) / "tasks_app" / "README.md"
FIELD = re.compile(r"`(\w+)`")
# `node` answers null for what the caller may not see: test_access.py. `replayReceipt` needs the scopes that the answer
# needed: test_replay_receipt.py.
FREE = {"viewer", "node", "replayReceipt"}
EVERY_MUTATION = "every mutation"
LITERALS = {"Int": "1", "Boolean": "true", "DateTime": '"2026-01-01T00:00:00Z"'}
ROOTS = {"query": schema._schema.query_type, "mutation": schema._schema.mutation_type}


def rows() -> list[list[str]]:
    """The cells of the table below "Who may do what", its header first."""
    section = README.read_text(encoding="utf-8").split("## Who may do what")[1].split("\n## ")[0]
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in table if "---" not in line[0]]


def written_roles() -> dict[str, set[str]]:
    """The scopes of each role, as the table has them."""
    header, *lines = rows()
    told: dict[str, set[str]] = {}
    for place, names in enumerate(header[2:], start=2):
        held = {scope for line in lines if line[place] == "yes" for scope in line[0].split(", ")}
        told |= {name: held for name in names.split(", ")}
    return told


def written_fields() -> dict[str, str]:
    """The scope that each field needs, as the table has it."""
    mutations = ROOTS["mutation"].fields if ROOTS["mutation"] else {}
    return {
        field: scope
        for scope, opens, *_ in rows()[1:]
        for field in (mutations if opens == EVERY_MUTATION else FIELD.findall(opens))
    }


def declared_fields() -> Iterator[tuple[str, str]]:
    """The scope that each field needs, as it is declared."""
    for root in (Query, Mutation):
        for field in get_object_definition(root, strict=True).fields:
            name = schema.config.name_converter.get_graphql_name(field)
            yield from ((name, each.scope.value) for each in field.extensions if isinstance(each, NeedsScope))


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


def documents() -> Mapping[str, str]:
    """The shortest document that asks for each field of Query and Mutation."""
    return {
        name: f"{operation} {{ {name}{_arguments(field)} {_selection(field)} }}"
        for operation, root in ROOTS.items()
        for name, field in (root.fields if root else {}).items()
    }


def _selection(field: GraphQLField) -> str:
    return "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"


def _arguments(field: GraphQLField) -> str:
    given = [f"{name}: {literal(each.type)}" for name, each in field.args.items() if is_required_argument(each)]
    return f"({', '.join(given)})" if given else ""


def test_every_scope_and_every_role_is_in_the_table_once() -> None:
    scopes = [scope for line in rows()[1:] for scope in line[0].split(", ")]
    assert sorted(scopes) == sorted(Scope.values)
    assert sorted(written_roles()) == sorted(Role.values)


def test_the_table_says_what_each_role_may_do() -> None:
    assert written_roles() == {role: set(scopes) for role, scopes in ROLE_SCOPES.items()}


def test_the_table_says_which_scope_each_field_needs() -> None:
    assert written_fields() == dict(declared_fields())


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_each_role_is_refused_exactly_what_the_table_withholds(role: str) -> None:
    """Every field is asked for over HTTP. What is allowed may still be wrong, but it is never forbidden."""
    bob = cast().bob
    Membership.objects.filter(user=bob.user).update(role=role)
    asker = with_session(bob.user)
    answers = {name: asker.answer(document).get("errors", []) for name, document in documents().items()}
    refused = [(name, each) for name, errors in answers.items() for each in errors]
    assert {name: each["message"] for name, each in refused if each["extensions"]["code"] == "FORBIDDEN"} == {
        name: f"{name}: this needs the scope {scope}, which the role {role} does not have."
        for name, scope in written_fields().items()
        if scope not in written_roles()[role]
    }
    assert documents().keys() - written_fields().keys() == FREE
