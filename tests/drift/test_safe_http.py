"""The one HTTP client: hosts on a list, addresses that were looked at, a deadline for all of it, and never an exception."""

import json
import os
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from datetime import time as clock_time
from threading import Event
from typing import Any

import pytest

from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Basis, Capability, FailureKind, LegacyAnswer, LegacyFailure
from analytics.drift.endpoint_rows import checked, cutoff_of
from analytics.drift.endpoints import Asked, Endpoint, ask
from analytics.pure.destinations import NotAllowed, destination, refused_address
from analytics.safe_http import Limits, OutsideAnswer, fetch_json
from tasks_app.refusals import Refused
from tests.drift.bad_server import DAYS, GOOD, BadServer, bad_server
from tests.processes import PATIENCE

LIMITS = Limits(seconds=PATIENCE, most_bytes=1_000_000, most_redirects=3)
SHORT = replace(LIMITS, seconds=1.0)
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
ASKED = Asked(slug="acme", zone="Europe/Stockholm", days=3, now=NOW)
SECRET = "FLOWLEDGER_SECRET_OLD"


@pytest.fixture(scope="module")
def server() -> Iterator[BadServer]:
    """One server for all of them."""
    with bad_server() as found:
        yield found


def fetched(server: BadServer, behaviour: str, **given: Any) -> OutsideAnswer | LegacyFailure:
    given = {"headers": {}, "allowed": [server.host], "limits": LIMITS, **given}
    return fetch_json(url=server.url(behaviour), **given)


def failed(found: object) -> LegacyFailure:
    assert isinstance(found, LegacyFailure), found
    return found


@pytest.mark.parametrize("behaviour", ["good", "chunks", "packed", "moved"])
def test_an_answer_is_read(server: BadServer, behaviour: str) -> None:
    """Whole, in chunks, packed, or after a redirect on the same host."""
    assert fetched(server, behaviour) == OutsideAnswer(body=GOOD, status=200)


SERVER_FAILURES: Mapping[str, tuple[FailureKind, str]] = {
    "html": (FailureKind.CONTENT, "The older side answered something else than JSON."),
    "html-as-json": (FailureKind.CONTENT, "The older side's answer says that it is JSON and is not."),
    "error": (FailureKind.STATUS, "The older side answered status 500."),
    "empty": (FailureKind.CONTENT, "The older side's answer says that it is JSON and is not."),
    "nothing": (FailureKind.STATUS, "The older side answered status 204."),
    "long": (FailureKind.CONTENT, "The older side's answer is longer than 1,000,000 bytes."),
    "announced": (FailureKind.CONTENT, "The older side's answer is longer than 1,000,000 bytes."),
    "bomb": (FailureKind.CONTENT, "The older side's answer is longer than 1,000,000 bytes."),
    "torn": (FailureKind.CONTENT, "The older side broke off in the middle of its answer."),
    "torn-chunks": (FailureKind.CONTENT, "The older side broke off in the middle of its answer."),
    "torn-gzip": (FailureKind.CONTENT, "The older side broke off in the middle of its answer."),
    "no-gzip": (FailureKind.CONTENT, "The older side's packed answer cannot be unpacked."),
    "brotli": (FailureKind.CONTENT, "The older side packed its answer in a way that is not read."),
    "nan": (FailureKind.CONTENT, "The older side's answer has NaN where a number belongs."),
    "infinite": (
        FailureKind.CONTENT,
        "The older side's answer has a number beyond all bounds where a number belongs.",
    ),
    "wrong": (FailureKind.CONTENT, "The older side's answer says that it is JSON and is not."),
    "deep": (FailureKind.CONTENT, "The older side's answer says that it is JSON and is not."),
    "bytes": (FailureKind.CONTENT, "The older side's answer says that it is JSON and is not."),
    "hangs-up": (FailureKind.UNREACHABLE, "The older side could not be asked: RemoteDisconnected."),
    "garbage": (FailureKind.UNREACHABLE, "The older side could not be asked: BadStatusLine."),
    "moved-away": (
        FailureKind.REFUSED,
        "example.com:80 is not among the hosts that FLOWLEDGER_OUTSIDE_HOSTS allows.",
    ),
    "moved-to-metadata": (
        FailureKind.REFUSED,
        "169.254.169.254:80 is not among the hosts that FLOWLEDGER_OUTSIDE_HOSTS allows.",
    ),
    "moved-to-private": (
        FailureKind.REFUSED,
        "10.0.0.1:80 is not among the hosts that FLOWLEDGER_OUTSIDE_HOSTS allows.",
    ),
    "moved-to-a-file": (FailureKind.REFUSED, "The URL has to begin with https:// or http://."),
    "moved-in-a-ring": (FailureKind.STATUS, "The older side redirects more than 3 times."),
}


@pytest.mark.parametrize("behaviour", SERVER_FAILURES)
def test_what_a_server_does_wrong_is_a_failure_with_its_reason(server: BadServer, behaviour: str) -> None:
    """Never an answer, never an exception, and not because there was no time left."""
    found = failed(fetched(server, behaviour))
    assert (found.kind, found.reason) == SERVER_FAILURES[behaviour]


@pytest.mark.parametrize("behaviour", ["drip", "drip-headers", "silent"])
def test_slow_bytes_for_ever_end_at_the_deadline(server: BadServer, behaviour: str) -> None:
    """No single read waits long, all of them together do. The server would never end."""
    found = failed(fetched(server, behaviour, limits=SHORT))
    assert (found.kind, found.reason) == (FailureKind.TIMEOUT, "The older side took longer than 1 s.")
    assert not server.stopped.is_set()


def test_a_resolver_that_hangs_ends_at_the_deadline(server: BadServer) -> None:
    """It knows no deadline of its own, and answers nothing before we have given up."""
    given_up = Event()

    def hanging(_: str, __: int) -> list[str]:
        given_up.wait(PATIENCE)
        return ["127.0.0.1"]

    try:
        assert failed(fetched(server, "good", limits=SHORT, resolve=hanging)).kind is FailureKind.TIMEOUT
    finally:
        given_up.set()


def test_what_is_too_long_is_not_read_to_its_end() -> None:
    """The server notices: the connection is gone long before 100 MB are sent."""
    with bad_server() as server:
        assert failed(fetched(server, "long")).kind is FailureKind.CONTENT
        assert server.aborted.wait(PATIENCE)


def test_a_bomb_is_not_unpacked(server: BadServer) -> None:
    """Sixty kilobytes that hold sixty megabytes: what is kept of them at any time is little more than the limit."""
    tracemalloc.start()
    try:
        assert failed(fetched(server, "bomb")).kind is FailureKind.CONTENT
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


def test_a_redirect_elsewhere_is_not_followed_where_the_host_is_allowed(server: BadServer) -> None:
    """The other host has not been asked, with our headers least of all."""
    before = len(server.requests)
    found = failed(fetched(server, "moved-to-loopback-name", allowed=[server.host, f"localhost:{server.port}"]))
    assert (found.kind, found.reason) == (
        FailureKind.REFUSED,
        "The older side redirects to another host, which is not followed.",
    )
    assert len(server.requests) == before + 1


def test_a_name_that_means_a_private_address_is_not_asked(server: BadServer) -> None:
    """The system's own resolver says that localhost is this machine. Without a port in the list that is refused."""
    before = len(server.requests)
    found = failed(fetch_json(url="https://localhost/good", headers={}, allowed=["localhost"], limits=LIMITS))
    assert (found.kind, found.reason) == (
        FailureKind.REFUSED,
        "localhost is at an address that is not asked: it is private, loopback or reserved.",
    )
    assert len(server.requests) == before


@pytest.mark.parametrize(
    "addresses", [["169.254.169.254"], ["93.184.216.34", "169.254.169.254"], ["fe80::1"], ["::ffff:169.254.169.254"]]
)
def test_link_local_addresses_are_never_asked(server: BadServer, addresses: list[str]) -> None:
    """Whatever the list says, and whichever of several addresses it is."""
    found = failed(fetched(server, "good", resolve=lambda _, __: addresses))
    assert found.kind is FailureKind.REFUSED


def test_the_connection_goes_to_the_address_that_was_checked(server: BadServer) -> None:
    """The name is resolved once: what it means a moment later is asked by nobody."""
    asked: list[str] = []

    def changing(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    named = f"old.example:{server.port}"
    found = fetch_json(url=f"http://{named}/good", headers={}, allowed=[named], limits=LIMITS, resolve=changing)
    assert isinstance(found, OutsideAnswer)
    assert asked == ["old.example"]
    assert f"Host: {named}\r\n" in server.requests[-1]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/good", "http://nowhere.invalid:80/"])
def test_where_nobody_is_there_is_no_answer(url: str) -> None:
    """A closed port, a name that does not exist."""
    found = failed(
        fetch_json(url=url, headers={}, allowed=["127.0.0.1:1", "nowhere.invalid:80"], limits=Limits(seconds=5))
    )
    assert found.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT)


@pytest.mark.parametrize("value", ["a\r\nHost: evil", "a\nb"])
def test_a_header_cannot_begin_another_one(server: BadServer, value: str) -> None:
    """Nothing is sent."""
    before = len(server.requests)
    found = failed(fetched(server, "good", headers={"Authorization": value}))
    assert found == LegacyFailure(kind=FailureKind.UNREACHABLE, reason="The older side could not be asked: ValueError.")
    assert len(server.requests) == before


# --- where a URL leads


@pytest.mark.parametrize(
    ("url", "named", "target", "private"),
    [
        ("https://old.example.com/cfd?days=3", "old.example.com", "/cfd?days=3", False),
        ("https://OLD.example.com./cfd", "old.example.com", "/cfd", False),
        ("https://old.example.com:443", "old.example.com", "/", False),
        ("http://in.house:8080/a", "in.house:8080", "/a", True),
        ("http://[::1]:8080/a#b", "[::1]:8080", "/a", True),
    ],
)
def test_a_url_on_the_list(url: str, named: str, target: str, private: bool) -> None:
    """A bare host is https at its usual port; one with a port is meant, wherever it is."""
    found = destination(url=url, allowed=["old.example.com", "In.House:8080", "[::1]:8080"])
    assert (found.named, found.target, found.private_is_fine) == (named, target, private)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://old.example.com/", "old.example.com:80 is not among the hosts"),
        ("https://old.example.com:8443/", "old.example.com:8443 is not among the hosts"),
        ("https://old.example.com.evil.net/", "is not among the hosts"),
        ("https://evil.net/old.example.com", "is not among the hosts"),
        ("https://old.example.com@evil.net/", "The URL has a login in it"),
        ("https://evil.net\\@old.example.com/", "characters that do not belong"),
        ("https://old.example.com\t.evil.net/", "characters that do not belong"),
        ("https://öld.example.com/", "characters that do not belong"),
        ("https://old.example.com:99999/", "a port that there is not"),
        ("https://old.example.com:0/", "a port that there is not"),
        ("https:///cfd", "no host that can be asked"),
        ("https://[::1/", "cannot be read"),
        ("ftp://old.example.com/", "has to begin with https://"),
        ("file:///etc/passwd", "has to begin with https://"),
        ("https://2130706433/", "is not among the hosts"),
        ("https://0x7f000001/", "is not among the hosts"),
        ("https://old.example.com/" + "a" * 4_000, "characters that do not belong"),
    ],
)
def test_a_url_that_is_not_asked(url: str, reason: str) -> None:
    """Not on the list, or to be read in two ways."""
    with pytest.raises(NotAllowed, match=reason):
        destination(url=url, allowed=["old.example.com"])


PUBLIC, PRIVATE, NEVER = "public", "private", "never"


@pytest.mark.parametrize(
    ("address", "sort"),
    [
        *((each, PUBLIC) for each in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34")),
        *((each, PRIVATE) for each in ("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "::1", "fd00::1")),
        ("::ffff:10.0.0.1", PRIVATE),
        *(
            (each, NEVER)
            for each in ("::7f00:1", "::ffff:0:7f00:1", "::5efe:7f00:1", "fec0::1", "4000::1", "fe80::1%1")
        ),
        *((each, NEVER) for each in ("169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254")),
        *((each, NEVER) for each in ("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "0.0.0.0", "::", "what is this")),
    ],
)
def test_which_addresses_are_connected_to(address: str, sort: str) -> None:
    """Public ones; private ones where the list has the port; others never."""
    allowed = [refused_address(address, private_is_fine=fine) is None for fine in (False, True)]
    assert allowed == {PUBLIC: [True, True], PRIVATE: [False, True], NEVER: [False, False]}[sort]


# --- an endpoint


def endpoint(server: BadServer, behaviour: str = "good", **changed: Any) -> Endpoint:
    """One that needs no mapping."""
    given: dict[str, Any] = {
        "url": server.url(behaviour) + "?days={days}&from={from}&to={to}&org={organisation}",
        "headers": {},
        "mapping": "@",
        "organisation": "acme",
        "cutoff_rule": "FIXED",
        "cutoff_time": clock_time(0),
        "cutoff_field": "",
        "uncertain_seconds": 0,
        "most_calls_a_day": 10,
        "seconds": 60.0,
    }
    return Endpoint(**{**given, **changed})


def asked(server: BadServer, found: Endpoint) -> LegacyAnswer | LegacyFailure:
    """As a control does it, with this server on the list."""
    return ask(
        found,
        ASKED,
        fetch=lambda url, headers, limits: fetch_json(url=url, headers=headers, limits=limits, allowed=[server.host]),
    )


def judged(server: BadServer, found: Endpoint) -> LegacyFailure | None:
    """What a comparison makes of the answer, before it compares anything."""
    answer = asked(server, found)
    flow = declaration_of(Capability.CUMULATIVE_FLOW)
    assert flow is not None
    return answer if isinstance(answer, LegacyFailure) else flow.refused(answer.body, "acme")


def test_an_endpoint_answers_in_the_old_shape(server: BadServer) -> None:
    """Its cut-offs are local midnights, which nobody but the rule says: a change of clocks is where it belongs."""
    found = asked(server, endpoint(server))
    assert isinstance(found, LegacyAnswer)
    assert (found.body, found.status, found.basis) == (GOOD, 200, Basis.ASSUMED)
    assert {key: each.happened_before.isoformat() for key, each in found.cutoffs.items()} == {
        "2026-03-01": "2026-02-28T23:00:00+00:00",
        "2026-03-02": "2026-03-01T23:00:00+00:00",
        "2026-03-03": "2026-03-02T23:00:00+00:00",
    }
    assert found.as_of == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert "GET /good?days=3&from=2026-03-01&to=2026-03-03&org=acme HTTP/1.1\r\n" in server.requests[-1]


def test_what_is_filled_in_stays_where_it_is(server: BadServer) -> None:
    """A name with reserved characters is one value of the query."""
    asked(server, endpoint(server, organisation="a&b=c/../d"))
    assert server.requests[-1].startswith(
        "GET /good?days=3&from=2026-03-01&to=2026-03-03&org=a%26b%3Dc%2F..%2Fd HTTP/1.1\r\n"
    )


def test_a_mapping_reads_another_shape() -> None:
    """JMESPath makes the old shape of it; the name over there is another one."""
    theirs = {
        "org": "ACME Ltd",
        "rows": [{"d": "2026-03-01", "t": 1, "p": 2, "r": 3, "f": 4}],
        "at": "2026-03-01T00:05Z",
    }
    found = ask(
        Endpoint(
            url="http://old.example:80/",
            headers={},
            mapping="{organisation: org, days: rows[].{date: d, todo: t, in_progress: p, review: r, done: f}}",
            organisation="ACME Ltd",
            cutoff_rule="FIELD",
            cutoff_time=None,
            cutoff_field="at",
            uncertain_seconds=300,
            most_calls_a_day=1,
            seconds=1,
        ),
        ASKED,
        fetch=lambda _, __, ___: OutsideAnswer(body=theirs, status=200),
    )
    assert isinstance(found, LegacyAnswer)
    assert found.body == {
        "organisation": "acme",
        "days": [{"date": "2026-03-01", "todo": 1, "in_progress": 2, "review": 3, "done": 4}],
    }
    at = datetime(2026, 3, 1, 0, 5, tzinfo=UTC)
    assert (found.basis, found.as_of, found.uncertain_by.total_seconds()) == (Basis.KNOWN, at, 300)
    assert {key: each.happened_before for key, each in found.cutoffs.items()} == {"2026-03-01": at}


def test_an_unknown_cutoff_is_not_made_up(server: BadServer) -> None:
    """Nothing can be concluded from such an answer."""
    found = asked(server, endpoint(server, cutoff_rule="UNKNOWN", cutoff_time=None))
    assert isinstance(found, LegacyAnswer)
    assert (found.as_of, dict(found.cutoffs), found.basis) == (None, {}, Basis.ASSUMED)


@pytest.mark.parametrize("expression", ["generated_at", "version", "nothing.there", "organisation"])
def test_a_cutoff_that_is_no_instant_is_a_failure(server: BadServer, expression: str) -> None:
    """null, a number, nothing, a name."""
    found = failed(asked(server, endpoint(server, cutoff_rule="FIELD", cutoff_field=expression)))
    assert found == LegacyFailure(
        kind=FailureKind.SHAPE, reason="The older answer does not say when its figures were counted."
    )


ANSWER_FAILURES: Mapping[str, FailureKind] = {
    "foreign": FailureKind.FOREIGN,
    "nameless": FailureKind.FOREIGN,
    "text-numbers": FailureKind.CONTENT,
    "missing": FailureKind.CONTENT,
    "another-order": FailureKind.SHAPE,
    "a-day-twice": FailureKind.SHAPE,
    "no-dates": FailureKind.SHAPE,
    "a-list": FailureKind.SHAPE,
}


@pytest.mark.parametrize("behaviour", ANSWER_FAILURES)
def test_an_answer_that_cannot_be_compared_is_a_failure(server: BadServer, behaviour: str) -> None:
    """Another organisation's, half of it, in another order: never a match."""
    found = judged(server, endpoint(server, behaviour))
    assert found is not None
    assert found.kind is ANSWER_FAILURES[behaviour]


@pytest.mark.parametrize("behaviour", SERVER_FAILURES)
def test_an_endpoint_passes_on_what_the_server_did_wrong(server: BadServer, behaviour: str) -> None:
    """As it is; only the limit of length is another one."""
    if behaviour != "long":
        assert failed(asked(server, endpoint(server, behaviour))).kind is SERVER_FAILURES[behaviour][0]


@pytest.mark.parametrize("mapping", ["days", "nothing", "sum(days)", "version", "to_number(organisation)"])
def test_a_mapping_that_does_not_fit_is_a_failure(server: BadServer, mapping: str) -> None:
    """Also where JMESPath raises."""
    found = failed(asked(server, endpoint(server, mapping=mapping)))
    assert found.kind is FailureKind.SHAPE


def test_secrets_come_from_the_environment(server: BadServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value is sent, and is in nothing that is kept or told."""
    monkeypatch.setenv(SECRET, "Bearer sesame")
    found = endpoint(server, headers={"Authorization": SECRET})
    assert isinstance(asked(server, found), LegacyAnswer)
    assert "Authorization: Bearer sesame\r\n" in server.requests[-1]
    assert "sesame" not in repr(found)
    failure = failed(asked(server, endpoint(server, "error", headers={"Authorization": SECRET})))
    assert "sesame" not in failure.reason


@pytest.mark.parametrize("variable", [SECRET, "HOME", "DJANGO_SECRET_KEY"])
def test_without_its_secret_nothing_is_asked(server: BadServer, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Nor with a variable that holds something of ours."""
    monkeypatch.setenv("DJANGO_SECRET_KEY", "ours")
    assert os.environ.get("HOME")
    before = len(server.requests)
    found = failed(asked(server, endpoint(server, headers={"Authorization": variable})))
    assert found == LegacyFailure(
        kind=FailureKind.NOT_ASKED, reason=f"The header Authorization needs {variable}, which is not set."
    )
    assert len(server.requests) == before


# --- what is refused before it is kept


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"url": "http://{organisation}.example/"}, "nothing is filled in before the path"),
        ({"url": "https://evil.net/"}, "evil.net:443 is not among the hosts"),
        ({"url": "http://127.0.0.1:8099/{password}"}, r"\{password\} is nothing that can be filled in"),
        ({"headers": {"Host": SECRET}}, "'Host' is no header that can be sent"),
        ({"headers": {"X y": SECRET}}, "'X y' is no header"),
        ({"headers": {"Authorization": "DATABASE_URL"}}, "begins with FLOWLEDGER_SECRET_"),
        ({"mapping": "days["}, "--mapping: this is no JMESPath expression"),
        ({"mapping": ""}, "--mapping: give a JMESPath expression"),
        ({"mapping": "a" * 2_001}, "at most 2,000 characters"),
        ({"cutoff_rule": "FIELD", "cutoff_field": "]"}, "--cutoff: this is no JMESPath expression"),
        ({"seconds": float("nan")}, "--seconds: give a number from 1 to 60"),
        ({"most_calls_a_day": 0}, "--calls-a-day: give a number from 1 to 100,000"),
        ({"uncertain_seconds": -1}, "--uncertain: give a number from 0 to 86,400"),
    ],
)
def test_an_endpoint_that_could_not_work_is_refused(
    settings: Any, server: BadServer, changed: dict[str, Any], message: str
) -> None:
    """With the option that is wrong."""
    settings.FLOWLEDGER_OUTSIDE_HOSTS = ["127.0.0.1:8099"]
    good = endpoint(server, url="http://127.0.0.1:8099/cfd?days={days}")
    checked(good)
    with pytest.raises(Refused, match=message):
        checked(Endpoint(**{**{name: getattr(good, name) for name in Endpoint.__dataclass_fields__}, **changed}))


def test_a_cutoff_in_words() -> None:
    """unknown, a local time, or a field of the answer."""
    assert cutoff_of("unknown") == ("UNKNOWN", None, "")
    assert cutoff_of("02:30") == ("FIXED", clock_time(2, 30), "")
    assert cutoff_of("field:meta.at") == ("FIELD", None, "meta.at")
    with pytest.raises(Refused, match="'25:00' is neither"):
        cutoff_of("25:00")


def test_the_days_of_the_server_are_what_the_tests_think() -> None:
    """The tests above lean on it."""
    assert json.loads(json.dumps(GOOD))["days"] == DAYS
