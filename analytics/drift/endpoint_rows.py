"""Endpoint rows: other systems, written down by the owner of the installation. What could never work is refused."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import time
from typing import Any, Final

import jmespath
from django.conf import settings
from django.db import connection
from jmespath.exceptions import JMESPathError

from analytics.drift.controls import Capability
from analytics.drift.endpoints import COLUMNS, PLACEHOLDER, PLACEHOLDERS, SECRET, Endpoint
from analytics.pure.destinations import NotAllowed, destination
from tasks_app.refusals import Refused

LONGEST_EXPRESSION: Final = 2_000
MOST_SECONDS, MOST_CALLS, MOST_UNCERTAIN = 60, 100_000, 86_400
# What our own request says; another's word there would be a second request inside the first.
OWN_HEADERS: Final = frozenset(
    {"host", "accept-encoding", "connection", "content-length", "transfer-encoding", "te", "upgrade"}
)
HEADER: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

SET_ENDPOINT = f"""/* drift.set_endpoint */
INSERT INTO legacy_endpoint (tenant_id, capability, {", ".join(COLUMNS)})
VALUES (%(tenant)s, %(capability)s, {", ".join(f"%({name})s" for name in COLUMNS)})
ON CONFLICT (tenant_id, capability) DO UPDATE
   SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}, failures = 0, open_until = NULL
"""  # noqa: S608 - our own words
REMOVE_ENDPOINT = """/* drift.remove_endpoint */
DELETE FROM legacy_endpoint WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""
LIST_ENDPOINTS = """/* drift.list_endpoints */
SELECT capability, url, headers, cutoff_rule, most_calls_a_day, called_on, calls, failures, open_until
  FROM legacy_endpoint WHERE tenant_id = %(tenant)s ORDER BY capability
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEndpoint:
    """An endpoint as it is listed. `headers` are names and variables: nothing here is secret."""

    capability: str
    url: str
    headers: Mapping[str, str]
    cutoff_rule: str
    most_calls_a_day: int
    called_on: str | None
    calls: int
    failures: int
    open_until: str | None


def set_endpoint(*, tenant_id: int, capability: Capability, endpoint: Endpoint) -> None:
    """Keeps it, in the place of the one that was there. Run with the owner's login, in a transaction of the tenant."""
    checked(endpoint)
    values = {**asdict(endpoint), "headers": json.dumps(dict(endpoint.headers))}
    _run(SET_ENDPOINT, {"tenant": tenant_id, "capability": capability.value, **values})


def remove_endpoint(*, tenant_id: int, capability: Capability) -> None:
    """The built-in side is asked again. Refused where there is none to remove."""
    if not _run(REMOVE_ENDPOINT, {"tenant": tenant_id, "capability": capability.value}):
        raise Refused(f"There is no endpoint for {capability.value}.", code="NOT_FOUND")


def listed_endpoints(*, tenant_id: int) -> list[ListedEndpoint]:
    """Those of the tenant, with how they have been asked today. To be used in a transaction of the tenant."""
    with connection.cursor() as cursor:
        cursor.execute(LIST_ENDPOINTS, {"tenant": tenant_id})
        return [_listed(row) for row in cursor.fetchall()]


def checked(endpoint: Endpoint) -> None:
    """Refuses what could never be asked, or never be read."""
    _check_url(endpoint.url)
    _check_headers(endpoint.headers)
    _check_expression(endpoint.mapping, "--mapping")
    if endpoint.cutoff_rule == "FIELD":
        _check_expression(endpoint.cutoff_field, "--cutoff")
    _check_range(endpoint.seconds, "--seconds", 1, MOST_SECONDS)
    _check_range(endpoint.most_calls_a_day, "--calls-a-day", 1, MOST_CALLS)
    _check_range(endpoint.uncertain_seconds, "--uncertain", 0, MOST_UNCERTAIN)


def cutoff_of(text: str) -> tuple[str, time | None, str]:
    """Rule, time and expression of what `--cutoff` says: `unknown`, a local time such as `00:00`, or `field:EXPRESSION`."""
    if text == "unknown":
        return "UNKNOWN", None, ""
    if text.startswith("field:"):
        return "FIELD", None, text.removeprefix("field:")
    try:
        return "FIXED", time.fromisoformat(text).replace(tzinfo=None), ""
    except ValueError:
        raise Refused(f"--cutoff: {text!r} is neither unknown, nor a time as 00:00, nor field:EXPRESSION.") from None


def _check_url(url: str) -> None:
    strange = [name for name in PLACEHOLDER.findall(url) if name not in PLACEHOLDERS]
    if strange:
        raise Refused(f"--url: {{{strange[0]}}} is nothing that can be filled in; there are {', '.join(PLACEHOLDERS)}.")
    if "{" in url.split("://", 1)[-1].partition("/")[0]:
        raise Refused("--url: nothing is filled in before the path; write the host as it is.")
    try:
        destination(url=PLACEHOLDER.sub("1", url), allowed=settings.FLOWLEDGER_OUTSIDE_HOSTS)
    except NotAllowed as refused:
        raise Refused(f"--url: {refused}") from None


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, variable in headers.items():
        if not name or not set(name) <= HEADER or name.lower() in OWN_HEADERS:
            raise Refused(f"--header: {name!r} is no header that can be sent.")
        if not SECRET.fullmatch(variable):
            raise Refused(f"--header: {name} has to name an environment variable that begins with FLOWLEDGER_SECRET_.")


def _check_expression(text: str, option: str) -> None:
    if not text or len(text) > LONGEST_EXPRESSION:
        raise Refused(f"{option}: give a JMESPath expression of at most {LONGEST_EXPRESSION:,} characters.")
    try:
        jmespath.compile(text)
    except (JMESPathError, RecursionError) as error:
        told = str(error).strip().split("\n")[0]
        raise Refused(f"{option}: this is no JMESPath expression: {told}.") from None


def _check_range(value: float, option: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Refused(f"{option}: give a number from {least} to {most:,}.")


def _listed(row: tuple[Any, ...]) -> ListedEndpoint:
    capability, url, headers, rule, most, called_on, calls, failures, open_until = row
    return ListedEndpoint(
        capability=capability,
        url=url,
        headers=json.loads(headers),
        cutoff_rule=rule,
        most_calls_a_day=most,
        called_on=None if called_on is None else called_on.isoformat(),
        calls=calls,
        failures=failures,
        open_until=None if open_until is None else open_until.isoformat(),
    )


def _run(statement: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(values))
        count: int = cursor.rowcount
    return count
