"""Document endpoints for curl and for BI tools: GET /api/v2/analytics/<name>?..., JSON or CSV."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from graphql import OperationType

from analytics.engine.documents.document import Document
from analytics.graphql.documents.parameters import FORMAT, meaning, parameter_names, variables_of
from tasks_app.admin.downloads import csv_response
from tasks_app.errors import Code
from tasks_app.http.costs import NOTHING
from tasks_app.http.reading import JSON_TYPE, Call, HTTPError, preferred_type
from tasks_app.http.view import STATUSES as STATUSES_OF_ALL
from tasks_app.http.view import Answer, GraphQLHTTPView

CSV_TYPE = "text/csv"
FORMATS: Mapping[str, str] = {"json": JSON_TYPE, "csv": CSV_TYPE}
# A report of a window that is over, of what was known at an instant after which nothing can be added: it never changes.
FOR_EVER = "private, max-age=31536000, immutable"
# Late facts change what is known of a window that is over: ask whether the ETag is still that of the figures.
ASK_AGAIN = "private, max-age=0, must-revalidate"
# An address is not there, or not yet answered, where GraphQL has a field of which that is said.
STATUSES: Mapping[str, int] = {**STATUSES_OF_ALL, Code.NOT_FOUND: 404, Code.ASYNC_REQUIRED: 202}


@dataclass(frozen=True, kw_only=True, eq=False)
class DocumentView:
    """`path("api/v2/analytics/<slug:name>", DocumentView(graphql=..., documents=...))`: one document's answer to a GET.

    Whoever may ask GraphQL may ask here, under the same limits. JSON is the GraphQL answer as it is, CSV its table, with the
    receipt's digest in X-Flowledger-Digest. The ETag is that of the figures: it stays while they do.
    """

    graphql: GraphQLHTTPView
    documents: Mapping[str, Document]
    csrf_exempt: ClassVar[bool] = True

    def __call__(self, request: HttpRequest, name: str) -> HttpResponse:
        """The figures, 304 where the caller has them, or the error with its status."""
        try:
            _check_method(request)
            document = _document(name, self.documents)
            media_type = _media_type(request)
            variables = variables_of(document, request.GET)
        except HTTPError as error:
            return _json_response(self.graphql.refused(error))
        call = Call(query=document.text, operation_name=None, variables=variables, extensions=None)
        answer = self.graphql.answered(request, call)
        if errors := answer.body.get("errors"):
            return _json_response(answer, status=_status(answer, errors[0]["extensions"]["code"]))
        return _found(request, answer, document=document, media_type=media_type)


@dataclass(frozen=True, kw_only=True, eq=False)
class DocumentIndexView:
    """What documents there are, with their parameters and columns, for whoever is signed in or has a key."""

    graphql: GraphQLHTTPView
    documents: Mapping[str, Document]
    csrf_exempt: ClassVar[bool] = True

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The list as JSON."""
        try:
            _check_method(request)
            self.graphql.admit(request)
            with self.graphql.open_request(request, OperationType.QUERY, lambda: NOTHING):
                pass
        except Exception as error:
            return _json_response(self.graphql.refused(error))
        return _json_response(
            Answer(content=json.dumps({"documents": [_described(each) for each in self.documents.values()]}))
        )


def _described(document: Document) -> dict[str, Any]:
    return {
        "name": document.name,
        "url": f"/api/v2/analytics/{document.name}",
        "documentId": document.id,
        "description": document.sentence,
        "parameters": [_parameter(document, name) for name in parameter_names(document)],
        "document": document.text,
    }


def _parameter(document: Document, name: str) -> dict[str, Any]:
    variable = document.variables.get(name)
    return {
        "name": name,
        "type": variable.kind if variable else "String",
        "required": variable.is_required if variable else False,
        "default": variable.default if variable else None,
        "description": meaning(document, name),
    }


def _document(name: str, documents: Mapping[str, Document]) -> Document:
    if name not in documents:
        message = f"There is no document {name[:60]!r}; GET /api/v2/analytics lists them: {', '.join(documents)}."
        raise HTTPError(message, status=404, code=Code.NOT_FOUND)
    return documents[name]


def _check_method(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise HTTPError("Documents are served by GET.", status=405, headers={"Allow": "GET, HEAD"})


def _media_type(request: HttpRequest) -> str:
    asked = request.GET.get(FORMAT)
    if asked is not None and asked not in FORMATS:
        raise HTTPError(f"format: {asked[:40]!r} is not served; write json or csv.", status=400)
    found = FORMATS[asked] if asked else preferred_type(request, (JSON_TYPE, CSV_TYPE))
    if found is None:
        raise HTTPError(f"Accept: only {JSON_TYPE} and {CSV_TYPE} are served.", status=406)
    return found


def _status(answer: Answer, code: str) -> int:
    return STATUSES.get(code, 400 if answer.status == 200 else answer.status)


def _found(request: HttpRequest, answer: Answer, *, document: Document, media_type: str) -> HttpResponse:
    data = answer.body["data"]
    proven = document.object_with("receipt", data)
    receipt: Mapping[str, Any] | None = proven and proven["receipt"]
    if not proven or receipt is None:
        headers = {"Cache-Control": "private, no-cache"}
    else:
        etag = f'W/"{receipt["digest"]}.{media_type.partition("/")[2]}"'
        headers = {"ETag": etag, "Cache-Control": _cache_control(request, receipt, proven["window"])}
        if etag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
            return _with(HttpResponse(status=304), headers)
    if media_type == CSV_TYPE:
        table = document.table(data)
        digest = receipt["digest"] if receipt else None
        response = csv_response(name=document.name, header=table.header, rows=table.rows, digest=digest)
        return _with(response, {**answer.headers, **headers, **_next_page(request, document, data)})
    return _with(_json_response(answer), {**headers, **_next_page(request, document, data)})


def _cache_control(request: HttpRequest, receipt: Mapping[str, Any], window: Mapping[str, Any]) -> str:
    known_at = datetime.fromisoformat(receipt["knownAt"])
    is_over = datetime.fromisoformat(window["to"]) <= known_at
    is_pinned = "knownAt" in request.GET and receipt["settled"]
    if not is_over:
        return "private, no-cache"
    return FOR_EVER if is_pinned else ASK_AGAIN


def _next_page(request: HttpRequest, document: Document, data: Any) -> dict[str, str]:
    """Where the rows go on, as RFC 8288 has it."""
    page = document.object_with("pageInfo", data)
    info = page and page["pageInfo"]
    if not info or not info["hasNextPage"]:
        return {}
    query = request.GET.copy()
    query["after"] = info["endCursor"]
    return {"Link": f'<{request.path}?{query.urlencode()}>; rel="next"'}


def _json_response(answer: Answer, *, status: int | None = None) -> HttpResponse:
    content_type = f"{JSON_TYPE}; charset=utf-8"
    response = HttpResponse(answer.content, status=status or answer.status, content_type=content_type)
    return _with(response, {"Cache-Control": "no-store", **answer.headers})


def _with(response: Any, headers: Mapping[str, str]) -> HttpResponse:
    for name, value in headers.items():
        response[name] = value
    patch_vary_headers(response, ["Accept", "Authorization", "Cookie", "X-Tenant"])
    found: HttpResponse = response
    return found
