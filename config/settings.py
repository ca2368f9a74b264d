"""Django's settings. Everything that differs between machines comes from the environment (see README.md)."""

import os
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.database.settings import database_settings
from config.mail import mail_settings, reset_url
from tasks_app.observing.logs import logging_settings
from tasks_app.observing.objectives import TAIL, ServiceLevels, chosen

BASE_DIR = Path(__file__).resolve().parent.parent
ON_A_SERVER = bool(os.environ.get("DATABASE_URL"))


def secret_key() -> str:
    """The secret of sessions and signatures; only a development machine may do without one of its own."""
    if key := os.environ.get("DJANGO_SECRET_KEY"):
        return key
    if ON_A_SERVER:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is not set: with DATABASE_URL a secret key of your own is needed."
        )
    return "development-only-secret-key-never-used-with-a-database-url"


def listed(name: str) -> list[str]:
    """The comma-separated values of an environment variable."""
    return [value.strip() for value in os.environ.get(name, "").split(",") if value.strip()]


def networks(name: str) -> list[str]:
    """The comma-separated networks of an environment variable."""
    for text in listed(name):
        try:
            ip_network(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: {text!r} is no network; write it as 10.0.0.0/8.") from None
    return listed(name)


def days(name: str) -> int | None:
    """A number of days from an environment variable; None where there is none."""
    if not os.environ.get(name, "").strip():
        return None
    return whole_number(name, default=0, of="days ", most=100_000)


def whole_number(name: str, *, default: int, most: int, least: int = 1, of: str = "") -> int:
    """A number from an environment variable."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise ImproperlyConfigured(
            f"{name} is {text!r}: give a whole number {of and 'of ' + of}from {least} to {most}."
        )
    return int(text)


def log_format() -> str:
    """How log lines are written: by default JSON on a server, and readable in development."""
    text = os.environ.get("FLOWLEDGER_LOG", "").strip() or ("json" if ON_A_SERVER and not DEBUG else "lines")
    if text not in ("json", "lines"):
        raise ImproperlyConfigured(f"FLOWLEDGER_LOG is {text!r}: give json or lines.")
    return text


def service_levels() -> ServiceLevels:
    """What is promised of the answers; only what FLOWLEDGER_SERVICE_LEVELS names is otherwise than by default."""
    try:
        return chosen(os.environ.get("FLOWLEDGER_SERVICE_LEVELS", ""))
    except ValueError as error:
        raise ImproperlyConfigured(f"FLOWLEDGER_SERVICE_LEVELS: {error}.") from None


def cost(name: str, *, default: int) -> int:
    """A cost or a number of milliseconds from an environment variable."""
    return whole_number(name, default=default, least=0, most=2**31 - 1)


def yes_or_no(name: str) -> bool:
    """An environment variable that says yes or no, by default no."""
    text = os.environ.get(name, "").strip() or "no"
    if text not in ("yes", "no"):
        raise ImproperlyConfigured(f"{name} is {text!r}: give yes or no.")
    return text == "yes"


SECRET_KEY = secret_key()
DEBUG = os.environ.get("DJANGO_DEBUG", "0" if ON_A_SERVER else "1") == "1"
ALLOWED_HOSTS = listed("FLOWLEDGER_ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
# Whose X-Forwarded-For is believed. Without any, a request comes from whoever opened the connection.
FLOWLEDGER_TRUSTED_PROXIES = networks("FLOWLEDGER_TRUSTED_PROXIES")
CORS_ALLOWED_ORIGINS = listed("FLOWLEDGER_CORS_ORIGINS")
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key", "x-csrftoken", "x-tenant"]
CORS_ALLOW_CREDENTIALS = True
CORS_EXPOSE_HEADERS = [
    *("ETag", "Idempotency-Replayed", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Flowledger-Digest"),
]
CSRF_TRUSTED_ORIGINS = CORS_ALLOWED_ORIGINS

INSTALLED_APPS = [
    "tasks_app",
    "analytics",
    "config.site.AuditSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "pgtrigger",
    "django_q",
]
MIDDLEWARE = [
    "tasks_app.observing.serving.watch_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

DATABASES = {"default": database_settings(environ=os.environ, base_dir=BASE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTH_USER_MODEL = "tasks_app.User"
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
LOGIN_URL = "admin:login"
# Messages travel in a cookie: the admin's requests may not write to the database.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ON_A_SERVER and not DEBUG

# Where the message about a new password leads: a page of a frontend, with {user} and {token} in it. Without one the message
# holds the two, to be sent by hand.
FLOWLEDGER_RESET_URL = reset_url(os.environ)
PASSWORD_RESET_TIMEOUT = 3600
MAIL = mail_settings(os.environ)
EMAIL_BACKEND, DEFAULT_FROM_EMAIL = MAIL.backend, MAIL.sender
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.starttls, MAIL.tls
EMAIL_TIMEOUT = 10
# Of one address, in one process: a flood is turned away before it is read. A plan says what callers may ask in all.
FLOWLEDGER_REQUESTS_A_MINUTE = whole_number("FLOWLEDGER_REQUESTS_A_MINUTE", default=6_000, most=10_000_000)
# A request's body: the longest document, and variables that carry some thousand events.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000

# Older systems that may be asked: `host` over https, or `host:port`, which may then be in a network of one's own.
FLOWLEDGER_OUTSIDE_HOSTS = listed("FLOWLEDGER_OUTSIDE_HOSTS")

# Whether the tables are spread over machines by tenant (Citus): migrations then write policies that it takes.
FLOWLEDGER_SHARDED = yes_or_no("FLOWLEDGER_SHARDED")

# How long rollups by the minute and by the hour are kept of all families, where it is not as long as these declare; a tenant
# may choose otherwise still (`manage.py retention`).
FLOWLEDGER_MINUTE_DAYS = days("FLOWLEDGER_MINUTE_DAYS")
FLOWLEDGER_HOUR_DAYS = days("FLOWLEDGER_HOUR_DAYS")

# Which questions are answered at once, tried for so long, answered by a job, refused: by their estimated cost, a unit of
# which is about a microsecond. `executionPolicy` tells it to whoever asks.
FLOWLEDGER_EXECUTION = {
    "version": "execution/1",
    "sync": cost("FLOWLEDGER_SYNC_COST", default=2_000_000),
    "try_sync": cost("FLOWLEDGER_TRY_SYNC_COST", default=20_000_000),
    "asynchronous": cost("FLOWLEDGER_ASYNC_COST", default=2_000_000_000),
    "budget_ms": cost("FLOWLEDGER_BUDGET_MS", default=2_000),
}
# The schema in which jobs answer.
FLOWLEDGER_SCHEMA = "config.schema.schema"
# The families of facts, a folder of `analytics` each: see analytics/engine/families.py, and wings.py for what is shown of them.
FLOWLEDGER_WINGS = ["analytics.flow"]

# What the worker does, and when, is in analytics/jobs/schedule.py. A run that is late is not made up for: the next one does
# its work. The timeout ends a worker that hangs. It is far beyond the 15 minutes that a statement of a fold or a job has: a
# tenant whose rows take long to be made anew would never get them if the worker ended first. `retry` counts from when a task
# is handed out, waiting included, so it is longer than all that may be handed out before it. Two workers: jobs and folds.
Q_CLUSTER = {
    "name": "flowledger",
    "orm": "default",
    "workers": 2,
    "queue_limit": 1,
    "bulk": 1,
    "poll": 1,
    "timeout": 7_200,
    "retry": 15_000,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "save_limit": 100,
}

# Answers over closed windows; see analytics/windows/cache.py. One a process, and never wrong, so it may be small or shared.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "answers",
        "TIMEOUT": 3600,
        "OPTIONS": {"MAX_ENTRIES": 256},
    }
}
FLOWLEDGER_SERVICE_LEVELS = service_levels()
# Rollups that lag by more are STALE; a fact that has waited for longer to be folded is an alert.
FLOWLEDGER_STALE_AFTER: timedelta = FLOWLEDGER_SERVICE_LEVELS.fresh_within
FLOWLEDGER_TAIL_ALERT: timedelta = FLOWLEDGER_SERVICE_LEVELS.alarm(TAIL).after

# What a column's help_text says is what the API says of it.
STRAWBERRY_DJANGO = {"FIELD_DESCRIPTION_FROM_HELP_TEXT": True}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
# Whoever has it may read /metrics; without one only this machine may.
FLOWLEDGER_METRICS_TOKEN = os.environ.get("FLOWLEDGER_METRICS_TOKEN", "").strip()
# FLOWLEDGER_LOG is json or lines.
LOGGING = logging_settings(as_json=log_format() == "json")
