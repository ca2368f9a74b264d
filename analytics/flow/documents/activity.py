"""Activity, the document of who changed what, and when."""

from typing import Final

from analytics.engine.documents.tables import nodes, table_by_row
from analytics.flow.documents import shipped

EVENTS = (
    *("position", "kind", "taskKey", "project.key", "fromState.slug", "toState.slug", "secondsInFromState"),
    *("actor.name", "actor.kind", "correlationId", "happenedAt", "recordedAt", "sentence"),
)

ACTIVITY: Final = shipped("activity", table=lambda data: table_by_row(nodes(data["activity"]), EVENTS))
