"""Which database the settings name, and as whom: the web logs in as fl_app and migrations run as the owner."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.database.settings import database_settings, use_owner_login
from tests.processes import HOLD, Start, first_line, run_django

NO_SCHEMA = "SchemaMissingError: The database has no Flowledger schema yet: run manage.py migrate."
LOGINS = """
import threading
answers = {"before": refusal()}
make_role()
answers["role alone"] = refusal()
migrate()
answers["web"] = ask("SELECT current_user, session_user")
with connection.owner_login(), connection.owner_login():
    answers["owner"] = ask("SELECT current_user, session_user")
    thread = threading.Thread(target=lambda: answers.update(thread=ask("SELECT session_user")))
    thread.start(); thread.join()
answers["web again"] = ask("SELECT session_user")
with transaction.atomic():
    try:
        connection.owner_login().__enter__()
    except transaction.TransactionManagementError as error:
        answers["in a transaction"] = str(error)
use_owner_login(settings.DATABASES["default"])
connection.close()
answers["test database"] = connection.creation.create_test_db(verbosity=0, serialize=False)
answers["in it"] = ask("SELECT current_database(), session_user")
connection.creation.clone_test_db("1", verbosity=0)
connection.creation.destroy_test_db("flowledger", verbosity=0, suffix="1")
connection.settings_dict["NAME"] = "test_flowledger"
connection.creation.destroy_test_db("flowledger", verbosity=0)
answers["left"] = ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'test%'")
print(json.dumps(answers))
"""


def test_the_web_logs_in_as_fl_app_and_migrations_as_the_owner(home: Path, start: Start) -> None:
    """Before migrations one sentence says what to do. Afterwards each login is right, other threads' too."""
    expected = {
        "before": NO_SCHEMA,
        "role alone": NO_SCHEMA,
        "web": ["fl_app", "fl_app"],
        "owner": ["fl_owner", "fl_owner"],
        "thread": ["fl_app"],
        "web again": ["fl_app"],
        "in a transaction": "owner_login() opens another connection: leave the transaction first.",
        "test database": "test_flowledger",
        "in it": ["test_flowledger", "fl_owner"],
        "left": [0],
    }
    assert run_django(start, LOGINS, FLOWLEDGER_HOME=str(home)) == expected


def test_a_superusers_url_steps_down_and_another_url_is_the_webs(home: Path, start: Start) -> None:
    """With DATABASE_URL alone a superuser's connection becomes fl_app or is refused: no query runs as superuser."""
    sockets = first_line(start(HOLD))
    address = f"postgresql://fl_owner@{sockets.replace('/', '%2F')}/flowledger"
    steps = """
answers = [refusal(), refusal()]
make_role(); migrate()
answers += ask("SELECT session_user, current_user")
with connection.owner_login():
    ask("CREATE ROLE plain LOGIN")
    answers += ask("SELECT session_user")
print(json.dumps(answers))
"""
    assert run_django(start, steps, DATABASE_URL=address) == [NO_SCHEMA, NO_SCHEMA, "fl_app", "fl_app", "fl_owner"]
    steps = """
answers = ask("SELECT session_user")
with connection.owner_login():
    answers += ask("SELECT session_user")
print(json.dumps(answers))
"""
    plain = address.replace("fl_owner", "plain")
    assert run_django(start, steps, DATABASE_URL=plain) == ["plain", "plain"]
    assert run_django(start, steps, DATABASE_URL=address, DATABASE_WEB_URL=plain) == ["plain", "fl_owner"]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DATABASE_URL": "mysql://u:secret@h/d"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://u:secret@h"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "postgresql://u:sec#ret@h:x/d"}, "DATABASE_URL is no valid address"),
        (
            {"DATABASE_URL": "postgresql://u@h/a", "DATABASE_WEB_URL": "postgresql://u:secret@h/b"},
            "both must name the same one",
        ),
    ],
)
def test_a_wrong_address_is_refused_without_showing_its_password(environment: dict[str, str], sentence: str) -> None:
    """The sentence names the variable and what is wrong with it."""
    with pytest.raises(ImproperlyConfigured, match=sentence) as caught:
        database_settings(environ=environment, base_dir=Path("/base"))
    assert "sec" not in str(caught.value)


def test_settings_come_from_the_environment() -> None:
    """Without DATABASE_URL the embedded server in base_dir/var; with it the owner's login may differ from the web's."""
    embedded = database_settings(environ={}, base_dir=Path("/base"))
    assert (embedded["OPTIONS"], embedded["USER"]) == ({"embedded_home": "/base/var"}, "fl_app")
    urls = {
        "DATABASE_URL": "postgresql://boss:b@db/flow?sslmode=require",
        "DATABASE_WEB_URL": "postgresql://web:w@pool:6432/flow",
    }
    served = database_settings(environ=urls, base_dir=Path("/base"))
    assert [served[key] for key in ("NAME", "USER", "HOST", "PORT", "OPTIONS")] == ["flow", "web", "pool", 6432, {}]
    use_owner_login(served)
    assert [served[key] for key in ("NAME", "USER", "HOST", "PORT", "OPTIONS")] == [
        "flow",
        "boss",
        "db",
        "",
        {"sslmode": "require"},
    ]
