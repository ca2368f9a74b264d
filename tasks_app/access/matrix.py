"""Access matrix: roles, scopes and groups of fields, in one table. Checks, descriptions and README.md read it.

A scope stands first for everything that it opens. A further row of the same scope narrows a part of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks_app.models import Role, Scope
from tasks_app.tenancy import Caller

HEADS = frozenset({Role.OWNER, Role.ADMIN})
LEADS = HEADS | {Role.MANAGER}
WORKERS = LEADS | {Role.MEMBER}
EVERYBODY = frozenset(Role)


@dataclass(frozen=True, kw_only=True)
class Group:
    """What the same callers may do: members of the roles, and keys with the scope whose owner has such a role.

    `own`: whoever has the scope may do it, too, where it is about themselves. `service`: the scope that a key without an
    owner needs as well; None where such a key may not.
    """

    name: str
    scope: Scope | None
    roles: frozenset[Role]
    own: bool = False
    service: Scope | None = None

    def allows(self, caller: Caller, *, of_themselves: bool = False) -> bool:
        """Whether the caller may; `of_themselves` says that it is about the caller."""
        if self.scope is None:
            return True
        if self.scope not in caller.scopes:
            return False
        if not self.narrows or (self.own and of_themselves):
            return True
        if caller.role is None:
            return self.service is not None and self.service in caller.scopes
        return caller.role in self.roles

    @property
    def narrows(self) -> bool:
        """Whether it takes more than its scope."""
        return self.scope is not None and WHOLE[self.scope] is not self


SIGNED_IN = Group(name="who is asking, nodes, introspection", scope=None, roles=EVERYBODY)
VALIDATION = Group(name="validation", scope=Scope.TASKS_WRITE, roles=LEADS, service=Scope.ADMIN)
ONE_PERSON = Group(
    name="analytics of one person", scope=Scope.ANALYTICS_READ, roles=LEADS, own=True, service=Scope.ADMIN
)
TIME_DETAILS = Group(name="time details", scope=Scope.TIME_READ, roles=frozenset(), own=True)

MATRIX: tuple[Group, ...] = (
    SIGNED_IN,
    Group(name="projects, tasks, their history", scope=Scope.TASKS_READ, roles=EVERYBODY),
    Group(name="changes of projects and tasks", scope=Scope.TASKS_WRITE, roles=WORKERS),
    VALIDATION,
    Group(name="analytics", scope=Scope.ANALYTICS_READ, roles=WORKERS | {Role.AUDITOR}),
    ONE_PERSON,
    Group(name="ledger, seals, the auditors' site", scope=Scope.AUDIT_READ, roles=HEADS | {Role.AUDITOR}),
    Group(name="time, added up", scope=Scope.TIME_READ, roles=WORKERS | {Role.BILLING}),
    TIME_DETAILS,
    Group(name="time entries", scope=Scope.TIME_WRITE, roles=WORKERS),
    Group(name="billing", scope=Scope.BILLING_READ, roles=LEADS | {Role.BILLING}),
    Group(name="findings", scope=Scope.FINDINGS_READ, roles=WORKERS | {Role.AUDITOR}),
    Group(name="changes of findings", scope=Scope.FINDINGS_WRITE, roles=LEADS),
    Group(name="samples", scope=Scope.SAMPLES_READ, roles=WORKERS | {Role.AUDITOR}),
    Group(name="changes of samples", scope=Scope.SAMPLES_WRITE, roles=LEADS),
    Group(name="keys, stages, plans", scope=Scope.ADMIN, roles=HEADS),
)

# Of each scope the row that stands for all of it: the first.
WHOLE: Mapping[Scope, Group] = {group.scope: group for group in reversed(MATRIX) if group.scope is not None}

# What each role may do. A key may do what both it and its owner's role allow.
ROLE_SCOPES: Mapping[str, frozenset[str]] = {
    role: frozenset(scope for scope, group in WHOLE.items() if role in group.roles) for role in Role
}


def described(group: Group) -> str:
    """One sentence for people: what it takes."""
    if group.scope is None:
        return "Every caller who is admitted may ask."
    if not group.narrows:
        return f"Needs the scope {group.scope.value}."
    callers = ["the person"] if group.own else []
    if group.roles:
        callers.append(f"the roles {', '.join(role.value for role in Role if role in group.roles)}")
    if group.service is not None:
        callers.append(f"service keys with the scope {group.service.value}")
    return f"For {group.name}: {', '.join(callers)}."


def opens(scope: Scope) -> str:
    """What the scope opens, for people, with what takes more than the scope apart."""
    narrower = [group.name for group in MATRIX if group.scope is scope and group.narrows]
    return WHOLE[scope].name + (f"; takes more: {', '.join(narrower)}" if narrower else "")
