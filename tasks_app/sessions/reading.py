"""Request bodies: the few texts that one must hold, and what is answered when it does not."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers

from tasks_app.errors import Code
from tasks_app.http.csrf import lacks_token
from tasks_app.http.masking import mask_exception
from tasks_app.http.reading import JSON_TYPE, HTTPError

LONGEST_TEXT = 4096
STATUSES: Mapping[str, int] = {Code.INTERNAL: 500}
NO_TOKEN = "Send the csrfToken that GET /api/v2/session answers as the header X-CSRFToken, with its cookie."  # noqa: S105


def check_csrf(request: HttpRequest) -> None:
    """403 for a change that a page of ours did not ask for: signing in under a stranger's name is one, too."""
    if lacks_token(request):
        raise HTTPError(NO_TOKEN, status=403, code=Code.FORBIDDEN)


def texts(request: HttpRequest, *names: str) -> list[str]:
    """The texts of those names in the JSON body. HTTPError with one sentence that names what is wrong."""
    body = _body(request)
    return [_text(body, name) for name in names]


def answered(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The answer as JSON, which nothing between may keep."""
    response = JsonResponse(dict(body), status=status, headers={"Cache-Control": "no-store", **(headers or {})})
    patch_vary_headers(response, ["Cookie", "X-Tenant"])
    return response


def refused(error: Exception) -> HttpResponse:
    """The error in the shape of a GraphQL answer; what is a fault of ours is in the log and nowhere else."""
    masked = mask_exception(error)
    if isinstance(error, HTTPError):
        return answered({"errors": masked}, status=error.status, headers=error.headers)
    return answered({"errors": masked}, status=STATUSES.get(masked[0]["extensions"]["code"], 400))


def _body(request: HttpRequest) -> Mapping[str, Any]:
    if request.content_type != JSON_TYPE:
        raise HTTPError(f"Content-Type: send the body as {JSON_TYPE}.", status=415)
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise HTTPError("The body is too large; send less in one request.", status=413) from None
    except (ValueError, RecursionError):
        raise HTTPError("The body is not valid JSON.", status=400) from None
    if not isinstance(body, dict):
        raise HTTPError("The body must be a JSON object.", status=400)
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise HTTPError(f"{name}: a text is required.", status=400)
    if len(value) > LONGEST_TEXT:
        raise HTTPError(f"{name}: more than {LONGEST_TEXT:,} characters; shorten it.", status=400)
    if "\0" in value or _is_broken(value):
        raise HTTPError(f"{name}: there is a character in it that cannot be kept.", status=400)
    return value


def _is_broken(value: str) -> bool:
    """A lone surrogate is no character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
