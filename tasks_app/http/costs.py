"""Costs of an operation, in points: an estimate from the document and its arguments, before anything is read.

The unit below is the row: about what it takes to read one of a rollup. An answer that turned out shorter than it might have
been costs less: `Bill.actual`. The prices of fields that read more than they show come with the schema.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.execution.values import VariableValues, get_argument_values

from tasks_app.http.connections import MAX_PAGE

Arguments = Mapping[str, Any]
# From a field's name, its arguments and those of the field above it, to rows.
Price = Callable[[str, Arguments, Arguments], int]

ROWS_A_POINT = 1_000
OBJECT_ROWS = 20
MUTATION_ROWS = 1_000
INTROSPECTION_ROWS = 20_000
# A list is counted whole for `totalCount`.
FIELD_ROWS: Mapping[str, int] = {"totalCount": 1_000, "__schema": INTROSPECTION_ROWS, "__type": INTROSPECTION_ROWS}
# How long a list is that nobody said the length of.
LIST_LENGTH = 10
PAGE_ARGUMENTS = ("first", "last")
MOST_ROWS = 10**12


@dataclass(frozen=True, kw_only=True)
class Bill:
    """`fixed`: rows whatever the answer holds; `objects`: how many objects it may hold at most."""

    fixed: int
    objects: int

    @property
    def estimate(self) -> int:
        """Points that the operation may cost; at least 1."""
        return _points(self.fixed + self.objects * OBJECT_ROWS)

    def actual(self, data: Any) -> int:
        """Points that it did cost, with that answer; never more than the estimate."""
        return min(self.estimate, _points(self.fixed + objects_in(data) * OBJECT_ROWS))


# Of a request that reads no more than who is asking.
NOTHING = Bill(fixed=0, objects=0)


def objects_in(data: Any) -> int:
    """How many objects an answer holds. Lists of plain values, however long, are one column each and hold none."""
    count, waiting = 0, [data]
    while waiting:
        item = waiting.pop()
        inside: Iterable[Any] = ()
        if isinstance(item, dict):
            count += 1
            inside = item.values()
        elif isinstance(item, list) and item and (item[0] is None or isinstance(item[0], dict | list)):
            inside = item
        waiting.extend(value for value in inside if isinstance(value, dict | list))
    return count


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """Bills the operations of a schema. `prices` are by the name of the type that a field is of."""

    schema: GraphQLSchema
    prices: Mapping[str, Price]

    def bill(
        self,
        operation: OperationDefinitionNode,
        *,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> Bill:
        """The bill of an operation that is valid, with its variables as graphql-core has coerced them."""
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            return Bill(fixed=0, objects=0)
        counter = _Counter(tariff=self, fragments=fragments, variables=variables)
        counter.selections(operation.selection_set, of=root, above={}, times=1)
        return Bill(fixed=min(counter.fixed, MOST_ROWS), objects=min(counter.objects, MOST_ROWS))


@dataclass(kw_only=True)
class _Counter:
    """Walks one operation, fragments written out: the limits have bounded how much that is."""

    tariff: Tariff
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues
    fixed: int = 0
    objects: int = 0

    def selections(
        self,
        selection_set: SelectionSetNode | None,
        *,
        of: GraphQLObjectType | GraphQLInterfaceType,
        above: Arguments,
        times: int,
    ) -> None:
        """`above` are the arguments of the field whose selections these are; `times` how often it stands in the answer."""
        for node in self._fields(selection_set, of):
            field, owner = node
            definition = self.tariff.schema.get_field(owner, field.name.value)
            if definition is not None:
                self._field(field, definition, owner=owner, above=above, times=times)

    def _fields(
        self, selection_set: SelectionSetNode | None, of: Any
    ) -> Iterable[tuple[FieldNode, GraphQLObjectType | GraphQLInterfaceType]]:
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FieldNode):
                yield selection, of
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                yield from self._fields(fragment.selection_set, self._type(fragment, of))
            elif isinstance(selection, InlineFragmentNode):
                yield from self._fields(selection.selection_set, self._type(selection, of))

    def _type(self, node: FragmentDefinitionNode | InlineFragmentNode, of: Any) -> Any:
        condition = node.type_condition
        return self.tariff.schema.type_map[condition.name.value] if condition else of

    def _field(self, node: FieldNode, definition: GraphQLField, *, owner: Any, above: Arguments, times: int) -> None:
        name = node.name.value
        arguments = self._arguments(node, definition)
        self.fixed += times * self._own_rows(name, owner=owner, arguments=arguments, above=above)
        named: Any = get_named_type(definition.type)
        if node.selection_set is None or name in FIELD_ROWS:
            return
        length = times * _length(definition, name=name, arguments=arguments, above=above)
        self.objects += length
        # Of a connection's page the size is said one level higher.
        self.selections(node.selection_set, of=named, above=arguments, times=length)

    def _arguments(self, node: FieldNode, definition: GraphQLField) -> Arguments:
        """Empty where they are wrong in a way that only the field itself will say."""
        try:
            return get_argument_values(definition, node, self.variables)
        except GraphQLError:
            return {}

    def _own_rows(self, name: str, *, owner: Any, arguments: Arguments, above: Arguments) -> int:
        price = self.tariff.prices.get(owner.name)
        rows = price(name, arguments, above) if price else FIELD_ROWS.get(name, 0)
        if owner is self.tariff.schema.mutation_type:
            rows += MUTATION_ROWS + OBJECT_ROWS * _given(arguments)
        return rows


def _length(definition: GraphQLField, *, name: str, arguments: Arguments, above: Arguments) -> int:
    if not is_list_type(get_nullable_type(definition.type)):
        return 1
    size = _page(arguments) or (_page(above) if name == "edges" else None)
    return LIST_LENGTH if size is None else size


def _page(arguments: Arguments) -> int | None:
    """The page's size; a size that will be refused costs no more than the largest that is not."""
    for name in PAGE_ARGUMENTS:
        if isinstance(arguments.get(name), int):
            return max(1, min(int(arguments[name]), MAX_PAGE))
    return None


def _given(value: Any) -> int:
    """How many elements the lists in an argument have."""
    if isinstance(value, Mapping):
        return sum(map(_given, value.values()))
    return sum(1 + _given(each) for each in value) if isinstance(value, list) else 0


def _points(rows: int) -> int:
    return max(1, -(-rows // ROWS_A_POINT))
