"""The statements of the replay are planned for a long log as well."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from analytics.flow.replay import flow

LONG_AFTER = datetime(2200, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("project_id", [1, None])
def test_no_list_is_read_again_for_each_fact(project_id: int | None) -> None:
    """The project's tasks are joined: a SubPlan that outgrows work_mem made 300,000 facts take minutes."""
    scope = flow.Scope(tenant_id=1, project_id=project_id, until=LONG_AFTER, known_at=None)
    statement = f"EXPLAIN {scope.chosen(flow.MOVEMENTS)}"
    with connection.cursor() as cursor:
        cursor.execute(statement, {**scope.parameters(), "edges": [LONG_AFTER]})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "SubPlan" not in plan
    assert "task_ledger" in plan
