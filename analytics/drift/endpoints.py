"""Endpoints of other systems, asked tenant by tenant: where, with which headers, and how their answer is read.

A system that fails some times in a row is left alone for a while, and none is asked more often a day than it bears.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import quote

import jmespath
from django.conf import settings
from django.db import DatabaseError, connection
from jmespath.exceptions import JMESPathError

from analytics.drift.controls import Basis, Capability, Control, FailureKind, LegacyAnswer, LegacyFailure
from analytics.pure.cutoffs import Cutoff
from analytics.pure.zones import ONE_DAY, first_instant, local_date, zone
from analytics.safe_http import Limits, OutsideAnswer, fetch_json, is_sendable
from tasks_app.tenancy import ContextRefused, DatabaseRole, entered

logger = logging.getLogger(__name__)

PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
PLACEHOLDERS: Final = ("days", "from", "to", "organisation")
# Only such variables hold secrets for others: a header that named another would carry our own away.
SECRET: Final = re.compile(r"FLOWLEDGER_SECRET_[A-Z0-9_]{1,80}")
FAILURES_IN_A_ROW: Final = 5
LEFT_ALONE: Final = timedelta(minutes=5)
# What two clocks may differ by.
AHEAD: Final = timedelta(minutes=5)

ORGANISATION = "/* drift.organisation */ SELECT slug, timezone FROM tenant WHERE id = %(tenant)s"
COLUMNS: Final = (
    *("url", "headers", "mapping", "organisation", "cutoff_rule", "cutoff_time", "cutoff_field", "uncertain_seconds"),
    *("most_calls_a_day", "seconds"),
)
READ_ENDPOINT = f"""/* drift.read_endpoint */
SELECT {", ".join(COLUMNS)} FROM legacy_endpoint WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""  # noqa: S608 - our own words
# Whoever asks first after a pause asks alone: the pause begins anew until it is known how that went.
TAKE_CALL = """/* drift.take_call */
UPDATE legacy_endpoint
   SET called_on = %(today)s, calls = CASE WHEN called_on = %(today)s THEN calls + 1 ELSE 1 END,
       open_until = CASE WHEN failures >= %(in_a_row)s THEN %(until)s::timestamptz END
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s
   AND (called_on IS DISTINCT FROM %(today)s OR calls < most_calls_a_day)
   AND (open_until IS NULL OR open_until <= %(now)s)
RETURNING 1
"""
IS_OPEN = """/* drift.is_open */
SELECT open_until > %(now)s FROM legacy_endpoint WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""
NOTE_SUCCESS = """/* drift.note_success */
UPDATE legacy_endpoint SET failures = 0, open_until = NULL
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND failures > 0
"""
NOTE_FAILURE = """/* drift.note_failure */
UPDATE legacy_endpoint
   SET failures = failures + 1, open_until = CASE WHEN failures + 1 >= %(in_a_row)s THEN %(until)s::timestamptz END
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""

Fetch = Callable[[str, Mapping[str, str], Limits], OutsideAnswer | LegacyFailure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Another system. `url` may have {days}, {from}, {to} and {organisation} after its host.

    `mapping` is a JMESPath expression that makes the capability's old shape of the answer; `organisation` is what the
    tenant is called over there. `headers` are names and the environment variables that hold their values. `cutoff_field` is
    an expression that finds one instant, or an object of dates and instants. `cutoff_time` is local, on each day.
    """

    url: str
    headers: Mapping[str, str]
    mapping: str
    organisation: str
    cutoff_rule: str
    cutoff_time: time | None
    cutoff_field: str
    uncertain_seconds: int
    most_calls_a_day: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to another system: whose, for how many local days, at which instant."""

    slug: str
    zone: str
    days: int
    now: datetime

    @property
    def dates(self) -> Sequence[date]:
        """The local days that are asked for, the running one last."""
        today = local_date(instant=self.now, zone_name=self.zone)
        return [today - ONE_DAY * number for number in reversed(range(self.days))]


def endpoint_of(*, tenant_id: int, capability: Capability) -> Endpoint | None:
    """The tenant's endpoint. To be used in a transaction of the tenant."""
    with connection.cursor() as cursor:
        cursor.execute(READ_ENDPOINT, {"tenant": tenant_id, "capability": capability.value})
        row = next(iter(cursor.fetchall()), None)
    if row is None:
        return None
    values = dict(zip(COLUMNS, row, strict=True))
    return Endpoint(**{**values, "headers": json.loads(values["headers"])})


def fetched(url: str, headers: Mapping[str, str], limits: Limits) -> OutsideAnswer | LegacyFailure:
    """By the settings of this installation."""
    return fetch_json(url=url, headers=headers, limits=limits, allowed=settings.FLOWLEDGER_OUTSIDE_HOSTS)


def ask(endpoint: Endpoint, asked: Asked, *, fetch: Fetch = fetched) -> LegacyAnswer | LegacyFailure:
    """One call, without counting it. Whatever comes back is an answer in the old shape or a failure with its reason."""
    headers = _with_secrets(endpoint.headers)
    if isinstance(headers, LegacyFailure):
        return headers
    found = fetch(_filled(endpoint, asked), headers, Limits(seconds=endpoint.seconds))
    return found if isinstance(found, LegacyFailure) else _read(found, endpoint, asked)


def _filled(endpoint: Endpoint, asked: Asked) -> str:
    values = {
        "days": str(asked.days),
        "from": asked.dates[0].isoformat(),
        "to": asked.dates[-1].isoformat(),
        "organisation": endpoint.organisation,
    }
    return PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), endpoint.url)


def _with_secrets(headers: Mapping[str, str]) -> dict[str, str] | LegacyFailure:
    found: dict[str, str] = {}
    for name, variable in headers.items():
        value = os.environ.get(variable, "").strip() if SECRET.fullmatch(variable) else ""
        if not value:
            return LegacyFailure(
                kind=FailureKind.NOT_ASKED, reason=f"The header {name} needs {variable}, which is not set."
            )
        if not is_sendable(value):
            reason = f"The header {name} cannot be sent: {variable} has characters that belong in none."
            return LegacyFailure(kind=FailureKind.NOT_ASKED, reason=reason)
        found[name] = value
    return found


def _read(found: OutsideAnswer, endpoint: Endpoint, asked: Asked) -> LegacyAnswer | LegacyFailure:
    body = _mapped(endpoint.mapping, found.body)
    if not isinstance(body, dict):
        return _shape("The mapping makes no object of the older answer.")
    if body.get("organisation") != endpoint.organisation:
        return LegacyFailure(kind=FailureKind.FOREIGN, reason="The older answer is not of this organisation.")
    cutoffs = _cutoffs(found.body, body, endpoint, asked)
    if isinstance(cutoffs, LegacyFailure):
        return cutoffs
    return LegacyAnswer(
        body={**body, "organisation": asked.slug},
        status=found.status,
        as_of=max((each.happened_before for each in cutoffs.values()), default=None),
        basis=Basis.KNOWN if endpoint.cutoff_rule == "FIELD" else Basis.ASSUMED,
        cutoffs=cutoffs,
        uncertain_by=timedelta(seconds=endpoint.uncertain_seconds),
    )


def _cutoffs(
    answer: Any, body: Mapping[str, Any], endpoint: Endpoint, asked: Asked
) -> Mapping[str, Cutoff] | LegacyFailure:
    """By date. Nothing is said where the rule is UNKNOWN."""
    if endpoint.cutoff_rule == "UNKNOWN":
        return {}
    if endpoint.cutoff_rule == "FIXED":
        at = endpoint.cutoff_time or time.min
        return {day.isoformat(): _counted_at(_local(day, at, asked.zone)) for day in asked.dates}
    found = _mapped(endpoint.cutoff_field, answer)
    told = found if isinstance(found, dict) else dict.fromkeys(_newest(body), found)
    instants = {str(key): _instant(value) for key, value in told.items()}
    if not instants or None in instants.values():
        return _shape("The older answer does not say when its figures were counted.")
    return {key: _counted_at(instant) for key, instant in instants.items() if instant is not None}


def _counted_at(instant: datetime) -> Cutoff:
    """Whoever counts at an instant knows what was told by then."""
    return Cutoff(happened_before=instant, known_at=instant)


def _newest(body: Mapping[str, Any]) -> list[str]:
    """One instant for all of an answer is that of its newest element: the others were counted earlier."""
    days = body.get("days")
    dates = [each["date"] for each in days if _has_date(each)] if isinstance(days, list) else []
    return [max(dates)] if dates else []


def _has_date(element: Any) -> bool:
    return isinstance(element, dict) and isinstance(element.get("date"), str)


def _local(day: date, at: time, zone_name: str) -> datetime:
    """The clock's time on that day; midnight is when the day begins, also where a change of clocks skipped it."""
    if at == time.min:
        return first_instant(day=day, zone_name=zone_name)
    rules = zone(zone_name)
    return datetime.combine(day, at, tzinfo=rules).astimezone(UTC)


def _instant(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _mapped(expression: str, value: Any) -> Any:
    try:
        return jmespath.search(expression, value)
    except (JMESPathError, RecursionError, TypeError, ValueError, ArithmeticError):
        return None


def _shape(reason: str) -> LegacyFailure:
    return LegacyFailure(kind=FailureKind.SHAPE, reason=reason)


@dataclass(frozen=True, kw_only=True)
class EndpointOr:
    """The older side of a capability: the tenant's own endpoint where there is one, else what is built in.

    `clock` is what ceilings and pauses go by.
    """

    capability: Capability
    inside: Control
    clock: Callable[[], datetime]
    fetch: Fetch = fetched

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """See Control. Whether the call may be made is settled before it, and how it went is noted after it."""
        try:
            with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
                endpoint = endpoint_of(tenant_id=tenant_id, capability=self.capability)
            if endpoint is None:
                return self.inside.answer(tenant_id=tenant_id, days=days, now=now)
            return self._outside(endpoint, tenant_id=tenant_id, days=days, now=now)
        except (DatabaseError, ContextRefused):
            logger.exception("The endpoint of %s could not be read.", self.capability)
            return LegacyFailure(kind=FailureKind.NOT_ASKED, reason="The older side's address could not be read.")

    def _outside(self, endpoint: Endpoint, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        if refused := self._refused(tenant_id):
            return refused
        slug, zone_name = _organisation(tenant_id)
        found = ask(endpoint, Asked(slug=slug, zone=zone_name, days=days, now=now), fetch=self.fetch)
        if isinstance(found, LegacyAnswer) and self._is_of_the_future(found):
            found = _shape("The older answer says that its figures were counted in the future.")
        self._note(tenant_id, NOTE_FAILURE if isinstance(found, LegacyFailure) else NOTE_SUCCESS)
        return found

    def _is_of_the_future(self, answer: LegacyAnswer) -> bool:
        """By its own word: a rule may well name an hour of today that is yet to come."""
        latest = self.clock() + AHEAD
        return answer.basis is Basis.KNOWN and any(each.happened_before > latest for each in answer.cutoffs.values())

    def _refused(self, tenant_id: int) -> LegacyFailure | None:
        """Takes one of today's calls; a failure when there is none to take."""
        with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER), connection.cursor() as cursor:
            values = self._values(tenant_id)
            cursor.execute(TAKE_CALL, values)
            if cursor.fetchall():
                return None
            cursor.execute(IS_OPEN, values)
            paused = any(row[0] for row in cursor.fetchall())
        why = (
            "failed again and again and is left alone for a while"
            if paused
            else "has been asked as often as it may be today"
        )
        return LegacyFailure(kind=FailureKind.NOT_ASKED, reason=f"The older side {why}.")

    def _note(self, tenant_id: int, statement: str) -> None:
        with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER), connection.cursor() as cursor:
            cursor.execute(statement, self._values(tenant_id))

    def _values(self, tenant_id: int) -> dict[str, Any]:
        now = self.clock()
        return {
            "tenant": tenant_id,
            "capability": self.capability.value,
            "now": now,
            "today": now.astimezone(UTC).date(),
            "until": now + LEFT_ALONE,
            "in_a_row": FAILURES_IN_A_ROW,
        }


def _organisation(tenant_id: int) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(ORGANISATION, {"tenant": tenant_id})
        slug, zone_name = cursor.fetchall()[0]
    return slug, zone_name
