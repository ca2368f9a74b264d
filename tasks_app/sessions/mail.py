"""Password mail, with which one is set anew. Sent beside the request: how long that takes tells nobody anything."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tasks_app.models import User

logger = logging.getLogger("flowledger.mail")

POST = ThreadPoolExecutor(max_workers=1, thread_name_prefix="post")
SUBJECT = "Your Flowledger password"


def send_resets(people: Iterable[User]) -> None:
    """Hands the messages over and comes back at once, whether there is anybody to write to or not."""
    POST.submit(_send_all, list(people))


def wait_for_post() -> None:
    """Comes back once every message that was handed over is sent or has failed."""
    POST.submit(lambda: None).result()


def name_of(user: User) -> str:
    """What stands for the login in a message: its number, so that a message that is passed on names nobody."""
    return urlsafe_base64_encode(force_bytes(user.pk))


def _send_all(people: Iterable[User]) -> None:
    for user in people:
        try:
            _send(user)
        except Exception:
            logger.exception("A message about a password could not be sent to account %s", user.pk)


def _send(user: User) -> None:
    name, token = name_of(user), default_token_generator.make_token(user)
    link = settings.FLOWLEDGER_RESET_URL.format(user=quote(name), token=quote(token))
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    text = render_to_string(
        "sessions/password_reset.txt", {"link": link, "user": name, "token": token, "minutes": minutes}
    )
    send_mail(SUBJECT, text, None, [user.email])
