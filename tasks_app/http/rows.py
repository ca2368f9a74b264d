"""Rows of long lists of plain objects, completed at once: field by field they are most of the work of an answer."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, is_leaf_type

from tasks_app.http.plain import PlainFields

# Shorter lists gain nothing.
LONG = 50

Write = Callable[[Any], Any]
Row = tuple[str, str, Write]


class ExecutionContext(PlainFields):
    """The executor, with a shorter way for long lists of objects of which only plain attributes are selected.

    Whatever that way cannot answer (a missing attribute, a null, a value that its scalar refuses) goes the usual one, and so
    every error is the usual one, too.
    """

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """The list, completed."""
        if isinstance(result, list) and len(result) >= LONG:
            columns = self._columns(return_type.of_type, field_details_list, of=type(result[0]))
            rows = _rows(result, columns) if columns else None
            if rows is not None:
                return rows
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _columns(self, item_type: GraphQLOutputType, field_details_list: Any, *, of: type) -> Sequence[Row] | None:
        """What is selected: its name in the answer, the attribute that it is, and how it is written."""
        named: Any = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        if not isinstance(named, GraphQLObjectType) or of not in _classes(named):
            return None
        grouped, deferred, _ = self.collect_subfields(named, field_details_list)
        if deferred:
            return None
        columns = [_column(named, key, details[0].node.name.value) for key, details in grouped.items()]
        return [column for column in columns if column] if all(columns) else None


def _column(parent: GraphQLObjectType, key: str, name: str) -> Row | None:
    field = parent.fields.get(name)
    definition: Any = field and field.extensions.get("strawberry-definition")
    # Not `is_basic_field`: strawberry-django's fields say that they are none, which is for querysets.
    if field is None or definition is None or definition.base_resolver or definition.extensions:
        return None
    is_required = isinstance(field.type, GraphQLNonNull)
    written: Any = field.type.of_type if is_required else field.type
    if not is_leaf_type(written):
        return None
    return key, definition.python_name, _strictly(written.serialize) if is_required else _or_null(written.serialize)


def _strictly(write: Write) -> Write:
    def written(value: Any) -> Any:
        if value is None:
            raise ValueError("A null in a place that has none.")
        return write(value)

    return written


def _or_null(write: Write) -> Write:
    return lambda value: None if value is None else write(value)


def _rows(items: Sequence[Any], columns: Sequence[Row]) -> list[dict[str, Any]] | None:
    """The items as they are answered; None where one of them is not plain."""
    first = type(items[0])
    if any(type(item) is not first for item in items):
        return None
    try:
        return [{key: write(getattr(item, name)) for key, name, write in columns} for item in items]
    except Exception:
        return None


def _classes(named: GraphQLObjectType) -> tuple[type, ...]:
    """What values of the type are: instances of its class, or, of a record type, rows of its model."""
    definition: Any = named.extensions.get("strawberry-definition")
    origin: Any = getattr(definition, "origin", None)
    of_rows: Any = getattr(origin, "__strawberry_django_definition__", None)
    return (origin, of_rows.model) if of_rows else (origin,)
