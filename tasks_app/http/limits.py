"""Limits on how large a document may be.

One pass, linear in the document: each fragment is measured once, however often it is spread.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from tasks_app.errors import Code

MAX_BYTES = 100_000
MAX_TOKENS = 10_000
MAX_COMMENTS = 1_000
MAX_LEVELS = 100
INTROSPECTION_ROOTS = frozenset({"__schema", "__type"})
SATURATION = 1_000_000


class Size(NamedTuple):
    """The measures of a selection with its fragments written out. They stop growing at SATURATION."""

    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Size") -> "Size":
        """Both, as siblings: the deeper depth, the sum of the rest."""
        return Size(
            depth=max(self.depth, other.depth),
            introspection_depth=max(self.introspection_depth, other.introspection_depth),
            fields=min(self.fields + other.fields, SATURATION),
            aliases=min(self.aliases + other.aliases, SATURATION),
            directives=min(self.directives + other.directives, SATURATION),
        )


LIMITS = Size(depth=10, introspection_depth=20, fields=1_000, aliases=30, directives=50)
WORDS = ("levels", "levels below __schema or __type", "fields", "aliases", "directives")
BEYOND_ALL = Size._make([SATURATION] * len(LIMITS))


def limit_errors(document: DocumentNode) -> list[GraphQLError]:
    """One LIMIT_EXCEEDED error per limit that an operation breaks, fragments written out; empty if it keeps them all.

    Takes any document that parses: unknown and cyclic fragments are left to the validation that follows.
    """
    ruler = _Ruler(document)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return [error for operation in operations for error in _broken(operation, ruler.operation(operation))]


def _broken(operation: OperationDefinitionNode, size: Size) -> Iterable[GraphQLError]:
    for measured, limit, word in zip(size, LIMITS, WORDS, strict=True):
        if measured > limit:
            message = f"The operation has {_counted(measured)} {word}; the limit is {limit}. Ask in several requests."
            yield GraphQLError(message, operation, extensions={"code": Code.LIMIT_EXCEEDED})


def _counted(measured: int) -> str:
    return "far too many" if measured >= SATURATION else str(measured)


class _Ruler:
    """Measures the selections of one document."""

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.measured: dict[str, Size] = {}

    def operation(self, operation: OperationDefinitionNode) -> Size:
        on_variables = [d for variable in operation.variable_definitions or () for d in variable.directives or ()]
        own = Size(directives=len(on_variables) + _directives(operation.directives))
        return own.beside(self._selections(operation.selection_set, level=1))

    def _selections(self, selection_set: SelectionSetNode | None, *, level: int) -> Size:
        """The parser bounds nesting within one definition only; MAX_LEVELS bounds it through fragments too."""
        if selection_set is None:
            return Size()
        if level > MAX_LEVELS:
            return BEYOND_ALL
        size = Size()
        for selection in selection_set.selections:
            size = size.beside(self._selection(selection, level=level))
        return size

    def _selection(self, selection: SelectionNode, *, level: int) -> Size:
        own = Size(directives=_directives(selection.directives))
        if isinstance(selection, FieldNode):
            return own.beside(self._field(selection, level=level))
        if isinstance(selection, InlineFragmentNode):
            return own.beside(self._selections(selection.selection_set, level=level + 1))
        if isinstance(selection, FragmentSpreadNode):
            return own.beside(self._fragment(selection.name.value, level=level))
        return own

    def _field(self, field: FieldNode, *, level: int) -> Size:
        inner = self._selections(field.selection_set, level=level + 1)
        introspecting = field.name.value in INTROSPECTION_ROOTS
        deeper = max(inner.depth, inner.introspection_depth)
        return inner._replace(
            depth=1 if introspecting else inner.depth + 1,
            introspection_depth=deeper + 1 if introspecting else inner.introspection_depth,
            fields=min(inner.fields + 1, SATURATION),
            aliases=min(inner.aliases + (field.alias is not None), SATURATION),
        )

    def _fragment(self, name: str, *, level: int) -> Size:
        fragment = self.fragments.get(name)
        if fragment is None:
            return Size()
        if name not in self.measured:
            self.measured[name] = Size()  # what a cycle finds when it comes back here
            own = Size(directives=_directives(fragment.directives))
            self.measured[name] = own.beside(self._selections(fragment.selection_set, level=level + 1))
        return self.measured[name]


def _directives(directives: Sequence[DirectiveNode] | None) -> int:
    return len(directives or ())
