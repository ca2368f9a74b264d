"""CSRF check, Django's own, which answers the API with an error instead of a page."""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware


class _Check(CsrfViewMiddleware):
    """Answers the reason where the middleware answers a page."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def lacks_token(request: HttpRequest) -> bool:
    """Whether the request has not got the token that only a page of ours can have read."""
    check = _Check(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda _: HttpResponse(), (), {}) is not None
