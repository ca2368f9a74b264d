"""Request reading: from an HTTP request to what it asks for, as the GraphQL over HTTP specification has it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from tasks_app.errors import ApiError, Code

JSON_TYPE = "application/json"
RESPONSE_TYPE = "application/graphql-response+json"
PAGE_TYPE = "text/html"
KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 200
WILDCARDS = ("*/*", "application/*")


class HTTPError(ApiError):
    """A request that is refused with a status of its own, whatever media type it accepts."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: Code = Code.BAD_USER_INPUT,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, code=code, extensions=extensions)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Call:
    """The parameters of a GraphQL request, each of the right type."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None

    @property
    def fingerprint(self) -> bytes:
        """The same for requests that ask for the same."""
        asked = [self.query, self.operation_name, self.variables]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).digest()


def has_api_key(request: HttpRequest) -> bool:
    """Whether the request carries a key, which no browser adds by itself as it does cookies and Basic passwords."""
    return (request.headers.get("Authorization") or "").lower().startswith("bearer ")


def wants_page(request: HttpRequest) -> bool:
    """Whether a person with a browser is asking: GET, preferring HTML to JSON."""
    preferred = preferred_type(request, (JSON_TYPE, RESPONSE_TYPE, PAGE_TYPE))
    return request.method == "GET" and preferred == PAGE_TYPE


def response_type(request: HttpRequest) -> str:
    """The media type of the answer; application/json where the caller does not care. 406 if neither will do."""
    preferred = preferred_type(request, (JSON_TYPE, RESPONSE_TYPE))
    if preferred is None:
        raise HTTPError(f"Accept: only {RESPONSE_TYPE} and {JSON_TYPE} are served.", status=406)
    return preferred


def idempotency_key(request: HttpRequest) -> str | None:
    """The caller's name for this request, with or without the quotes of the IETF's draft; None without the header."""
    text = request.headers.get(KEY_HEADER)
    if text is None:
        return None
    name = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if not 1 <= len(name) <= LONGEST_KEY or not (name.isascii() and name.isprintable()):
        _refuse(f"{KEY_HEADER}: give 1 to {LONGEST_KEY} printable ASCII characters.")
    return name


def read_call(request: HttpRequest, *, documents: Mapping[str, str]) -> Call:
    """The call in a GET's query string or a POST's JSON body; HTTPError with one sentence if it is malformed.

    `documents` are those that a caller may name by `documentId` instead of sending a query.
    """
    parameters = _from_url(request) if request.method == "GET" else _from_body(request)
    query = _trusted(parameters, documents) if parameters.get("documentId") is not None else parameters.get("query")
    if not isinstance(query, str) or not query.strip():
        _refuse("query: a string with a GraphQL document is required.")
    if not _is_clean(query, nul_allowed=True):
        _refuse("query: the document has a lone surrogate in it; send valid Unicode.")
    return Call(
        query=query,
        operation_name=_optional(parameters, "operationName", str, "a string"),
        variables=_clean_object(parameters, "variables"),
        extensions=_clean_object(parameters, "extensions"),
    )


def _trusted(parameters: Mapping[str, Any], documents: Mapping[str, str]) -> str:
    name = _optional(parameters, "documentId", str, "a string")
    if parameters.get("query") is not None:
        _refuse("documentId: give a query or a documentId, not both.")
    if name not in documents:
        message = "documentId: there is no such document; GET /api/v2/analytics lists them with their ids."
        raise HTTPError(message, status=404, code=Code.NOT_FOUND)
    return documents[name]


def preferred_type(request: HttpRequest, offered: tuple[str, ...]) -> str | None:
    """The offered type with the highest quality; among equals the one that the caller wrote first."""
    best: str | None = None
    best_quality = 0.0
    for media_type, quality in _accepted(request.headers.get("Accept") or "*/*"):
        served = offered[0] if media_type in WILDCARDS else media_type
        if served in offered and quality > best_quality:
            best, best_quality = served, quality
    return best


def _accepted(header: str) -> list[tuple[str, float]]:
    parts = [_media_type(part) for part in header.split(",")]
    return [(media_type, _quality(parameters.get("q", "1"))) for media_type, parameters in parts]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _media_type(text: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = [part.strip() for part in text.split(";")]
    pairs = [parameter.partition("=") for parameter in parameters]
    return kind.lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _from_url(request: HttpRequest) -> dict[str, Any]:
    """A link or an image on another site makes a browser send a GET with its cookies, but not with these headers."""
    if not has_api_key(request):
        if "documentId" not in request.GET:
            _refuse("A GET with a query needs an API key, as Authorization: Bearer <key>. With a session send a POST.")
        if not _names_json(request):
            _refuse(f"Accept: a GET must accept {RESPONSE_TYPE} or {JSON_TYPE} by name.")
    parameters: dict[str, Any] = dict(request.GET.items())
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = _json(parameters[name], place=name) if parameters[name] else None
    return parameters


def _names_json(request: HttpRequest) -> bool:
    named = {media_type for media_type, _ in _accepted(request.headers.get("Accept") or "")}
    return bool(named & {JSON_TYPE, RESPONSE_TYPE})


def _from_body(request: HttpRequest) -> dict[str, Any]:
    media_type, parameters = _media_type(request.headers.get("Content-Type") or "")
    if media_type != JSON_TYPE:
        raise HTTPError(f"Content-Type: a POST must have {JSON_TYPE}.", status=415)
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise HTTPError("Content-Type: the charset must be utf-8.", status=415)
    body = _json(_text(request), place="The body")
    if isinstance(body, list):
        _refuse("The body is a list: send one operation in each request.")
    if not isinstance(body, dict):
        _refuse('The body must be a JSON object such as {"query": "{ __typename }"}.')
    return body


def _text(request: HttpRequest) -> str:
    try:
        return request.body.decode("utf-8")
    except RequestDataTooBig:
        raise HTTPError("The body is too large; send less in one request.", status=413) from None
    except UnicodeDecodeError:
        _refuse("The body is not UTF-8; encode it as UTF-8.")


def _json(text: str, *, place: str) -> Any:
    """ValueError covers broken JSON and integers of more than 4,300 digits."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse(f"{place} is not valid JSON.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _optional(parameters: Mapping[str, Any], name: str, kind: type, words: str) -> Any:
    value = parameters.get(name)
    if value is not None and not isinstance(value, kind):
        _refuse(f"{name} must be {words} or null.")
    return value


def _clean_object(parameters: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value: dict[str, Any] | None = _optional(parameters, name, dict, "an object")
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and not _is_clean(item):
            _refuse(f"{name}: a string has a NUL or a lone surrogate in it; leave it out.")
        waiting.extend(_inside(item))
    return value


def _inside(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    return item if isinstance(item, list) else []


def _is_clean(text: str, *, nul_allowed: bool = False) -> bool:
    """Whether PostgreSQL and UTF-8 can hold the text."""
    if text.isascii():
        return nul_allowed or "\0" not in text
    return (nul_allowed or "\0" not in text) and not any("\ud800" <= character <= "\udfff" for character in text)


def _refuse(message: str) -> NoReturn:
    raise HTTPError(message, status=400)
