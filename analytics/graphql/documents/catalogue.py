"""The documents that ship with the product: each has a name, an id that its text gives, and parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from graphql import (
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    VariableDefinitionNode,
    parse,
    print_ast,
)

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of a document. `kind` is its type's name without lists and marks; `default` as GraphQL writes it."""

    name: str
    kind: str
    is_list: bool
    is_required: bool
    default: str | None


@dataclass(frozen=True, kw_only=True)
class Document:
    """One query. Its text begins with a comment: the sentence that says what it answers."""

    name: str
    text: str

    @property
    def id(self) -> str:
        """As `documentId` has it: the text can be no other."""
        return f"sha256:{sha256(self.text.encode()).hexdigest()}"

    @property
    def sentence(self) -> str:
        """What it answers."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """By name, in the order in which they are declared."""
        operation = parse(self.text).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)  # noqa: S101  a test walks them all
        return {each.name: each for each in map(_variable, operation.variable_definitions or ())}


def _variable(node: VariableDefinitionNode) -> Variable:
    kinds = list(_unwrapped(node.type))
    default = None if node.default_value is None else print_ast(node.default_value)
    named = kinds[-1]
    return Variable(
        name=node.variable.name.value,
        kind=named.name.value if isinstance(named, NamedTypeNode) else "",
        is_list=any(isinstance(kind, ListTypeNode) for kind in kinds),
        is_required=isinstance(node.type, NonNullTypeNode) and default is None,
        default=default,
    )


def _unwrapped(kind: TypeNode) -> Iterator[TypeNode]:
    yield kind
    if isinstance(kind, NonNullTypeNode | ListTypeNode):
        yield from _unwrapped(kind.type)


def _read(path: Path) -> Document:
    return Document(name=path.stem, text=path.read_text(encoding="utf-8"))


DOCUMENTS: Mapping[str, Document] = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.graphql"))}
# What a caller may send as `documentId` in place of a query.
TEXTS_BY_ID: Mapping[str, str] = {document.id: document.text for document in DOCUMENTS.values()}
