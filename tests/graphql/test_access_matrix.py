"""The matrix of access: walked, every field by every caller, against a table written by hand; and what people read of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from graphql import GraphQLEnumType
from strawberry.types import get_object_definition

from config.schema import schema
from tasks_app.access.matrix import MATRIX, ROLE_SCOPES, SIGNED_IN, WHOLE, Group, described
from tasks_app.graphql.fields import NeedsScope
from tasks_app.http.node import decode_id, encode_id
from tasks_app.models import Actor, Role, Scope, User
from tests.cast import Cast, Company, cast, person
from tests.graphql.access_table import LINES, ROLES, Line
from tests.graphql.access_walk import CORE, ROOTS, documents, documents_apart, every_field
from tests.graphql.client import Asker, new_key, with_session
from tests.graphql.march import at, made

README = Path(settings.BASE_DIR) / "tasks_app" / "README.md"
COLUMNS = (("OWNER", "ADMIN"), ("MANAGER",), ("MEMBER",), ("AUDITOR",), ("BILLING",))
# `node` answers NOT_FOUND for what the caller may not see. `replayReceipt` needs the scopes that the answer needed.
FREE = {"viewer", "node", "replayReceipt"}


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """A caller, and what the hand-written table goes by."""

    name: str
    asker: Asker
    role: str | None
    scopes: frozenset[str]


def declared() -> Mapping[str, NeedsScope]:
    """What guards each field of Query and Mutation, as it is declared."""
    return {
        schema.config.name_converter.get_graphql_name(field): guard
        for root in ROOTS.values()
        for field in get_object_definition(root.extensions["strawberry-definition"].origin, strict=True).fields
        for guard in field.extensions
        if isinstance(guard, NeedsScope)
    }


def readme_table() -> list[str]:
    """The lines of the table below "Who may do what"."""
    section = README.read_text(encoding="utf-8").split("## Who may do what")[1].split("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")]


def rendered_table() -> list[str]:
    """The lines that the table must have."""
    header = ["what", "scope", "fields", *(", ".join(roles) for roles in COLUMNS), "service key"]
    return [_line(header), "|" + "---|" * len(header), *(_line(_cells(group)) for group in MATRIX)]


def _line(cells: list[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def _cells(group: Group) -> list[str]:
    scope = "" if group.scope is None else group.scope.value
    return [group.name, scope, ", ".join(f"`{name}`" for name in _fields(group)), *_marks(group), _service(group)]


def _marks(group: Group) -> list[str]:
    """`own` where a role has the scope and may use it for what is about oneself."""
    whole = group if group.scope is None else WHOLE[group.scope]
    own = ["own" if group.own and roles[0] in whole.roles else "" for roles in COLUMNS]
    return ["yes" if roles[0] in group.roles else mark for roles, mark in zip(COLUMNS, own, strict=True)]


def _fields(group: Group) -> list[str]:
    if group is SIGNED_IN:
        return sorted(FREE)
    return sorted(name for name, guard in declared().items() if group is WHOLE[guard.scope] or group in guard.narrowed)


def _service(group: Group) -> str:
    if not group.narrows:
        return "yes"
    return "no" if group.service is None else f"with {group.service.value}"


def test_the_table_in_the_readme_is_the_matrix() -> None:
    """When it differs: the lines on the right are those to paste."""
    assert readme_table() == rendered_table()


def test_the_roles_of_a_column_have_the_same_rights() -> None:
    assert ROLE_SCOPES[Role.OWNER] == ROLE_SCOPES[Role.ADMIN] == frozenset(Scope)
    assert all((Role.OWNER in group.roles) == (Role.ADMIN in group.roles) for group in MATRIX)


def test_every_scope_has_a_row_that_stands_for_all_of_it() -> None:
    """Rows that narrow a scope let in no role that the scope does not have."""
    assert set(WHOLE) == set(Scope)
    assert all(group.roles <= WHOLE[group.scope].roles for group in MATRIX if group.scope is not None)


def test_the_hand_written_table_has_every_field() -> None:
    """A new field of Query or Mutation gets a line in access_table.py, by hand."""
    written = {name for name in LINES if ":" not in name}
    assert written - {"__schema"} == {name for root in ROOTS.values() for name in root.fields}
    assert {name: line.scope for name, line in LINES.items() if name in declared()} == {
        name: guard.scope.value for name, guard in declared().items()
    }


def test_every_guarded_field_tells_what_it_needs() -> None:
    for root in ROOTS.values():
        for name, field in root.fields.items():
            told = described(WHOLE[declared()[name].scope]) if name in declared() else ""
            assert told in (field.description or ""), name
    assert "roles OWNER, ADMIN, MANAGER" in (ROOTS["mutation"].fields["validateTask"].description or "")


def test_roles_and_scopes_tell_what_they_open() -> None:
    """In the schema, from the matrix."""
    roles, scopes = CORE.type_map["Role"], CORE.type_map["Scope"]
    assert isinstance(roles, GraphQLEnumType)
    assert isinstance(scopes, GraphQLEnumType)
    assert roles.values["BILLING"].description == "Has the scopes BILLING_READ, TASKS_READ, TIME_READ."
    assert scopes.values["ADMIN"].description == "Opens: keys, stages, plans."
    assert all(group.name in (scopes.values[group.scope.value].description or "") for group in MATRIX if group.scope)


def _client(number: int) -> Client:
    """Each caller has an address of its own."""
    return Client(REMOTE_ADDR=f"10.1.{number // 250}.{number % 250 + 1}")


def _members(company: Company, people: Cast) -> Mapping[str, User]:
    """A member for each role."""
    known = {"OWNER": people.alice, "MEMBER": people.bob, "AUDITOR": people.audrey}
    made_now = {
        role: person(company=company, name=role.title(), role=Role(role)) for role in ROLES if role not in known
    }
    return {role: who.user for role, who in (known | made_now).items()}


def callers(people: Cast) -> Iterator[Somebody]:
    """Sessions and keys of each role; keys of an owner and service keys with one scope each; a service key with all."""
    tenant_id = people.acme.tenant.id
    everything = frozenset(Scope.values)
    members = _members(people.acme, people)
    for role, user in members.items():
        yield Somebody(name=f"session of {role}", asker=with_session(user), role=role, scopes=everything)
    keys = [(f"key of {role}", role, user, everything) for role, user in members.items()]
    keys += [(f"owner's key, {scope}", "OWNER", members["OWNER"], frozenset({scope})) for scope in Scope.values]
    service = [(f"service key, {scope}", None, None, frozenset({scope})) for scope in Scope.values]
    for number, (name, owner_role, owner, scopes) in enumerate(
        [*keys, *service, ("service key", None, None, everything)]
    ):
        secret = new_key(tenant_id=tenant_id, scopes=sorted(scopes), owner=owner)
        asker = Asker(headers={"Authorization": f"Bearer {secret}"}, client=_client(number))
        yield Somebody(name=name, asker=asker, role=owner_role, scopes=scopes)


# What no document that is made up can get right: an id and a receipt are opaque.
WRONG_WHOEVER_ASKS = {"node", "replayReceipt"}


def forbids(answer: Any) -> bool:
    return any(error["extensions"]["code"] == "FORBIDDEN" for error in answer.get("errors", []))


def check_field(somebody: Somebody, *, name: str, line: Line, text: str) -> None:
    """Refused with the field's name and scope, and nothing answered; or nothing in it is forbidden."""
    answer = somebody.asker.answer(text)
    if line.allows(role=somebody.role, scopes=somebody.scopes):
        assert not forbids(answer), (somebody.name, name, answer)
        assert ("errors" in answer) is (name in WRONG_WHOEVER_ASKS), (somebody.name, name, answer)
        return
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", [name]), (somebody.name, name, answer)
    scope = line.missing(somebody.scopes) or line.scope
    assert error["message"].startswith(f"{name}: this needs the scope {scope}, which "), somebody.name
    assert not (answer["data"] or {}).get(name), (somebody.name, name)


ANALYTICS = "query ($id: ID!) {{ analytics(window: {{rolling: {{count: 1, unit: DAY}}}}, {}) {{ workInProgress }} }}"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
VALIDATE = 'mutation { validateTask(input: {task: "WEB-1"}) { errors { code } } }'


def node_ids(asker: Asker) -> Mapping[str, str]:
    """An id of each type that has a loader, as the owner finds it."""
    found = asker.data(
        """{ viewer { tenant { id } } project(key: "WEB") { id } task(key: "WEB-1") { id }
             activity(first: 1) { edges { node { id } } } apiKeys(first: 1) { edges { node { id } } } }"""
    )
    ids = [found["viewer"]["tenant"]["id"], found["project"]["id"], found["task"]["id"]]
    ids += [edge["node"]["id"] for name in ("activity", "apiKeys") for edge in found[name]["edges"]]
    return {key.type_name: each for each in ids if (key := decode_id(each))}


def every_line(somebody: Somebody) -> Mapping[str, bool]:
    """What the table says of this caller."""
    return {name: line.allows(role=somebody.role, scopes=somebody.scopes) for name, line in LINES.items()}


def narrower(somebody: Somebody, *, ids: Mapping[str, str], other: str) -> Mapping[str, bool]:
    """The lines with a colon: whether the caller was let through."""
    asker = somebody.asker
    nodes = {f"node:{kind}": asker.answer(NODE, id=each)["data"]["node"] is not None for kind, each in ids.items()}
    arguments = {
        "assignee": "assignee: $id",
        "actor": "actor: $id",
        "filter.assignee": "filter: {assignee: $id}",
        "filter.changedBy": "filter: {changedBy: $id}",
    }
    analytics = {
        f"analytics:{name}": not forbids(asker.answer(ANALYTICS.format(argument), id=other))
        for name, argument in arguments.items()
    }
    apart = {name: not forbids(asker.answer(document.text)) for name, document in documents_apart().items()}
    validated = asker.answer(VALIDATE)
    errors = [] if forbids(validated) else validated["data"]["validateTask"]["errors"]
    allowed = not forbids(validated) and "FORBIDDEN" not in [error["code"] for error in errors]
    return {**nodes, **analytics, **apart, "validateTask:payload": allowed}


@pytest.mark.django_db(transaction=True)
def test_every_field_is_answered_or_refused_as_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    """P77: every field of the schema, by every sort of caller, over HTTP."""
    people = cast()
    made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(4): "review"})
    nowhere = person(company=people.acme, name="Nobody", role=Role.MEMBER)
    everybody = list(callers(people))
    asked = documents()
    ids = node_ids(everybody[0].asker)
    other = encode_id(type_name="Actor", pk=nowhere.actor.id)
    cells = 0
    for somebody in everybody:
        for name, document in asked.items():
            check_field(somebody, name=name, line=LINES[name], text=document.text)
            cells += len(document.covers)
        let_through = narrower(somebody, ids=ids, other=other)
        expected = {name: LINES[name].allows(role=somebody.role, scopes=somebody.scopes) for name in let_through}
        assert let_through == expected, somebody.name
        assert not forbids(somebody.asker.answer("{ __schema { queryType { name } } }")), somebody.name
    walked = frozenset().union(*(each.covers for each in (*asked.values(), *documents_apart().values())))
    assert walked == every_field()
    with capsys.disabled():
        print(f"\naccess matrix: {len(walked)} fields x {len(everybody)} callers, {cells:,} places asked for")


@pytest.mark.django_db(transaction=True)
def test_members_ask_about_themselves() -> None:
    """Whoever may ask for figures may ask for their own, with a session and with a key."""
    people = cast()
    for role, user in _members(people.acme, people).items():
        mine = encode_id(type_name="Actor", pk=Actor.objects.get(user=user).id)
        key = new_key(tenant_id=people.acme.tenant.id, owner=user)
        for asker in (with_session(user), Asker(headers={"Authorization": f"Bearer {key}"})):
            for argument in ("assignee: $id", "actor: $id"):
                answer = asker.answer(ANALYTICS.format(argument), id=mine)
                assert forbids(answer) is not LINES["analytics:oneself"].allows(
                    role=role, scopes=frozenset(Scope.values)
                )


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_anything() -> None:
    """Without a key or a session every document is refused alike, introspection with them."""
    cast()
    texts = [*(document.text for document in documents().values()), "{ __schema { queryType { name } } }"]
    for text in texts:
        response = Asker().post(text)
        assert (response.status_code, list(response.json())) == (401, ["errors"])
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["UNAUTHENTICATED"]
