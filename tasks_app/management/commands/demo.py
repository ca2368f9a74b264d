"""manage.py demo: the whole product on this machine, with two tenants and half a year of history."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import connection

from tasks_app.demo import acme, nightdesk
from tasks_app.demo.access import QUERY, QUESTION, Access, give_access, is_embedded
from tasks_app.demo.emptying import empty_database
from tasks_app.demo.serving import check_port, serve
from tasks_app.demo.today import live_through
from tasks_app.demo.writing import found_tenant
from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.refusals import Refused
from tasks_app.tenancy import ContextRefused, entered

STORIES = (acme.STORY, nightdesk.STORY)
PAGE = """
Flowledger serves two tenants, {tenants}, with half a year of history. Ctrl-C ends it.

  GraphQL   {graphql}    (a page to try queries on)
  Admin     {admin}
  Logins    {owner}
            {auditor}
  Password  {password}
  API key   {key}    (tenant acme, 30 days)

A cumulative flow diagram, as figures:

  curl -s {graphql} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    --data '{body}'

The same query, to paste on the GraphQL page once you are signed in:

{query}

Where do items wait? Ask,

{question}

and see the answer drawn: {admin}projects/WEB/#time-in-state

The past was reported today, so its recordedAt is today and its happenedAt is when it happened.

Some of it was reported later than the rest. Why is a number of some days ago another one since? Ask,

{change}

An older job counts the board at each midnight. Beside ours, what is it worth? See {dual_run}

  {drift}
"""


class Command(RefusingCommand):
    """Migrates, makes the demo's tenants if they are not there, and serves web and worker until it is told to stop."""

    help = "Sets up two tenants with months of history and serves them. Again is quick and gives a fresh API key."
    # `migrate` runs them; before it, there is nothing that could be checked.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        parser.add_argument("--port", type=int, default=8000, help="of 127.0.0.1 (8000)")
        parser.add_argument("--no-serve", action="store_true", help="set up, print how to get in as JSON, and end")
        parser.add_argument(
            "--fresh", action="store_true", help="first drop the embedded database with ALL that is in it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 and one sentence when something is in the way."""
        port: int = options["port"]
        if not options["no_serve"]:
            check_port(port=port)
        if options["fresh"]:
            _start_afresh()
        try:
            access = _set_up(tell=self._tell)
            facts = _facts(access, drift=_dual_run(tell=self._tell), port=port)
        except KeyboardInterrupt:
            raise Refused("Stopped before it was set up; run it again to go on.") from None
        if options["no_serve"]:
            self.stdout.write(json.dumps(facts))
            return
        connection.close()
        serve(port=port, on_ready=lambda: self._show(facts))

    def _show(self, facts: Mapping[str, Any]) -> None:
        self.stdout.write(_page(facts))
        self.stdout.flush()

    def _tell(self, sentence: str) -> None:
        self.stderr.write(sentence, style_func=str)  # not in the red of errors


def _start_afresh() -> None:
    if not is_embedded():
        raise Refused("--fresh drops the whole database: it is for the embedded one, so unset DATABASE_URL.")
    with owner_login():
        empty_database()


def _set_up(*, tell: Callable[[str], None]) -> Access:
    tell("Migrating ...")
    call_command("migrate", verbosity=0, interactive=False)
    _check_web_login()
    for story in STORIES:
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        tell(f"Tenant {story.slug} ...")
        with owner_login():
            people = found_tenant(story=story, now=now)
        live_through(story=story, people=people, now=now)
    tell("Folding ...")
    call_command("compact", stdout=StringIO())
    with owner_login():
        return give_access(stories=STORIES, now=datetime.now(UTC))  # noqa: TID251 - as above


def _dual_run(*, tell: Callable[[str], None]) -> dict[str, list[str]]:
    """What an older system's answers are worth, in sentences. It stands above this app, so it is called by its name."""
    tell("Comparing with an older system ...")
    out = StringIO()
    call_command("demo_dual_run", tenant=STORIES[0].slug, stdout=out)
    found: dict[str, list[str]] = json.loads(out.getvalue())
    return found


def _check_web_login() -> None:
    try:
        with entered(tenant_id=0, read_only=True):
            pass
    except ContextRefused:
        raise Refused(
            "The login that serves may not become fl_tenant: set DATABASE_WEB_URL to the same database, login fl_app."
        ) from None


def _facts(access: Access, *, drift: Mapping[str, list[str]], port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    return {
        "url": f"{url}/",
        "graphql": f"{url}/graphql",
        "admin": f"{url}/admin/",
        "logins": [vars(login) for login in access.logins],
        "api_keys": access.api_keys,
        "query": QUERY,
        "change": access.change,
        "dual_run": {"page": f"{url}/admin/dual-run/", **drift},
    }


def _page(facts: Mapping[str, Any]) -> str:
    """What people read on a terminal; programs get the JSON."""
    if not sys.stdout.isatty():
        return json.dumps(facts)
    acme_logins = [login for login in facts["logins"] if login["tenant"] == "acme"]
    by_role = {login["role"]: login for login in acme_logins}
    return PAGE.format(
        tenants=" and ".join(facts["api_keys"]),
        graphql=facts["graphql"],
        admin=facts["admin"],
        owner=f"{by_role['OWNER']['email']} (owner)",
        auditor=f"{by_role['AUDITOR']['email']} (auditor)",
        password=by_role["OWNER"]["password"],
        key=facts["api_keys"]["acme"],
        body=json.dumps({"query": " ".join(facts["query"].split())}),
        query=facts["query"],
        question=QUESTION,
        change=facts["change"],
        dual_run=facts["dual_run"]["page"],
        drift="\n  ".join(facts["dual_run"]["causes"]),
    )
