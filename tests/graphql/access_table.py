"""Who may ask for what, written out by hand: what the matrix of the product is compared with.

A line is a field of Query or Mutation, the scope that it takes, and an x for each role whose members may ask. A line with
a colon is about what an argument names, what a payload says, whether a node is found, or a field below that takes more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ROLES = ("OWNER", "ADMIN", "MANAGER", "MEMBER", "AUDITOR", "BILLING")

TABLE = """
                            scope           own adm man mem aud bil
viewer                      -                x   x   x   x   x   x
node                        -                x   x   x   x   x   x
replayReceipt               -                x   x   x   x   x   x
__schema                    -                x   x   x   x   x   x
projects                    TASKS_READ       x   x   x   x   x   x
project                     TASKS_READ       x   x   x   x   x   x
task                        TASKS_READ       x   x   x   x   x   x
tasks                       TASKS_READ       x   x   x   x   x   x
activity                    TASKS_READ       x   x   x   x   x   x
board                       TASKS_READ       x   x   x   x   x   x
analytics                   ANALYTICS_READ   x   x   x   x   x   .
operations                  ANALYTICS_READ   x   x   x   x   x   .
explainChange               ANALYTICS_READ   x   x   x   x   x   .
analyticsJob                ANALYTICS_READ   x   x   x   x   x   .
executionPolicy             ANALYTICS_READ   x   x   x   x   x   .
dualRun                     ANALYTICS_READ   x   x   x   x   x   .
submitAnalyticsJob          ANALYTICS_READ   x   x   x   x   x   .
cancelAnalyticsJob          ANALYTICS_READ   x   x   x   x   x   .
createProject               TASKS_WRITE      x   x   x   x   .   .
createTask                  TASKS_WRITE      x   x   x   x   .   .
moveTask                    TASKS_WRITE      x   x   x   x   .   .
moveTasks                   TASKS_WRITE      x   x   x   x   .   .
assignTask                  TASKS_WRITE      x   x   x   x   .   .
renameTask                  TASKS_WRITE      x   x   x   x   .   .
transferTask                TASKS_WRITE      x   x   x   x   .   .
discardTask                 TASKS_WRITE      x   x   x   x   .   .
restoreTask                 TASKS_WRITE      x   x   x   x   .   .
changeStates                TASKS_WRITE      x   x   x   x   .   .
validateTask                TASKS_WRITE      x   x   x   x   .   .
recordEvents                TASKS_WRITE      x   x   x   x   .   .
apiKeys                     ADMIN            x   x   .   .   .   .
ratePlan                    ADMIN            x   x   .   .   .   .
createApiKey                ADMIN            x   x   .   .   .   .
rotateApiKey                ADMIN            x   x   .   .   .   .
revokeApiKey                ADMIN            x   x   .   .   .   .
setStage                    ADMIN            x   x   .   .   .   .
analytics:assignee          ANALYTICS_READ   x   x   x   .   .   .
analytics:actor             ANALYTICS_READ   x   x   x   .   .   .
analytics:filter.assignee   ANALYTICS_READ   x   x   x   .   .   .
analytics:filter.changedBy  ANALYTICS_READ   x   x   x   .   .   .
analytics:oneself           ANALYTICS_READ   x   x   x   x   x   .
analytics:drillDown         ANALYTICS_READ   x   x   x   x   x   .
node:Tenant                 -                x   x   x   x   x   x
node:Project                TASKS_READ       x   x   x   x   x   x
node:Task                   TASKS_READ       x   x   x   x   x   x
node:Activity               TASKS_READ       x   x   x   x   x   x
node:ApiKey                 ADMIN            x   x   .   .   .   .
validateTask:payload        TASKS_WRITE      x   x   x   .   .   .
"""
# What takes another scope beside the one of its line: tasks or rows of the ledger are shown, too.
ALSO_NEEDS = {"explainChange": "TASKS_READ", "analytics:drillDown": "TASKS_READ"}
# What a key without an owner may do only with the scope ADMIN beside the one that is needed.
SERVICE_NEEDS_ADMIN = {
    "analytics:assignee",
    "analytics:actor",
    "analytics:filter.assignee",
    "analytics:filter.changedBy",
    "validateTask:payload",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table."""

    scope: str | None
    roles: frozenset[str]
    service_needs_admin: bool
    also: str | None

    def allows(self, *, role: str | None, scopes: frozenset[str]) -> bool:
        """Whether a caller may who has these scopes and that role, or whose owner has it; None for a service key."""
        if self.scope is None:
            return True
        if self.missing(scopes):
            return False
        if role is None:
            return not self.service_needs_admin or "ADMIN" in scopes
        return role in self.roles

    def missing(self, scopes: frozenset[str]) -> str | None:
        """The first scope that is needed and not there."""
        return next((scope for scope in (self.scope, self.also) if scope and scope not in scopes), None)


def _line(name: str, scope: str, *marks: str) -> Line:
    assert set(marks) <= {"x", "."} and len(marks) == len(ROLES), name  # noqa: PT018
    return Line(
        scope=None if scope == "-" else scope,
        roles=frozenset(role for role, mark in zip(ROLES, marks, strict=True) if mark == "x"),
        service_needs_admin=name in SERVICE_NEEDS_ADMIN,
        also=ALSO_NEEDS.get(name),
    )


LINES: Mapping[str, Line] = {
    name: _line(name, *rest) for name, *rest in (line.split() for line in TABLE.strip().splitlines()[1:])
}
