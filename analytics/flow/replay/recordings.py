"""Recordings of definitions between two instants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

DEFINED_BETWEEN = """/* replay.defined_between */
SELECT correlation, array_agg(seq ORDER BY seq)
  FROM definition_ledger
 WHERE tenant_id = %(tenant)s AND (%(project)s::int IS NULL OR project_id = %(project)s) AND state_id <> 0
   AND recorded_at > %(known_from)s AND recorded_at <= %(known_to)s
 GROUP BY correlation
 ORDER BY min(seq)
"""


def defined_between(
    *, tenant_id: int, project_id: int | None, known_from: datetime, known_to: datetime
) -> Sequence[Sequence[int]]:
    """The ledger rows that defined states of the project (None: of all), in the order of recording.

    Those of one operation are together.
    """
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "project": project_id,
        "known_from": known_from,
        "known_to": known_to,
    }
    with connection.cursor() as cursor:
        cursor.execute(DEFINED_BETWEEN, values)
        return [seqs for _, seqs in cursor.fetchall()]
