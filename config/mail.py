"""How messages leave: by the server of FLOWLEDGER_EMAIL_URL, or, without one, as text on the process's output."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

CONSOLE = "django.core.mail.backends.console.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
PORTS = {"smtp": 587, "smtps": 465}
FORM = "write it as smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465"


@dataclass(frozen=True, kw_only=True)
class Mail:
    """Django's settings of the same names."""

    sender: str
    backend: str = CONSOLE
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def mail_settings(environ: Mapping[str, str]) -> Mail:
    """Where messages go. A URL that is none is refused at the start, and its password is not repeated."""
    sender = environ.get("FLOWLEDGER_EMAIL_FROM", "").strip() or "flowledger@localhost"
    text = environ.get("FLOWLEDGER_EMAIL_URL", "").strip()
    if not text:
        return Mail(sender=sender)
    parts = urlsplit(text)
    return Mail(
        sender=sender,
        backend=SMTP,
        host=parts.hostname or "",
        port=_port(parts),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp",
        tls=parts.scheme == "smtps",
    )


def reset_url(environ: Mapping[str, str]) -> str:
    """The address of the page for a new password, with {user} and {token} in it; empty when there is none."""
    text = environ.get("FLOWLEDGER_RESET_URL", "").strip()
    try:
        made = text.format(user="u", token="t")  # noqa: S106 - not a password
    except (KeyError, IndexError, ValueError):
        made = ""
    if text and not (made.startswith(("https://", "http://")) and "{user}" in text and "{token}" in text):
        raise ImproperlyConfigured(
            "FLOWLEDGER_RESET_URL: write it as https://app.example.org/password?user={user}&token={token}."
        )
    return text


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise ImproperlyConfigured(f"FLOWLEDGER_EMAIL_URL: {FORM}.")
    return port or PORTS[parts.scheme]
