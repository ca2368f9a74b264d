"""Connection fields: lists asked for by first, after, last and before, of a model's rows or of what a resolver reads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import strawberry
from django.db.models import Model
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions import FieldExtension
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from tasks_app.graphql.asking import Asking, Info
from tasks_app.http.connections import MAX_PAGE, Connection, PageArgs, keyset_page
from tasks_app.http.cursors import Keyset

Row = TypeVar("Row", bound=Model)

# The parameter by which a resolver gets the four arguments.
PAGE = "page"
ARGUMENTS = {
    "first": (int | None, f"So many from the list's beginning, or after `after`: 1 to {MAX_PAGE}. This or `last`."),
    "after": (str | None, "Only what comes after this place: the cursor of an edge."),
    "last": (int | None, f"So many from the list's end, or before `before`: 1 to {MAX_PAGE}. This or `first`."),
    "before": (str | None, "Only what comes before this place: the cursor of an edge."),
}


class Paged(FieldExtension):
    """Gives a field the four arguments of a connection, and its resolver a PageArgs as `page` instead of them."""

    def apply(self, field: StrawberryField) -> None:
        """Adds the arguments; once, however often the schema is built."""
        own = [each for each in field.arguments if each.python_name not in (PAGE, *ARGUMENTS)]
        field.arguments = [*own, *(_argument(name) for name in ARGUMENTS)]

    def map_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments as the resolver takes them."""
        asked = {name: kwargs.pop(name, None) for name in ARGUMENTS}
        return {**kwargs, PAGE: PageArgs(**asked)}


def connection_field(
    *, description: str, extensions: Iterable[FieldExtension] = (), metadata: Mapping[str, Any] | None = None
) -> Any:
    """For a method with a parameter `page: PageArgs` that returns a connection: it becomes a field with the four arguments."""
    return strawberry.field(description=description, extensions=[Paged(), *extensions], metadata=metadata)


def keyset_connection(
    model: type[Row],
    *,
    of: type,
    order: Keyset,
    columns: Sequence[str],
    computed: Mapping[str, Any] | None = None,
    nodes: Callable[[list[Row], Asking], Iterable[Any]] = lambda rows, asking: rows,
    description: str,
    extensions: Iterable[FieldExtension] = (),
) -> Any:
    """The field that lists the tenant's rows of a model, as Connection[of], in an order that an index of the tenant's has.

    Fetched are `columns` and the order's, no others, and what the statement makes of them: `computed`, expressions by the
    attributes that they become. `nodes` makes the nodes of a page, one for each row and in their order; by default they are
    the rows, which is right for a record type.
    """

    def page_of_rows(info: Info, page: PageArgs) -> Connection[Any]:
        asking = info.context
        rows = model._default_manager.filter(tenant_id=asking.tenant.id).only(*order.names, *columns)
        rows = rows.annotate(**computed) if computed else rows
        found = keyset_page(rows, keyset=order, args=page)
        return found.connection_of(nodes(found.rows, asking))

    return strawberry.field(
        resolver=page_of_rows,
        graphql_type=Connection[of],  # type: ignore[valid-type]
        description=description,
        extensions=[Paged(), *extensions],
    )


def _argument(name: str) -> StrawberryArgument:
    kind, description = ARGUMENTS[name]
    return StrawberryArgument(
        python_name=name, graphql_name=None, type_annotation=StrawberryAnnotation(kind), description=description
    )
