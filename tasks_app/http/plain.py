"""Plain fields, which need nothing but their object: an attribute, or a resolver without arguments and context.

The executor makes for each field of each object a record of all that a resolver might ask for, and looks three times whether
somebody has to wait. Most fields of an answer ask for nothing, and nobody waits.
"""

from collections.abc import Callable, Mapping
from inspect import Parameter
from operator import attrgetter
from typing import Any, NamedTuple

from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, Undefined, is_leaf_type
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

Read = Callable[[Any], Any]


class Plain(NamedTuple):
    """How such a field is answered: read from its object; a leaf is then written, an object's own fields follow."""

    selected: Any
    field: GraphQLField
    read: Read
    write: Callable[[Any], Any] | None
    object_type: GraphQLObjectType | None


# A field by its name in the answer, what is selected of it, and how it is answered where that is plain.
Way = tuple[str, Any, Plain | None]


class PlainFields(StrawberryGraphQLCoreExecutionContext):
    """The executor, with a shorter way for plain fields. Whatever is not as it should be goes the usual way, once read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ways: dict[tuple[GraphQLObjectType, int], tuple[Any, list[Way]]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        """The fields of one object, in the order of the selection."""
        if position_context is not None or (self.middleware_manager and self.middleware_manager.middlewares):
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        found: dict[str, Any] = {}
        for key, selected, plain in self._ways_of(parent_type, grouped_field_set):
            place = Path(path, key, parent_type.name)
            if plain is not None:
                found[key] = self._plainly(plain, parent_type, source_value, place)
                continue
            result = self.execute_field(parent_type, source_value, selected, place, None)
            if self.is_awaitable(result):
                return super().execute_fields(parent_type, source_value, path, grouped_field_set, None)
            if result is not Undefined:
                found[key] = result
        return found

    def _ways_of(self, parent_type: GraphQLObjectType, grouped: Mapping[str, Any]) -> list[Way]:
        """Worked out once an operation. What is kept has the selection with it, so that no other gets its number."""
        name = (parent_type, id(grouped))
        known = self._ways.get(name)
        if known is None:
            ways = [(key, selected, _plain(parent_type, selected)) for key, selected in grouped.items()]
            known = self._ways[name] = (grouped, ways)
        return known[1]

    def _plainly(self, plain: Plain, parent_type: GraphQLObjectType, source: Any, place: Path) -> Any:
        try:
            value = plain.read(source)
            if value is None or isinstance(value, Exception):
                return self._usually(plain, parent_type, value, place)
            if plain.write is not None:
                written = plain.write(value)
                if written is not None and written is not Undefined:
                    return written
            elif plain.object_type is not None and _is_of(value, plain.object_type):
                return self.collect_and_execute_subfields(plain.object_type, plain.selected, place, value, None)
            return self._usually(plain, parent_type, value, place)
        except Exception as error:
            self.handle_field_error(error, plain.field.type, plain.selected, place)
            return None

    def _usually(self, plain: Plain, parent_type: GraphQLObjectType, value: Any, place: Path) -> Any:
        """What the executor makes of the value: lists, nulls, objects of another type."""
        nodes = [each.node for each in plain.selected]
        info = self.build_resolve_info(plain.field, nodes, parent_type, place)
        return self.complete_value(plain.field.type, plain.selected, info, place, value, None)


def _plain(parent_type: GraphQLObjectType, selected: Any) -> Plain | None:
    field = parent_type.fields.get(selected[0].node.name.value)
    definition: Any = field and field.extensions.get("strawberry-definition")
    read = _reader(definition) if definition is not None else None
    if field is None or read is None or field.args:
        return None
    named: Any = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return Plain(
        selected=selected,
        field=field,
        read=read,
        write=named.coerce_output_value if is_leaf_type(named) else None,
        object_type=named if isinstance(named, GraphQLObjectType) else None,
    )


def _reader(definition: StrawberryField) -> Read | None:
    """From an object to the field's value; None where a resolver asks for more than the object, or has to be waited for."""
    if definition.extensions or definition.is_async:
        return None
    resolver = definition.base_resolver
    if resolver is None:
        return attrgetter(definition.python_name)
    taken = list(resolver.signature.parameters.values())
    objects = (resolver.self_parameter, resolver.root_parameter, resolver.parent_parameter)
    if len(taken) != 1 or taken[0] not in objects or taken[0].kind is Parameter.KEYWORD_ONLY:
        return None
    read: Read = resolver.wrapped_func  # type: ignore[assignment]
    return read


def _is_of(value: Any, object_type: GraphQLObjectType) -> bool:
    """Sure where nothing has to be asked, or the value is an instance of the very class."""
    if object_type.is_type_of is None:
        return True
    definition: Any = object_type.extensions.get("strawberry-definition")
    return definition is not None and definition.concrete_of is None and type(value) is definition.origin
