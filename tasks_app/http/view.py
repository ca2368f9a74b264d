"""GraphQL over HTTP: one request, one operation, one answer.

1. `admit`: whether the address may ask at all, which costs next to nothing.
2. Read the request and settle on a media type.
3. Parse the document and pick the operation.
4. `open_request`: who is asking. A stranger gets no further, so cannot probe the schema.
5. Its `bill`: limits, validation, and what the operation may cost. `open_request` takes the points, then the transaction.
6. Execution; or, for a request that was named and done before, its answer.
7. Mask the errors and serialise, still inside the transaction: a failure here rolls it back.
8. Leave `open_request`, which commits, and gives back points. That can still fail, and then the answer is that failure.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from graphql import DocumentNode, OperationDefinitionNode, OperationType
from strawberry.types import ExecutionResult

from tasks_app.errors import ApiError, Code
from tasks_app.http.costs import Bill
from tasks_app.http.csrf import lacks_token
from tasks_app.http.documents import parse_document, pick_operation
from tasks_app.http.masking import mask_errors, mask_exception
from tasks_app.http.reading import (
    JSON_TYPE,
    RESPONSE_TYPE,
    Call,
    HTTPError,
    has_api_key,
    idempotency_key,
    read_call,
    response_type,
    wants_page,
)
from tasks_app.http.schema import Schema
from tasks_app.observing.watch import observe

METHODS = ("GET", "POST")
PAGE = Path(__file__).with_name("graphiql.html")
PAGE_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"
)

# Codes that have a status of their own. The others are 400, or 200 where application/json is
# accepted: older clients read no body that comes with another status.
STATUSES: Mapping[str, int] = {
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.RATE_LIMITED: 429,
    Code.INTERNAL: 500,
}
REPLAYED = "Idempotency-Replayed"
# What an answer may weigh: beyond it neither the server's memory nor the caller's is safe.
MAX_ANSWER_BYTES = 20_000_000
CHALLENGE = 'Bearer realm="flowledger"'


class Context(Protocol):
    """What `open_request` yields; resolvers get it as `info.context`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers for the answer, such as RateLimit; read after execution."""

    def rollback(self) -> None:
        """Called when the result has errors: nothing that the operation wrote may stay."""

    def spent(self, points: int) -> Mapping[str, object]:
        """Called with what the operation did cost; answers what `extensions.cost` says of it."""

    def recall(self, name: str, fingerprint: bytes) -> str | None:
        """The body that was kept for the request of that name; None when it is new, which makes the name its own."""

    def keep(self, body: str) -> None:
        """Called with the answer, when it has no errors, to a request of which `recall` had none."""


OpenRequest = Callable[[HttpRequest, OperationType, Callable[[], Bill]], AbstractContextManager[Context]]
Admit = Callable[[HttpRequest], None]


def anybody(_: HttpRequest) -> None:
    """Admits every address."""


@dataclass(frozen=True)
class Answer:
    """What goes back. The body is text by the time there is one: nothing can fail after it.

    `body` is what the text was made of; nothing of an answer that is given again.
    """

    content: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


# Told apart by identity: Django keeps views as keys.
@dataclass(frozen=True, kw_only=True, eq=False)
class GraphQLHTTPView:
    """`path("graphql", GraphQLHTTPView(schema=..., open_request=...))`: a view for GET and POST.

    `open_request(request, operation_type, bill)` answers a context manager that surrounds one operation. It calls `bill`
    once it knows the caller, and raises ApiError to refuse them: the code becomes the HTTP status (UNAUTHENTICATED 401,
    FORBIDDEN 403, RATE_LIMITED 429), and `retryAfter` in its extensions the Retry-After header. `admit(request)` raises
    the same, before anything is read.
    """

    schema: Schema
    open_request: OpenRequest
    # Trusted documents by their ids: whoever sends an id instead of a query runs that text.
    documents: Mapping[str, str] = field(default_factory=dict)
    admit: Admit = anybody

    # Django's middleware would ask API keys for a token too; `_check_csrf` asks cookies alone.
    csrf_exempt: ClassVar[bool] = True

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The page for a person with a browser, the GraphQL answer for everybody else."""
        if wants_page(request):
            return _page(request)
        media_type = JSON_TYPE
        try:
            self.admit(request)
            _check_method(request)
            media_type = response_type(request)
            answer = self._answer(request, media_type)
        except Exception as error:
            answer = _refusal(error, media_type)
        return _response(answer, media_type)

    def answered(self, request: HttpRequest, call: Call) -> Answer:
        """The answer to a query that did not come as GraphQL, errors with a status included."""
        try:
            self.admit(request)
            return self._run(request, call, RESPONSE_TYPE)
        except Exception as error:
            return self.refused(error)

    def refused(self, error: Exception) -> Answer:
        """What whoever caused it is told."""
        return _refusal(error, RESPONSE_TYPE)

    def _answer(self, request: HttpRequest, media_type: str) -> Answer:
        call = read_call(request, documents=self.documents)
        _check_csrf(request)
        return self._run(request, call, media_type)

    def _run(self, request: HttpRequest, call: Call, media_type: str) -> Answer:
        question = _Question.asked(call, schema=self.schema)
        kind = question.operation.operation
        if request.method == "GET" and kind is not OperationType.QUERY:
            raise HTTPError("A mutation needs a POST.", status=405, headers={"Allow": "POST"})
        name = idempotency_key(request) if kind is OperationType.MUTATION else None
        with self.open_request(request, kind, question.bill) as context:
            if name is not None and (kept := context.recall(name, call.fingerprint)) is not None:
                context.spent(1)
                observe(())
                return Answer(content=kept, headers={**context.headers, REPLAYED: "true"})
            answer, failed = question.answer(context, media_type=media_type)
            if failed:
                context.rollback()
            elif name is not None:
                context.keep(answer.content)
            return answer


@dataclass(kw_only=True)
class _Question:
    """One operation of a document that parses, and what it may cost once that was asked."""

    schema: Schema
    call: Call
    document: DocumentNode
    operation: OperationDefinitionNode
    billed: Bill | None = None

    @classmethod
    def asked(cls, call: Call, *, schema: Schema) -> "_Question":
        document = schema.known.get(call.query) or parse_document(call.query)
        operation = pick_operation(document, name=call.operation_name)
        return cls(schema=schema, call=call, document=document, operation=operation)

    def bill(self) -> Bill:
        """RequestErrors when the document breaks a limit, or does not fit the schema."""
        self.schema.check(self.document, text=self.call.query)
        self.billed = self.schema.bill(self.document, self.operation, variables=self.call.variables)
        return self.billed

    def answer(self, context: Context, *, media_type: str) -> tuple[Answer, bool]:
        """The answer, and whether it has errors."""
        name = self.operation.name
        result = self.schema.run(
            document=self.document,
            text=self.call.query,
            operation_name=name.value if name else None,
            variables=self.call.variables,
            extensions=self.call.extensions,
            context=context,
            checked=self.billed is not None,
        )
        if self.billed is not None:
            cost = context.spent(self.billed.actual(result.data))
            result.extensions = {**(result.extensions or {}), "cost": cost}
        return _serialised(result, media_type=media_type, headers=context.headers), bool(result.errors)


def _check_method(request: HttpRequest) -> None:
    if request.method not in METHODS:
        allow = {"Allow": ", ".join(METHODS)}
        raise HTTPError("GraphQL is served by GET and POST.", status=405, headers=allow)


def _check_csrf(request: HttpRequest) -> None:
    """A browser sends its cookies wherever another site's page tells it to."""
    if has_api_key(request) or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return
    if lacks_token(request):
        message = "A session needs its CSRF token: send the csrftoken cookie's value as X-CSRFToken."
        raise HTTPError(message, status=403, code=Code.FORBIDDEN)


def _serialised(result: ExecutionResult, *, media_type: str, headers: Mapping[str, str]) -> Answer:
    """The result as the specification has it: a request error, which no field has raised, comes without data."""
    errors = result.errors or []
    body: dict[str, Any] = {"errors": mask_errors(errors)} if errors else {}
    refused = bool(errors) and result.data is None and all(error.path is None for error in errors)
    if not refused:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    observe(body.get("errors", ()))
    if not refused:
        return Answer(content=_bounded(_json(body)), headers=headers, body=body)
    first = body["errors"][0]["extensions"]
    headers = {**headers, **_headers(first)}
    return Answer(content=_json(body), status=_status(first, media_type), headers=headers, body=body)


def _refusal(error: Exception, media_type: str) -> Answer:
    masked = mask_exception(error)
    observe(masked)
    extensions = masked[0]["extensions"]
    own = error if isinstance(error, HTTPError) else None
    body = {"errors": masked}
    return Answer(
        content=_json(body),
        body=body,
        status=own.status if own else _status(extensions, media_type),
        headers={**_headers(extensions), **(own.headers if own else {})},
    )


def _status(extensions: Mapping[str, Any], media_type: str) -> int:
    return STATUSES.get(extensions["code"], 400 if media_type == RESPONSE_TYPE else 200)


def _headers(extensions: Mapping[str, Any]) -> dict[str, str]:
    headers = {"WWW-Authenticate": CHALLENGE} if extensions["code"] == Code.UNAUTHENTICATED else {}
    if "retryAfter" in extensions:
        headers["Retry-After"] = str(extensions["retryAfter"])
    return headers


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), allow_nan=False)


def _bounded(text: str) -> str:
    if len(text) > MAX_ANSWER_BYTES:
        message = f"The answer is longer than {MAX_ANSWER_BYTES:,} bytes: ask for shorter pages or fewer fields."
        raise ApiError(message, code=Code.LIMIT_EXCEEDED)
    return text


def _response(answer: Answer, media_type: str) -> HttpResponse:
    response = HttpResponse(answer.content, status=answer.status, content_type=f"{media_type}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    for name, value in answer.headers.items():
        response.headers[name] = value
    patch_vary_headers(response, ["Accept", "Authorization", "Cookie"])
    return response


def _page(request: HttpRequest) -> HttpResponse:
    """A page that talks to this endpoint and to no other host."""
    nonce = secrets.token_urlsafe(16)
    text = PAGE.read_text(encoding="utf-8").replace("{{nonce}}", nonce).replace("{{csrf}}", get_token(request))
    response = HttpResponse(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = PAGE_POLICY.format(nonce=nonce)
    response.headers["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept", "Cookie"])
    return response
