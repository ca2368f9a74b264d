"""Two tenants with a little history each, and visits to the audit site as the web's login."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from tasks_app.models import DefinitionLedger, StateCategory, TaskLedger, WorkflowState
from tasks_app.operations import tasks
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, Company, Person, board, cast

PASSWORD = "correct horse battery"
SECRET = "Globex plans a thing"
NOW = datetime(2025, 1, 1, tzinfo=UTC)


def at(day: int, hour: int = 9) -> datetime:
    """An instant of March 2024."""
    return datetime(2024, 3, day, hour, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class History:
    """Makes one company's past, as one of its people."""

    company: Company
    person: Person

    def create(self, title: str, *, day: int, project: str = "WEB") -> str:
        """A task's key."""
        with self._inside():
            made = tasks.create_task(
                tenant_id=self.company.tenant.id, project=project, title=title, happened_at=at(day), now=NOW
            )
        return made.key

    def move(self, key: str, to: str, *, day: int) -> None:
        """A move at nine o'clock of that day."""
        with self._inside():
            tasks.move_task(happened_at=at(day), now=NOW, task=key, to=to, **self._who)

    def discard(self, key: str, *, day: int, reason: str) -> None:
        """Off the board from that day on."""
        with self._inside():
            tasks.discard_task(happened_at=at(day), now=NOW, task=key, reason=reason, **self._who)

    def rename(self, key: str, title: str) -> None:
        """Another title, now."""
        with self._inside():
            tasks.rename_task(tenant_id=self.company.tenant.id, task=key, title=title)

    @property
    def _who(self) -> dict[str, Any]:
        return {"tenant_id": self.company.tenant.id, "actor_id": self.person.actor.id}

    def _inside(self) -> Any:
        return entered(role=DatabaseRole.TENANT, **self._who)


def scene() -> Cast:
    """Acme has three tasks on WEB; Globex has WEB-1 of its own, a task OPS-1 and a project SPACE that Acme has not.

    WEB-1 goes to done, WEB-2 goes back, WEB-3 is discarded.
    """
    people = cast()
    acme = History(company=people.acme, person=people.alice)
    for title, day in (("=1+1", 4), ("Second", 5), ("Third", 6)):
        acme.create(title, day=day)
    acme.move("WEB-1", "doing", day=5)
    acme.move("WEB-1", "done", day=6)
    acme.move("WEB-2", "doing", day=6)
    acme.move("WEB-2", "todo", day=7)
    acme.discard("WEB-3", day=7, reason="a duplicate")
    acme.rename("WEB-2", "@Second")
    globex = History(company=people.globex, person=people.carol)
    globex.create(SECRET, day=4)
    globex.create(SECRET, day=5, project="OPS")
    board(tenant=people.globex.tenant, key="SPACE")
    return people


def signed_in(person: Person) -> Client:
    """A browser with that person's session."""
    client = Client()
    client.force_login(person.user)
    return client


def text(response: Any) -> str:
    """The body, streamed or not."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode())


def table(response: Any) -> list[dict[str, str]]:
    """A CSV's lines by the names of its header."""
    return list(csv.DictReader(io.StringIO(text(response))))


def ledger_size(company: Company) -> int:
    """All rows of both ledgers, as the owner of the tables sees them."""
    tenant_id = company.tenant.id
    facts = TaskLedger.objects.filter(tenant_id=tenant_id).count()
    return facts + DefinitionLedger.objects.filter(tenant_id=tenant_id).count()


def rename_state(company: Company, slug: str, name: str) -> None:
    """A definition change, now."""
    states = WorkflowState.objects.filter(tenant_id=company.tenant.id, project_id=company.board.project.id)
    assert states.filter(slug=slug).update(name=name, category=StateCategory.IN_PROGRESS) == 1
