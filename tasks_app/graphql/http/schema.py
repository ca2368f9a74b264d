"""The schema as the view needs it: our scalars, our limits, and documents that are parsed once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLInputObjectType, GraphQLSchema, validate
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from tasks_app.graphql.http.limits import limit_errors
from tasks_app.graphql.http.rows import ExecutionContext as RowsExecutionContext
from tasks_app.graphql.http.scalars import SCALARS
from tasks_app.observing.watch import computing

_parsed: ContextVar[DocumentNode | None] = ContextVar("_parsed", default=None)


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
            schema = self.execution_context.schema._schema
            errors = limit_errors(document) or validate(schema, document, hide_suggestions=True)
            self.execution_context.pre_execution_errors = errors
        yield


def _mark_one_of(schema: GraphQLSchema) -> None:
    """Tells graphql-core, too, which inputs are @oneOf: strawberry leaves that to its own rule."""
    for named in schema.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            definition = named.extensions.get("strawberry-definition")
            named.is_one_of = bool(getattr(definition, "is_one_of", False))


class Schema(strawberry.Schema):
    """A strawberry schema with the API's scalars and limits.

    `extensions` are strawberry's; one that raises ApiError in `on_execute` refuses the operation
    after validation and before any resolver, and what its `get_results` returns is in the answer.
    """

    def __init__(
        self,
        *,
        query: type,
        mutation: type | None = None,
        types: Iterable[type] = (),
        extensions: Iterable[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
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

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: masking logs what has to be logged, once."""

    def run(
        self,
        *,
        document: DocumentNode,
        text: str,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        extensions: Mapping[str, Any] | None,
        context: object,
    ) -> ExecutionResult:
        """The result of one operation of a parsed document. Errors are in it, unmasked; nothing is raised for them."""
        token = _parsed.set(document)
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
