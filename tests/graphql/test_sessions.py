"""Signing in and out, new passwords, and what a browser must and must not send."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client

from tasks_app.models import RateBucket, Role, User
from tasks_app.operations.members import add_member
from tasks_app.sessions import throttle
from tasks_app.sessions.mail import name_of, wait_for_post
from tests.cast import Cast, cast
from tests.graphql.client import Asker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("still_clock")]

SESSION = "/api/v2/session"
RESET = f"{SESSION}/password-reset"
CONFIRM = f"{RESET}/confirm"
PASSWORD = "correct horse battery"
WRONG = "The email or the password is wrong."
TOO_OLD = "This token is wrong, was used, or is too old: ask for a new one."
TOKENS = re.compile(r"user: (\S+)\ntoken: (\S+)")


SLOW, FAST = (f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("PBKDF2", "MD5"))


class CountedHasher(MD5PasswordHasher):
    """Counts how often a password was hashed."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        """See BasePasswordHasher."""
        CountedHasher.hashed += 1
        return super().encode(password, salt)


@pytest.fixture
def people(db: Any, settings: Any) -> Cast:
    """Everybody; Bob has a password, which is hashed quickly."""
    settings.PASSWORD_HASHERS = [FAST, SLOW]
    people = cast()
    people.bob.user.set_password(PASSWORD)
    people.bob.user.save()
    return people


@pytest.fixture(autouse=True)
def fresh_buckets(db: Any) -> Iterator[None]:
    """Attempts of other tests do not count here."""
    RateBucket.objects.all().delete()
    yield
    wait_for_post()


class Browser:
    """A frontend in a browser: it keeps cookies, and sends the token that it was given last."""

    def __init__(self, *, address: str = "192.0.2.1", **headers: str) -> None:
        self.client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address)
        self.headers = headers
        self.token = self.get().json()["csrfToken"]

    def get(self) -> Any:
        return self.client.get(SESSION, headers=self.headers)

    def send(self, path: str, body: object, *, method: str = "post", kind: str = "application/json") -> Any:
        content = body if isinstance(body, str) else json.dumps(body)
        headers = {"X-CSRFToken": self.token, **self.headers}
        response = getattr(self.client, method)(path, data=content, content_type=kind, headers=headers)
        if response.headers["Content-Type"] == "application/json" and "csrfToken" in response.json():
            self.token = response.json()["csrfToken"]
        return response

    def sign_in(self, email: str = "bob@acme.example", password: str = PASSWORD) -> Any:
        return self.send(SESSION, {"email": email, "password": password})

    def asks(self, query: str, **headers: str) -> Any:
        asker = Asker(client=self.client, headers={"X-CSRFToken": self.token, **headers})
        return asker.answer(query)


def refusal(response: Any) -> tuple[int, str, str]:
    """Status, code and message."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


def test_a_frontend_signs_in_asks_and_signs_out(people: Cast) -> None:
    """The session opens GraphQL with the role's scopes; afterwards it opens nothing."""
    browser = Browser()
    assert browser.get().json() | {"csrfToken": ""} == {"user": None, "tenants": [], "csrfToken": ""}
    answer = browser.sign_in(" BOB@Acme.example")
    assert answer.status_code == 200
    body = answer.json()
    assert body["user"] == {"email": "bob@acme.example", "name": "Bob"}
    assert [(each["slug"], each["name"], each["role"]) for each in body["tenants"]] == [("acme", "Acme", "MEMBER")]
    assert "TASKS_WRITE" in body["tenants"][0]["scopes"]
    assert browser.get().json()["user"] == body["user"]
    assert browser.asks("{ viewer { name role } }")["data"]["viewer"] == {"name": "Bob", "role": "MEMBER"}
    cookie = answer.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.send(SESSION, {}, method="delete").json()["user"] is None
    assert browser.asks("{ viewer { name } }")["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_session_of_before_is_not_the_session_of_after(people: Cast) -> None:
    """Whoever planted a session or a token before the sign-in has neither afterwards."""
    browser = Browser()
    planted = browser.client.session
    planted["planted"] = True
    planted.save()
    before = browser.client.cookies["csrftoken"].value
    after = browser.sign_in().cookies["sessionid"].value
    assert after != planted.session_key
    assert browser.client.cookies["csrftoken"].value != before
    old = Browser()
    old.client.cookies["sessionid"] = str(planted.session_key)
    assert old.get().json()["user"] is None


def test_several_tenants_are_named_by_a_header(people: Cast) -> None:
    """Each with the role that the login has there; one without a role is not listed."""
    people.bob.user.tenants.add(people.globex.tenant)
    browser = Browser()
    assert [each["slug"] for each in browser.sign_in().json()["tenants"]] == ["acme"]
    add_member(user=people.bob.user, tenant_id=people.globex.tenant.id, role=Role.AUDITOR)
    told = browser.get().json()["tenants"]
    assert [(each["slug"], each["role"]) for each in told] == [("acme", "MEMBER"), ("globex", "AUDITOR")]
    query = "{ viewer { role tenant { slug } } }"
    assert browser.asks(query)["errors"][0]["message"].startswith("X-Tenant: this login is a member of acme, globex;")
    for slug, role in (("acme", "MEMBER"), ("globex", "AUDITOR")):
        viewer = browser.asks(query, **{"X-Tenant": slug})["data"]["viewer"]
        assert viewer == {"role": role, "tenant": {"slug": slug}}


@pytest.mark.parametrize(
    "email", ["bob@acme.example", "nobody@acme.example", "gone@acme.example", "not an email", "b\u00f6b@x.y"]
)
def test_nobody_learns_which_logins_there_are(people: Cast, email: str) -> None:
    """A wrong password, an unknown email, a login that is switched off: the same words and status."""
    User.objects.create_user(email="gone@acme.example", password=PASSWORD)
    User.objects.filter(email="gone@acme.example").update(is_active=False)
    answer = Browser().sign_in(email, PASSWORD if email.startswith("gone") else "wrong")
    assert refusal(answer) == (401, "UNAUTHENTICATED", WRONG)
    assert "sessionid" not in answer.cookies


def test_an_unknown_email_takes_as_long_as_a_wrong_password(people: Cast, settings: Any) -> None:
    """What takes the time is a password's hash: both make one, and no more, of the same sort."""
    settings.PASSWORD_HASHERS = [f"{__name__}.{CountedHasher.__name__}"]
    people.bob.user.set_password(PASSWORD)
    people.bob.user.save()
    made = {}
    for email in ("bob@acme.example", "nobody@acme.example"):
        before = CountedHasher.hashed
        assert Browser().sign_in(email, "wrong").status_code == 401
        made[email] = CountedHasher.hashed - before
    assert made == {"bob@acme.example": 1, "nobody@acme.example": 1}


def test_guessing_a_password_is_slow(people: Cast) -> None:
    """Ten attempts, from wherever they come; then even the right password waits, and so does an account that is not there."""
    for email in ("bob@acme.example", "nobody@acme.example"):
        answers = [Browser(address=f"198.51.100.{number}").sign_in(email, "wrong") for number in range(12)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        status, code, message = refusal(answers[-1])
        wait = int(answers[-1].headers["Retry-After"])
        assert (status, code) == (429, "RATE_LIMITED")
        assert 50 <= wait <= 60
        assert message == f"Too many attempts: try again in {wait} seconds."
    assert Browser(address="203.0.113.9").sign_in().status_code == 429


def test_one_address_may_not_try_a_list_of_accounts(people: Cast) -> None:
    """Thirty a minute; a network of IPv6 is one address; others go on."""
    for first, other in (("198.51.100.7", "198.51.100.8"), ("2001:db8::1", "2001:db8:0:1::1")):
        answers = [Browser(address=first).sign_in(f"{number}@{first[:3]}.example", "wrong") for number in range(31)]
        assert [answer.status_code for answer in answers] == [401] * 30 + [429]
        assert Browser(address=other).sign_in("x@y.example", "wrong").status_code == 401
    assert Browser(address="2001:db8::ffff").sign_in("x@z.example", "wrong").status_code == 429


def test_whoever_signs_in_is_not_counted(people: Cast) -> None:
    """A busy office behind one address gets in."""
    for _ in range(12):
        assert Browser().sign_in().status_code == 200


def test_the_auditors_form_counts_the_same_attempts(people: Cast) -> None:
    """Another door to the same passwords is no way round."""
    for number in range(10):
        Browser(address=f"198.51.100.{number}").sign_in(password="wrong")
    answer = Client().post("/admin/login/", {"username": "bob@acme.example", "password": PASSWORD})
    assert answer.status_code == 200
    assert "Too many attempts: try again in" in answer.content.decode()


@pytest.mark.parametrize("path", [SESSION, RESET, CONFIRM])
def test_every_change_needs_the_token(people: Cast, path: str) -> None:
    """Signing in, too: a page that signs a visitor in under another name would see what they do."""
    client = Client(enforce_csrf_checks=True)
    body = json.dumps({"email": "bob@acme.example", "password": PASSWORD, "user": "x", "token": "x"})
    expected = (
        403,
        "FORBIDDEN",
        "Send the csrfToken that GET /api/v2/session answers as the header X-CSRFToken, with its cookie.",
    )
    assert refusal(client.post(path, data=body, content_type="application/json")) == expected
    forged = {"X-CSRFToken": "x" * 64}
    assert refusal(client.post(path, data=body, content_type="application/json", headers=forged)) == expected
    browser = Browser()
    browser.headers = {"Origin": "https://evil.example"}
    assert refusal(browser.send(path, body)) == expected
    assert refusal(Client(enforce_csrf_checks=True).delete(SESSION)) == expected


def test_a_frontend_of_ours_on_another_origin_is_let_in(people: Cast, settings: Any) -> None:
    """CORS answers those that are named, with credentials, and no others."""
    settings.CORS_ALLOWED_ORIGINS = settings.CSRF_TRUSTED_ORIGINS = ["https://app.acme.example"]
    ours, theirs = "https://app.acme.example", "https://evil.example"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-csrftoken,x-tenant"}
    answer = Client().options(SESSION, headers={"Origin": ours, **asked})
    assert answer.headers["Access-Control-Allow-Origin"] == ours
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"x-csrftoken", "x-tenant"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Access-Control-Allow-Origin" not in Client().options(SESSION, headers={"Origin": theirs, **asked}).headers
    browser = Browser(Origin=ours)
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ours)
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in Client().get(SESSION, headers={"Origin": theirs}).headers


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("email=x", "application/x-www-form-urlencoded", (415, "Content-Type: send the body as application/json.")),
        ("{", "application/json", (400, "The body is not valid JSON.")),
        ("[" * 100_000, "application/json", (400, "The body is not valid JSON.")),
        (b"\xff".decode("latin-1"), "application/json", (400, "The body is not valid JSON.")),
        ("null", "application/json", (400, "The body must be a JSON object.")),
        ("[1]", "application/json", (400, "The body must be a JSON object.")),
        ({"password": "x"}, "application/json", (400, "email: a text is required.")),
        ({"email": 5, "password": "x"}, "application/json", (400, "email: a text is required.")),
        ({"email": "a@b.c", "password": ""}, "application/json", (400, "password: a text is required.")),
        (
            {"email": "a@b.c", "password": "x" * 4097},
            "application/json",
            (400, "password: more than 4,096 characters; shorten it."),
        ),
        (
            {"email": "a\0@b.c", "password": "x"},
            "application/json",
            (400, "email: there is a character in it that cannot be kept."),
        ),
        (
            '{"email": "a@b.c", "password": "\\ud800"}',
            "application/json",
            (400, "password: there is a character in it that cannot be kept."),
        ),
    ],
)
def test_a_malformed_body_is_refused_by_name(people: Cast, body: Any, kind: str, expected: tuple[int, str]) -> None:
    status, code, message = refusal(Browser().send(SESSION, body, kind=kind))
    assert (status, message, code) == (*expected, "BAD_USER_INPUT")


@pytest.mark.parametrize(("path", "allowed"), [(SESSION, "GET, POST, DELETE, HEAD, OPTIONS"), (RESET, "POST, OPTIONS")])
def test_other_methods_are_refused(people: Cast, path: str, allowed: str) -> None:
    answer = Browser().send(path, {}, method="put")
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def ask_for_reset(email: str, *, browser: Browser | None = None) -> Any:
    answer = (browser or Browser()).send(RESET, {"email": email})
    wait_for_post()
    return answer


def test_a_forgotten_password_is_set_anew(people: Cast) -> None:
    """The message's token works once; every other session of the login ends, and the reset signs nobody in."""
    open_elsewhere = Browser()
    open_elsewhere.sign_in()
    answer = ask_for_reset("BOB@acme.example ")
    assert (answer.status_code, answer.json()["message"]) == (
        202,
        "If there is a login with this email, a message to it is on its way.",
    )
    (message,) = mail.outbox
    assert message.to == ["bob@acme.example"]
    user, token = next(iter(TOKENS.findall(str(message.body))))
    browser = Browser()
    given = {"user": user, "token": token, "password": "another horse battery"}
    assert browser.send(CONFIRM, given).json()["user"] is None
    assert open_elsewhere.get().json()["user"] is None
    assert refusal(browser.send(CONFIRM, given)) == (400, "BAD_USER_INPUT", TOO_OLD)
    assert browser.sign_in().status_code == 401
    assert browser.sign_in(password="another horse battery").status_code == 200


def test_the_message_leads_to_a_page_where_there_is_one(people: Cast, settings: Any) -> None:
    """By the setting, never by a header of the request."""
    settings.FLOWLEDGER_RESET_URL = "https://app.acme.example/password?user={user}&token={token}"
    settings.ALLOWED_HOSTS = ["*"]
    ask_for_reset("bob@acme.example", browser=Browser(Host="evil.example"))
    body = str(mail.outbox[0].body)
    assert f"https://app.acme.example/password?user={name_of(people.bob.user)}&token=" in body
    assert "evil" not in body


@pytest.mark.parametrize("email", ["nobody@acme.example", "gone@acme.example", "audrey@acme.example"])
def test_nobody_learns_by_a_reset_which_logins_there_are(people: Cast, email: str) -> None:
    """The same answer for an unknown email, one switched off and one without a password; no message is sent."""
    User.objects.create_user(email="gone@acme.example", password=PASSWORD)
    User.objects.filter(email="gone@acme.example").update(is_active=False)
    answer = ask_for_reset(email)
    assert (answer.status_code, answer.json()) == (202, ask_for_reset("bob@acme.example").json())
    assert [message.to for message in mail.outbox] == [["bob@acme.example"]]


def test_messages_are_not_sent_for_ever(people: Cast) -> None:
    """Three an hour for an email, whether it is a login's or not."""
    for email in ("bob@acme.example", "nobody@acme.example"):
        assert [ask_for_reset(email).status_code for _ in range(4)] == [202, 202, 202, 429]
    assert len(mail.outbox) == 3


def test_a_mail_server_that_is_down_is_in_the_log_alone(
    people: Cast, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    assert ask_for_reset("bob@acme.example").status_code == 202
    assert [record.getMessage() for record in caplog.records if record.name == "flowledger.mail"] == [
        f"A message about a password could not be sent to account {people.bob.user.id}"
    ]


def test_a_token_is_for_one_login_and_one_hour(people: Cast, settings: Any) -> None:
    """A token of another login, a changed one, one that is too old and one of before a sign-in: the same words."""
    ask_for_reset("bob@acme.example")
    user, token = next(iter(TOKENS.findall(str(mail.outbox[0].body))))
    wrong = [
        (name_of(people.alice.user), token),
        (user, token[:-1] + ("a" if token[-1] != "a" else "b")),
        ("x", token),
        ("MTA0OTQ1NzI5NTk5OTk5OTk", token),
        (user, "x"),
    ]
    for name, given in wrong:
        body = {"user": name, "token": given, "password": "another horse battery"}
        assert refusal(Browser(address="192.0.2.7").send(CONFIRM, body)) == (400, "BAD_USER_INPUT", TOO_OLD)
    settings.PASSWORD_RESET_TIMEOUT = -1
    body = {"user": user, "token": token, "password": "another horse battery"}
    assert refusal(Browser().send(CONFIRM, body))[2] == TOO_OLD
    settings.PASSWORD_RESET_TIMEOUT = 3600
    assert Browser().sign_in().status_code == 200
    assert refusal(Browser().send(CONFIRM, body))[2] == TOO_OLD


def test_a_password_that_is_too_short_is_refused_and_the_token_lives_on(people: Cast) -> None:
    ask_for_reset("bob@acme.example")
    user, token = next(iter(TOKENS.findall(str(mail.outbox[0].body))))
    short = refusal(Browser().send(CONFIRM, {"user": user, "token": token, "password": "short"}))
    assert short[0] == 400
    assert short[2].startswith("password: This password is too short.")
    assert Browser().send(CONFIRM, {"user": user, "token": token, "password": "long enough now"}).status_code == 200


def test_tokens_are_not_guessed(people: Cast) -> None:
    body = {"user": name_of(people.bob.user), "token": "x", "password": "another horse battery"}
    answers = [Browser(address=f"198.51.100.{number}").send(CONFIRM, body) for number in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]


def test_the_buckets_name_nobody(people: Cast) -> None:
    """An email or an address is nobody's to read in the limiter's table."""
    Browser().sign_in(password="wrong")
    assert {len(bytes(bucket)) for bucket in RateBucket.objects.values_list("bucket", flat=True)} == {16}
    claims = throttle.LOGIN.claims(account=" Bob@ACME.example", address=None)
    assert claims[0] == throttle.LOGIN.claims(account="bob@acme.example", address=None)[0]


def test_it_works_with_the_rights_of_the_webs_login(people: Cast, as_web_login: None) -> None:
    """Sessions, the limiter, the last sign-in and the password: all that fl_app may write of a login."""
    browser = Browser()
    assert browser.sign_in().json()["tenants"][0]["slug"] == "acme"
    ask_for_reset("bob@acme.example")
    user, token = next(iter(TOKENS.findall(str(mail.outbox[0].body))))
    body = {"user": user, "token": token, "password": "another horse battery"}
    assert browser.send(CONFIRM, body).status_code == 200
    assert Browser().sign_in(password="another horse battery").status_code == 200


def test_the_readme_tells_how_often() -> None:
    """The table of attempts is that of the code."""
    spans = {60: "a minute", 600: "in 10 minutes", 3600: "an hour"}
    text = (Path(project.BASE_DIR) / "tasks_app" / "README.md").read_text(encoding="utf-8")
    lines = text.split("| attempt | per account |")[1].split("\n\n")[0].splitlines()[2:]
    told = [tuple(cell.strip() for cell in line.strip("|").split("|")[1:]) for line in lines]
    doors = (throttle.LOGIN, throttle.RESET, throttle.CONFIRM)
    assert told == [
        tuple(f"{rate.points} {spans[rate.seconds]}" for rate in (door.per_account, door.per_address)) for door in doors
    ]
