"""Who may touch what, as migration operations: roles, composite keys, row level security, grants.

Every table of a tenant has `tenant_id` first in its keys and a policy that shows only the rows of the tenant in
`app.tenant_id`. There is one predicate for every role: auditors and workers, too, see one tenant at a time.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

TENANT_ROLES = ("fl_tenant", "fl_auditor", "fl_worker")
LEDGER_ROLE = "fl_ledger"
WEB_LOGIN = "fl_app"

# A scalar subselect is evaluated once a statement; the bare call would be evaluated for every row (6x slower on scans).
# Strict on purpose: a transaction that names no tenant gets an error, not an empty answer.
PREDICATE = "tenant_id = (SELECT current_setting('app.tenant_id')::bigint)"

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


class _Sql(Operation):
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

    @abstractmethod
    def statements(self) -> Sequence[str]:
        """The statements, one by one: a statement each is what a sharded database can route."""

    def describe(self) -> str:
        return f"{type(self).__name__} {' '.join(str(word) for word in self._constructor_args[0][:1])}"


class CreateRoles(_Sql):
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


class TenantTable(_Sql):
    """Puts a table behind its tenant: primary key (tenant_id, <key>), row level security, forced."""

    def __init__(self, table: str, *, key: str = "id") -> None:
        self.table = table
        self.key = key

    def statements(self) -> Sequence[str]:
        table, key = self.table, self.key
        primary = (
            ()
            if key == ""
            else (
                f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey",
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (tenant_id, {key})",
            )
        )
        return [
            *primary,
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} USING ({PREDICATE}) WITH CHECK ({PREDICATE})",
        ]


class Reference(_Sql):
    """A foreign key that cannot leave the tenant: (tenant_id, column, ...) references the same columns over there.

    Checked when the transaction commits, as Django's own are; `at_once` for columns that the ledger records, or a value
    that nothing has could be recorded and corrected in one transaction.
    """

    def __init__(
        self, table: str, columns: str, target: str, target_columns: str = "id", *, at_once: bool = False
    ) -> None:
        self.table = table
        self.columns = columns
        self.target = target
        self.target_columns = target_columns
        self.at_once = at_once

    def statements(self) -> Sequence[str]:
        name = f"{self.table}_{self.columns.replace(', ', '_')}_ref"
        return _seen_whole(
            f"ALTER TABLE {self.table} ADD CONSTRAINT {name} FOREIGN KEY (tenant_id, {self.columns})"
            f" REFERENCES {self.target} (tenant_id, {self.target_columns}){'' if self.at_once else DEFERRED}",
            tables=sorted({self.table, self.target}),
        )


class TenantReference(_Sql):
    """A foreign key of a tenant's table to the tenant itself. Ledgers and tails do without: it is a look-up a row."""

    def __init__(self, table: str) -> None:
        self.table = table

    def statements(self) -> Sequence[str]:
        return _seen_whole(
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self.table}_tenant_ref FOREIGN KEY (tenant_id)"
            f" REFERENCES tenant (id){DEFERRED}",
            tables=[self.table],
        )


def _seen_whole(statement: str, *, tables: Sequence[str]) -> list[str]:
    """The statement, with the owner seeing all rows of the tables for its length.

    The first check of a foreign key is an ordinary query: forced policies refuse it, or confine it to one tenant.
    """
    return [
        *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in tables),
        statement,
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in tables),
    ]


class Grant(_Sql):
    """Gives roles a privilege on tables, and on their identity sequences where they may insert."""

    def __init__(self, privilege: str, *, on: Sequence[str], to: Sequence[str]) -> None:
        self.privilege = privilege
        self.on = on
        self.to = to

    def statements(self) -> Sequence[str]:
        return [f"GRANT {self.privilege} ON {', '.join(self.on)} TO {', '.join(self.to)}"]


class Execute(_Sql):
    """One statement that Django has no word for."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def statements(self) -> Sequence[str]:
        return [self.statement]


class LedgerFunction(_Sql):
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
