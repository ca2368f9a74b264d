"""The schema as the view needs it: our scalars, our limits, and documents that are parsed once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from tasks_app.graphql.http.limits import limit_errors
from tasks_app.graphql.http.scalars import SCALARS

_parsed: ContextVar[DocumentNode | None] = ContextVar("_parsed", default=None)


class DocumentRules(SchemaExtension):
    """Takes the document that is already parsed, and refuses one that breaks a limit before costlier rules see it."""

    def on_parse(self) -> Iterator[None]:
        self.execution_context.graphql_document = _parsed.get()
        yield

    def on_validate(self) -> Iterator[None]:
        document = self.execution_context.graphql_document
        self.execution_context.pre_execution_errors = (document and limit_errors(document)) or None
        yield


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
            config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
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
            return self.execute_sync(
                text,
                variable_values=dict(variables or {}),
                context_value=context,
                operation_name=operation_name,
                operation_extensions=dict(extensions or {}),
            )
        finally:
            _parsed.reset(token)
