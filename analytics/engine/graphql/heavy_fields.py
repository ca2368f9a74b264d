"""Heavy fields of an operation: those that are weighed, found by the mark that they are declared with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

# `strawberry.field(metadata=HEAVY)`: the field weighs itself, and is left to a job where it is too heavy.
HEAVY: Final[Mapping[str, Any]] = {"heavy": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeavyFields:
    """How many heavy fields an operation has, and whether whatever it asks for stands below one."""

    count: int
    alone: bool


def heavy_fields(schema: GraphQLSchema, *, document: DocumentNode, operation: OperationDefinitionNode) -> HeavyFields:
    """Those of an operation that fits the schema, fragments written out. A field that is not in the schema is not heavy."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    walk = _Walk(schema=schema, fragments=fragments)
    found = list(walk.weights(operation.selection_set, schema.get_root_type(operation.operation)))
    return HeavyFields(count=sum(found), alone=all(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]

    def weights(self, selected: SelectionSetNode | None, kind: Any) -> Iterator[bool]:
        """True for each heavy field, False for each that is below none and has nothing below itself."""
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                yield from self._of_field(node, kind)
            else:
                yield from self._of_fragment(node, kind)

    def _of_field(self, node: FieldNode, kind: Any) -> Iterator[bool]:
        declared = self.schema.get_field(kind, node.name.value) if kind else None
        if declared is not None and node.selection_set is not None and not _is_heavy(declared):
            yield from self.weights(node.selection_set, get_named_type(declared.type))
        else:
            yield declared is not None and _is_heavy(declared)

    def _of_fragment(self, node: Any, kind: Any) -> Iterator[bool]:
        found = node if isinstance(node, InlineFragmentNode) else self.fragments.get(node.name.value)
        if found is not None:
            condition = found.type_condition
            yield from self.weights(
                found.selection_set, self.schema.get_type(condition.name.value) if condition else kind
            )


def _is_heavy(declared: GraphQLField) -> bool:
    field = declared.extensions.get("strawberry-definition")
    return field is not None and bool(field.metadata.get("heavy"))
