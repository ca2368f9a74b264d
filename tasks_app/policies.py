"""Policies as migration operations, who may touch what: roles, composite keys, row level security, grants.

Every table of a tenant has `tenant_id` first in its keys and a policy that shows only the rows of the tenant in
`app.tenant_id`. There is one predicate for every role: auditors and workers, too, see one tenant at a time.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

TENANT_ROLES = ("fl_tenant", "fl_auditor", "fl_worker")
LEDGER_ROLE = "fl_ledger"
WEB_LOGIN = "fl_app"

TENANT_NAMED = "current_setting('app.tenant_id')::bigint"


def predicate() -> str:
    """The one condition of every policy, strict on purpose: where no tenant is named there is an error, not an empty answer.

    A scalar subselect is evaluated once a statement; the bare call would be evaluated for every row (6x slower on scans).
    Where tables are spread over machines (FLOWLEDGER_SHARDED), Citus takes no subselect in a policy.
    """
    return f"tenant_id = {TENANT_NAMED}" if settings.FLOWLEDGER_SHARDED else f"tenant_id = (SELECT {TENANT_NAMED})"


CREATE_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} {options};
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION
            'The login % may not create roles: a superuser must first run: ALTER ROLE % CREATEROLE',
            current_user, quote_ident(current_user);
END $$
"""

# Before 16 there is no WITH INHERIT FALSE; there the login's own NOINHERIT, given when it was made, does it.
GRANT_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
        WHERE r.rolname = '{role}' AND u.rolname = '{member}'
    ) THEN
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE 'GRANT {role} TO {member} WITH INHERIT FALSE, SET TRUE';
        ELSE
            EXECUTE 'GRANT {role} TO {member}';
        END IF;
    END IF;
EXCEPTION
    WHEN unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'The roles were made by another login, which must first run: GRANT {role} TO {member}';
END $$
"""


DEFERRED = " DEFERRABLE INITIALLY DEFERRED"


class Statements(Operation):
    """An operation that changes the database and not Django's idea of the models."""

    reduces_to_sql = True
    reversible = False
    _constructor_args: tuple[tuple[Any, ...], dict[str, Any]]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Django's models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements():
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.undoing():
            schema_editor.execute(statement, params=None)

    @abstractmethod
    def statements(self) -> Sequence[str]:
        """The statements, one by one: a statement each is what a sharded database can route."""

    def undoing(self) -> Sequence[str]:
        """The statements that take it back, where that is possible (`reversible`)."""
        raise NotImplementedError(f"{type(self).__name__} cannot be taken back.")

    def describe(self) -> str:
        return f"{type(self).__name__} {' '.join(str(word) for word in self._constructor_args[0][:1])}"


class CreateRoles(Statements):
    """Makes the web's login and the roles that it can take; a role that is there already is left as it is.

    Roles belong to the whole server, so other databases of it may have made them. ALTER ROLE is never used: sessions
    that migrate at the same time would fail with "tuple concurrently updated".
    """

    def statements(self) -> Sequence[str]:
        roles = [CREATE_ROLE.format(role=role, options="NOLOGIN NOINHERIT") for role in (*TENANT_ROLES, LEDGER_ROLE)]
        login = CREATE_ROLE.format(role=WEB_LOGIN, options="LOGIN NOINHERIT")
        memberships = [GRANT_ROLE.format(role=role, member=WEB_LOGIN) for role in TENANT_ROLES]
        return [
            *roles,
            login,
            *memberships,
            "DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT USAGE ON SCHEMA public TO {', '.join((*TENANT_ROLES, LEDGER_ROLE, WEB_LOGIN))}",
        ]


class TenantTable(Statements):
    """Puts a table behind its tenant: primary key (tenant_id, <key>), row level security, forced."""

    reversible = True

    def __init__(self, table: str, *, key: str = "id") -> None:
        self.table = table
        self.key = key

    def statements(self) -> Sequence[str]:
        table = self.table
        return [
            *(self._primary_key(f"tenant_id, {self.key}") if self.key else ()),
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} USING ({predicate()}) WITH CHECK ({predicate()})",
        ]

    def undoing(self) -> Sequence[str]:
        table = self.table
        return [
            f"DROP POLICY tenant ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            *(self._primary_key(self.key) if self.key else ()),
        ]

    def _primary_key(self, columns: str) -> Sequence[str]:
        """Two statements: a constraint is altered by itself where tables are spread over machines."""
        return [
            f"ALTER TABLE {self.table} DROP CONSTRAINT {self.table}_pkey",
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self.table}_pkey PRIMARY KEY ({columns})",
        ]


class Reference(Statements):
    """A foreign key that cannot leave the tenant: (tenant_id, column, ...) references the same columns over there.

    Checked when the transaction commits, as Django's own are; `at_once` for columns that the ledger records, or a value
    that nothing has could be recorded and corrected in one transaction.
    """

    reversible = True

    def __init__(
        self, table: str, columns: str, target: str, target_columns: str = "id", *, at_once: bool = False
    ) -> None:
        self.table = table
        self.columns = columns
        self.target = target
        self.target_columns = target_columns
        self.at_once = at_once

    def statements(self) -> Sequence[str]:
        return _seen_whole(
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self._constraint()} FOREIGN KEY (tenant_id, {self.columns})"
            f" REFERENCES {self.target} (tenant_id, {self.target_columns}){'' if self.at_once else DEFERRED}",
            tables=sorted({self.table, self.target}),
        )

    def undoing(self) -> Sequence[str]:
        return [f"ALTER TABLE {self.table} DROP CONSTRAINT {self._constraint()}"]

    def _constraint(self) -> str:
        return f"{self.table}_{self.columns.replace(', ', '_')}_ref"


class TenantReference(Statements):
    """A foreign key of a tenant's table to the tenant itself. Ledgers and tails do without: it is a look-up a row."""

    reversible = True

    def __init__(self, table: str) -> None:
        self.table = table

    def statements(self) -> Sequence[str]:
        return _seen_whole(
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self.table}_tenant_ref FOREIGN KEY (tenant_id)"
            f" REFERENCES tenant (id){DEFERRED}",
            tables=[self.table],
        )

    def undoing(self) -> Sequence[str]:
        return [f"ALTER TABLE {self.table} DROP CONSTRAINT {self.table}_tenant_ref"]


def _seen_whole(statement: str, *, tables: Sequence[str]) -> list[str]:
    """The statement, with the owner seeing all rows of the tables for its length.

    The first check of a foreign key is an ordinary query: forced policies refuse it, or confine it to one tenant.
    """
    return [
        *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in tables),
        statement,
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in tables),
    ]


class Grant(Statements):
    """Gives roles a privilege on tables."""

    reversible = True

    def __init__(self, privilege: str, *, on: Sequence[str], to: Sequence[str]) -> None:
        self.privilege = privilege
        self.on = on
        self.to = to

    def statements(self) -> Sequence[str]:
        return [f"GRANT {self.privilege} ON {', '.join(self.on)} TO {', '.join(self.to)}"]

    def undoing(self) -> Sequence[str]:
        return [f"REVOKE {self.privilege} ON {', '.join(self.on)} FROM {', '.join(self.to)}"]


class Settings(Statements):
    """Storage parameters of a table, such as how soon it is vacuumed."""

    reversible = True

    def __init__(self, table: str, values: Mapping[str, float]) -> None:
        self.table = table
        self.values = values

    def statements(self) -> Sequence[str]:
        values = ", ".join(f"{name} = {value}" for name, value in self.values.items())
        return [f"ALTER TABLE {self.table} SET ({values})"]

    def undoing(self) -> Sequence[str]:
        return [f"ALTER TABLE {self.table} RESET ({', '.join(self.values)})"]


class Execute(Statements):
    """One statement that Django has no word for."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def statements(self) -> Sequence[str]:
        return [self.statement]


class LedgerFunction(Statements):
    """A function that only triggers call: it runs as the ledger's owner, and no role of the web's may execute it.

    SECURITY DEFINER with a fixed search_path, so that no temporary or foreign object can stand in for a table of ours.
    To hand the function over, the migrating login must be a member of the ledger's role and the role must be allowed to
    create in the schema. Neither lasts: afterwards nobody is a member.
    """

    def __init__(self, signature: str, body: str, *, returns: str = "trigger", definer: bool = True) -> None:
        self.signature = signature
        self.body = body
        self.returns = returns
        self.definer = definer

    def statements(self) -> Sequence[str]:
        security = "SECURITY DEFINER " if self.definer else ""
        return [
            JOIN_LEDGER_ROLE,
            f"CREATE OR REPLACE FUNCTION {self.signature} RETURNS {self.returns} LANGUAGE plpgsql {security}"
            f"SET search_path = pg_catalog, public, pg_temp AS $function${self.body}$function$",
            f"REVOKE EXECUTE ON FUNCTION {self.signature} FROM PUBLIC",
            f"GRANT CREATE ON SCHEMA public TO {LEDGER_ROLE}",
            f"ALTER FUNCTION {self.signature} OWNER TO {LEDGER_ROLE}",
            f"REVOKE CREATE ON SCHEMA public FROM {LEDGER_ROLE}",
            # Who makes a trigger must be allowed to execute its function; the owner of the tables makes them.
            *([f"GRANT EXECUTE ON FUNCTION {self.signature} TO CURRENT_USER"] if self.returns == "trigger" else []),
            LEAVE_LEDGER_ROLE,
        ]

    def undoing(self) -> Sequence[str]:
        """Drops the function. By itself the operation is not reversible: the text before its own is in an older migration."""
        return [JOIN_LEDGER_ROLE, f"DROP FUNCTION {self.signature}", LEAVE_LEDGER_ROLE]


# A superuser needs no membership. An owner that is none takes one while it hands a function over: with what it inherits
# it may replace a function that it gave away earlier. Before 16 there are no options; SET is what ALTER OWNER asks for.
JOIN_LEDGER_ROLE = """
DO $$ DECLARE
    options boolean := current_setting('server_version_num')::int >= 160000;
BEGIN
    IF NOT pg_has_role(current_user, 'fl_ledger', 'USAGE')
       OR NOT pg_has_role(current_user, 'fl_ledger', CASE WHEN options THEN 'SET' ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT fl_ledger TO %I', current_user)
             || CASE WHEN options THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION
        'The role fl_ledger was made by another login, which must first run: GRANT fl_ledger TO % WITH ADMIN OPTION',
        quote_ident(current_user);
END $$
"""

# Only the membership that JOIN_LEDGER_ROLE gave: one that somebody else gave is that login's to take back.
LEAVE_LEDGER_ROLE = """
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_auth_members
        WHERE roleid = 'fl_ledger'::regrole AND NOT admin_option
          AND member = quote_ident(current_user)::regrole AND grantor = quote_ident(current_user)::regrole
    ) THEN
        EXECUTE format('REVOKE fl_ledger FROM %I', current_user);
    END IF;
END $$
"""
