"""Task names: ledger rows have ids only."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

NAMES = """/* replay.item_names */
SELECT id, key, external_id FROM task WHERE tenant_id = %(tenant)s AND id = ANY (%(tasks)s)
 UNION ALL
SELECT task_id, key, external_id FROM deleted_task WHERE tenant_id = %(tenant)s AND task_id = ANY (%(tasks)s)
"""


class ItemName(NamedTuple):
    """A task's key, and what names it in a digest: its own id at its source, where it has one.

    Keys are numbered in the order of import, so two imports of the same facts may differ in them.
    """

    task_id: int
    key: str
    external_id: str

    @property
    def identity(self) -> str:
        """The external id, or else the key."""
        return self.external_id or self.key


def names_of(*, tenant_id: int, task_ids: Sequence[int]) -> dict[int, ItemName]:
    """The names of those tasks, deleted ones included, by task id."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES, {"tenant": tenant_id, "tasks": list(task_ids)})
        rows = cursor.fetchall()
    return {task: ItemName(task_id=task, key=key, external_id=external) for task, key, external in rows}
