"""DATABASES["default"] from the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

ENGINE = "config.database"
WEB_LOGIN = "fl_app"
OWNER_LOGIN = "owner"
EMBEDDED_OWNER = "fl_owner"
EMBEDDED_DATABASE = "flowledger"
EMBEDDED_PORT = "5432"
_COMMON = {
    "ENGINE": ENGINE,
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": False,
}
# What the owner's login may have otherwise than the web's. The name is not among them: both use one database.
_LOGIN_KEYS = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
_SCHEMES = ("postgresql://", "postgres://")


def home_directory(*, environ: Mapping[str, str], base_dir: Path) -> Path:
    """FLOWLEDGER_HOME, by default base_dir/var; a relative one is meant from base_dir."""
    return base_dir / Path(environ.get("FLOWLEDGER_HOME") or "var").expanduser()


def database_settings(*, environ: Mapping[str, str], base_dir: Path) -> dict[str, Any]:
    """The settings of the one database: the server of DATABASE_URL, else the embedded one.

    Beyond Django's keys: OWNER is what the owner's login (who migrates) has otherwise than the web's; STEP_DOWN_TO is
    the role that a superuser's connection becomes, as there is no login of the web's own (session-wide: PgBouncer needs
    DATABASE_WEB_URL). Opens no connection. Raises ImproperlyConfigured, never with a password in it.
    """
    if url := environ.get("DATABASE_URL", "").strip():
        return _served(url=url, web_url=environ.get("DATABASE_WEB_URL", "").strip())
    return _embedded(home=home_directory(environ=environ, base_dir=base_dir))


def use_owner_login(settings_dict: dict[str, Any]) -> None:
    """Makes every later connection of these settings the owner's: for tests, which create their own databases."""
    settings_dict.update(as_owner(settings_dict))


def as_owner(settings_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings with the owner's login instead of the web's."""
    return {**settings_dict, **settings_dict.get("OWNER", {}), "LOGIN": OWNER_LOGIN}


def _embedded(*, home: Path) -> dict[str, Any]:
    return {
        **_COMMON,
        "NAME": EMBEDDED_DATABASE,
        "USER": WEB_LOGIN,
        "PASSWORD": "",
        "HOST": "",
        "PORT": EMBEDDED_PORT,
        "OPTIONS": {"embedded_home": str(home)},
        "OWNER": {"USER": EMBEDDED_OWNER, "PASSWORD": ""},
    }


def _served(*, url: str, web_url: str) -> dict[str, Any]:
    owner = _parsed(name="DATABASE_URL", url=url)
    if not web_url:
        return {**_COMMON, **owner, "OWNER": _login(owner), "STEP_DOWN_TO": WEB_LOGIN}
    web = _parsed(name="DATABASE_WEB_URL", url=web_url)
    if web["NAME"] != owner["NAME"]:
        raise ImproperlyConfigured(
            f"DATABASE_WEB_URL names the database {web['NAME']!r} and DATABASE_URL {owner['NAME']!r}: "
            "both must name the same one."
        )
    return {**_COMMON, **web, "OWNER": _login(owner)}


def _login(settings_dict: Mapping[str, Any]) -> dict[str, Any]:
    return {key: settings_dict[key] for key in _LOGIN_KEYS}


def _parsed(*, name: str, url: str) -> dict[str, Any]:
    example = "postgresql://user:password@host:5432/flowledger"
    if not url.startswith(_SCHEMES):
        raise ImproperlyConfigured(f"{name} must begin with postgresql://, as in {example}.")
    try:
        parsed: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError:
        # Not chained: the parser's message may quote the password.
        raise ImproperlyConfigured(
            f"{name} is no valid address; write it as {example}, special characters percent-encoded."
        ) from None
    if not parsed["NAME"]:
        raise ImproperlyConfigured(f"{name} names no database; add it at the end, as in {example}.")
    return {"NAME": parsed["NAME"], **_login({"OPTIONS": {}, **parsed})}
