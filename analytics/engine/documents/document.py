"""Document, a query that ships with the product: its name, the id that its text gives, its parameters, its table."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNode,
    VariableDefinitionNode,
    parse,
    print_ast,
)

from analytics.engine.documents.tables import Data, Table


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
    """One query. Its text begins with a comment: the sentence that says what it answers.

    `table` makes of its data what CSV has. `meanings` say what its parameters mean, beside those that any document may have;
    they may be of more than it has.
    """

    name: str
    text: str
    table: Callable[[Data], Table]
    meanings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """ValueError for a text that does not begin with its sentence."""
        if not (self.text.startswith("# ") and self.sentence.endswith(".")):
            raise ValueError(
                f"The document {self.name!r} does not begin with its sentence; write `# ...` with a full stop."
            )

    @property
    def id(self) -> str:
        """As `documentId` has it: the text can be no other."""
        return f"sha256:{sha256(self.text.encode()).hexdigest()}"

    @property
    def sentence(self) -> str:
        """What it answers."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @cached_property
    def _operation(self) -> OperationDefinitionNode:
        operation = parse(self.text).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)  # noqa: S101  a test walks them all
        return operation

    def object_with(self, name: str, data: Any) -> Mapping[str, Any] | None:
        """Of the document's data: the object that the field of that name is selected in; None where there is none."""
        path = _path_to(self._operation.selection_set, name)
        for key in path or ():
            data = data and data[key]
        found: Mapping[str, Any] | None = data if path is not None else None
        return found

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """By name, in the order in which they are declared."""
        return {each.name: each for each in map(_variable, self._operation.variable_definitions or ())}


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


def _path_to(selected: SelectionSetNode | None, name: str) -> tuple[str, ...] | None:
    """From above, the names of the fields down to the first that has one of that name among its own."""
    fields = [node for node in (selected.selections if selected else ()) if isinstance(node, FieldNode)]
    if any(node.name.value == name for node in fields):
        return ()
    for node in fields:
        found = _path_to(node.selection_set, name)
        if found is not None:
            return (node.name.value, *found)
    return None


def _unwrapped(kind: TypeNode) -> Iterator[TypeNode]:
    yield kind
    if isinstance(kind, NonNullTypeNode | ListTypeNode):
        yield from _unwrapped(kind.type)


def read_document(path: Path, *, table: Callable[[Data], Table], meanings: Mapping[str, str] | None = None) -> Document:
    """The document of that file, which has its name."""
    return Document(name=path.stem, text=path.read_text(encoding="utf-8"), table=table, meanings=meanings or {})
