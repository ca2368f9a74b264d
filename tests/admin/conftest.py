"""What the tests of this folder start with: the two tenants, visited as the web's login."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.admin.scene import scene, signed_in
from tests.cast import Cast
from tests.tasks_app.recording import web_login


@pytest.fixture
def people(db: Any) -> Iterator[Cast]:
    """Acme and Globex, with the connection stepped down to the web's login once all is there."""
    made = scene()
    with web_login():
        yield made


@pytest.fixture
def audrey(people: Cast) -> Client:
    """Acme's auditor, signed in."""
    return signed_in(people.audrey)
