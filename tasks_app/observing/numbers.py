"""Metrics endpoint, GET /metrics, for Prometheus. Not for the public: how much is asked is nobody's business."""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tasks_app.observing.metrics import registry_of

NOT_HERE = (
    "Metrics are read from this machine alone, and not through a proxy. To read them from elsewhere set"
    " FLOWLEDGER_METRICS_TOKEN and send it as Authorization: Bearer <token>.\n"
)
NO_TOKEN = "Send the metrics' token as Authorization: Bearer <token>.\n"  # noqa: S105 - a sentence
# A proxy on this machine makes every request one of this machine; these say that it was not.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class MetricsView:
    """`path("metrics", MetricsView(collectors=...))`. With a token set it is for whoever has it, else for this machine."""

    collectors: Sequence[Collector]
    csrf_exempt: ClassVar[bool] = True

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The metrics in the format that the caller accepts; 401 or 403 with a sentence, 405 for anything but GET."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(
                "Metrics are read by GET.\n", status=405, content_type=PLAIN, headers={"Allow": "GET, HEAD"}
            )
        refusal = _refusal(request)
        if refusal is not None:
            return refusal
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = encode(registry_of(self.collectors))
        return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def _refusal(request: HttpRequest) -> HttpResponse | None:
    token: str = settings.FLOWLEDGER_METRICS_TOKEN
    if not token:
        return None if _is_from_here(request) else HttpResponse(NOT_HERE, status=403, content_type=PLAIN)
    given = request.headers.get("Authorization", "")
    if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return None
    return HttpResponse(
        NO_TOKEN, status=401, content_type=PLAIN, headers={"WWW-Authenticate": 'Bearer realm="metrics"'}
    )


def _is_from_here(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a socket without addresses: a proxy's, as a rule
        return False
