"""What the environment says of messages, and of proxies."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.mail import CONSOLE, SMTP, mail_settings, reset_url
from config.settings import networks


def test_without_a_server_messages_are_printed() -> None:
    mail = mail_settings({})
    assert (mail.backend, mail.sender, mail.password) == (CONSOLE, "flowledger@localhost", "")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://ada:p%40ss@mail.example:2525", ("mail.example", 2525, "ada", "p@ss", True, False)),
        ("smtp://mail.example", ("mail.example", 587, "", "", True, False)),
        ("smtps://ada:x@mail.example", ("mail.example", 465, "ada", "x", False, True)),
    ],
)
def test_a_server_is_a_url(url: str, expected: tuple[object, ...]) -> None:
    mail = mail_settings({"FLOWLEDGER_EMAIL_URL": url, "FLOWLEDGER_EMAIL_FROM": "Flow <f@x.example>"})
    assert (mail.host, mail.port, mail.user, mail.password, mail.starttls, mail.tls) == expected
    assert (mail.backend, mail.sender) == (SMTP, "Flow <f@x.example>")


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://x:secret@h:0", "smtp://x:secret@h:a"]
)
def test_what_is_no_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="FLOWLEDGER_EMAIL_URL: write it as smtp://") as refused:
        mail_settings({"FLOWLEDGER_EMAIL_URL": url})
    assert "secret" not in str(refused.value)


def test_the_page_for_a_new_password_has_both_places() -> None:
    page = "https://app.example/p?user={user}&token={token}"
    assert reset_url({"FLOWLEDGER_RESET_URL": page}) == page
    assert reset_url({}) == ""
    for wrong in (
        "https://app.example/p",
        "/p?{user}{token}",
        "javascript:{user}{token}",
        "https://x/{user}{token}{0}",
        "{",
    ):
        with pytest.raises(ImproperlyConfigured, match="FLOWLEDGER_RESET_URL: write it as https://"):
            reset_url({"FLOWLEDGER_RESET_URL": wrong})


def test_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXIES", "10.0.0.0/8, ::1")
    assert networks("PROXIES") == ["10.0.0.0/8", "::1"]
    monkeypatch.setenv("PROXIES", "10.0.0.1/8")
    with pytest.raises(ImproperlyConfigured, match=r"PROXIES: '10.0.0.1/8' is no network"):
        networks("PROXIES")
