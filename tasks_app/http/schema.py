"""Schema as the view needs it: our scalars, limits and prices, and documents that are parsed and checked once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_variable_values,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from tasks_app.http.costs import Bill, Price, Tariff
from tasks_app.http.documents import KnownDocuments
from tasks_app.http.limits import limit_errors
from tasks_app.http.masking import RequestErrors
from tasks_app.http.rows import ExecutionContext as RowsExecutionContext
from tasks_app.http.scalars import SCALARS
from tasks_app.observing.watch import computing

_parsed: ContextVar[DocumentNode | None] = ContextVar("_parsed", default=None)
_checked: ContextVar[bool] = ContextVar("_checked", default=False)


class DocumentRules(SchemaExtension):
    """Takes the document that is already parsed, and refuses one that breaks a limit before costlier rules see it.

    The rules are graphql-core's alone: strawberry's own for @oneOf breaks on a variable that is not
    declared, and on one in a fragment that stands before its operation.
    """

    def on_parse(self) -> Iterator[None]:
        self.execution_context.graphql_document = _parsed.get()
        yield

    def on_validate(self) -> Iterator[None]:
        document = self.execution_context.graphql_document
        if document is not None:
            # Never None, or strawberry's own rules run.
            found = [] if _checked.get() else _errors(self.execution_context.schema._schema, document)
            self.execution_context.pre_execution_errors = found
        yield


def _errors(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    return limit_errors(document) or validate(schema, document, hide_suggestions=True)


def _mark_one_of(schema: GraphQLSchema) -> None:
    """Tells graphql-core, too, which inputs are @oneOf: strawberry leaves that to its own rule."""
    for named in schema.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            definition = named.extensions.get("strawberry-definition")
            named.is_one_of = bool(getattr(definition, "is_one_of", False))


class Schema(strawberry.Schema):
    """A strawberry schema with the API's scalars and limits.

    `extensions` are strawberry's; one that raises ApiError in `on_execute` refuses the operation
    after validation and before any resolver, and what its `get_results` returns is in the answer. `prices` are of fields
    that read more than they show, by the name of their type.
    """

    def __init__(
        self,
        *,
        query: type,
        mutation: type | None = None,
        types: Iterable[type] = (),
        extensions: Iterable[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        super().__init__(
            query=query,
            mutation=mutation,
            types=types,
            extensions=(DocumentRules, *extensions),
            execution_context_class=RowsExecutionContext,
            config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
        )
        _mark_one_of(self._schema)
        self.known = KnownDocuments()
        self.tariff = Tariff(schema=self._schema, prices=prices or {})

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: masking logs what has to be logged, once."""

    def check(self, document: DocumentNode, *, text: str) -> None:
        """Nothing for a document that keeps the limits and fits the schema, which is then known; RequestErrors otherwise."""
        if self.known.get(text) is document:
            return
        if errors := _errors(self._schema, document):
            raise RequestErrors(errors)
        self.known.add(text, document)

    def bill(
        self, document: DocumentNode, operation: OperationDefinitionNode, *, variables: Mapping[str, Any] | None
    ) -> Bill:
        """What the operation of a checked document may cost; RequestErrors when its variables do not fit."""
        definitions = operation.variable_definitions or ()
        found = get_variable_values(self._schema, definitions, dict(variables or {}), hide_suggestions=True)
        if isinstance(found, list):
            raise RequestErrors(found)
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        return self.tariff.bill(operation, fragments=fragments, variables=found)

    def run(
        self,
        *,
        document: DocumentNode,
        text: str,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        extensions: Mapping[str, Any] | None,
        context: object,
        checked: bool = False,
    ) -> ExecutionResult:
        """The result of one operation of a parsed document. Errors are in it, unmasked; nothing is raised for them.

        `checked` when `check` has let the document through, which is then not done again.
        """
        token, mark = _parsed.set(document), _checked.set(checked)
        try:
            with computing(text):
                return self.execute_sync(
                    text,
                    variable_values=dict(variables or {}),
                    context_value=context,
                    operation_name=operation_name,
                    operation_extensions=dict(extensions or {}),
                )
        finally:
            _parsed.reset(token)
            _checked.reset(mark)
