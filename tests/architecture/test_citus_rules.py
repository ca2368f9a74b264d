"""Rules of Citus: what would not run, or would be wrong, where tenants are spread over machines, and can be told without one.

citus_exceptions.toml lists what still breaks each rule. The list may only shrink: something new fails, and so does an
exception that is not needed any more.
"""

import ast
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models.deletion import SET_NULL

from tests.architecture import citus_rules, sql_texts
from tests.architecture.citus_rules import IN_BODIES, IN_CODE, Catalogue
from tests.tasks_app.catalog import tenant_tables
from tests.tasks_app.recording import sql

EXCEPTIONS: Mapping[str, Mapping[str, int]] = tomllib.loads(
    Path(__file__).with_name("citus_exceptions.toml").read_text(encoding="utf-8")
)
DAY = datetime(2000, 1, 1, tzinfo=UTC)
READ_VOLATILITY = """/* tests.read_volatility */
SELECT proname::text, bool_and(provolatile = 'v'), bool_and(provolatile <> 'i') FROM pg_proc
 WHERE pronamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace) GROUP BY 1
"""
READ_TABLES = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
# An identity of int that somebody draws: a machine's part of a distributed sequence does not fit into one.
READ_NARROW_IDENTITIES = """/* tests.read_narrow_identities */
SELECT a.attrelid::regclass::text, a.attname::text, pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'public'::regnamespace AND a.attidentity <> '' AND a.atttypid = 'int'::regtype
"""
READ_COLUMN_INSERTS = """/* tests.read_column_inserts */
SELECT DISTINCT c.table_name::text, c.grantee::text FROM information_schema.column_privileges c
 WHERE c.table_schema = 'public' AND c.privilege_type = 'INSERT' AND NOT EXISTS (
       SELECT FROM information_schema.role_table_grants t
        WHERE (t.table_schema, t.table_name, t.grantee, t.privilege_type) = ('public', c.table_name, c.grantee, 'INSERT'))
"""
READ_SET_NULL = """/* tests.read_set_null */
SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND (confdeltype IN ('n', 'd') OR confupdtype IN ('n', 'd'))
"""


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    """What the rules must know of the database."""
    functions = sql(READ_VOLATILITY)
    return Catalogue(
        volatile={name for name, volatile, _ in functions if volatile},
        not_immutable={name for name, _, changing in functions if changing},
        tables={name for (name,) in sql(READ_TABLES)},
    )


def as_listed(rule: str, found: Mapping[str, int]) -> None:
    """What breaks a rule is what is listed: no more, and no less."""
    listed = Counter(EXCEPTIONS.get(rule, {}))
    new, gone = Counter(found) - listed, listed - Counter(found)
    why = getattr(citus_rules, rule).__doc__ if hasattr(citus_rules, rule) else "see the test that failed."
    assert not new, f"{rule} is broken by {dict(new)}: {why} If it only moved, rename it in citus_exceptions.toml."
    assert not gone, f"{rule} holds now for {dict(gone)}: take them from citus_exceptions.toml."


@pytest.mark.parametrize("rule", sorted({*IN_CODE, *IN_BODIES}))
def test_statements_of_code_and_of_triggers_keep_the_rule(rule: str, catalogue: Catalogue) -> None:
    """Every string of the product and every function as it is installed."""
    found: Counter[str] = Counter()
    for name, text in sql_texts.strings():
        rules = IN_BODIES if sql_texts.is_body(text) else IN_CODE
        found[name] += rules[rule](text, catalogue) if rule in rules else 0
    if rule in IN_BODIES:
        for name, text, _ in sql_texts.bodies():
            found[f"{name}()"] += IN_BODIES[rule](text, catalogue)
    as_listed(rule, +found)


def test_no_statement_of_a_trigger_names_transition_rows_and_a_table(catalogue: Catalogue) -> None:
    """Rows that a statement changed are known to its session alone."""
    found = Counter(
        {
            f"{name}()": citus_rules.transition_with_table(text, catalogue, transition=transition)
            for name, text, transition in sql_texts.bodies()
        }
    )
    assert any(transition for _, _, transition in sql_texts.bodies())
    as_listed("transition_with_table", +found)


def test_a_constraint_is_altered_by_itself(catalogue: Catalogue) -> None:
    """Every statement that a migration sends, ours and Django's."""
    texts = list(sql_texts.migrations())
    assert len(texts) > 300
    found: Counter[str] = Counter()
    for name, text in texts:
        found[name] += citus_rules.constraint_with_others(text, catalogue)
    as_listed("constraint_with_others", +found)


def test_an_operation_is_one_statement(catalogue: Catalogue) -> None:
    """What is written as SQL in a migration."""
    found: Counter[str] = Counter()
    for name, text in sql_texts.handwritten():
        found[name] += citus_rules.several_statements(text, catalogue)
    assert len(found) >= 5
    as_listed("several_statements", +found)


@pytest.mark.django_db
def test_no_trigger_draws_an_int() -> None:
    """A trigger draws from the sequence of its machine, whose numbers begin at 2^48: an identity of int overflows."""
    found: Counter[str] = Counter()
    for table, column, sequence in sql(READ_NARROW_IDENTITIES):
        for name, body, _ in sql_texts.bodies():
            found[f"{name}() -> {table}"] += draws(body, table=table, column=column, sequence=sequence)
    as_listed("int_drawn_by_trigger", +found)


def draws(body: str, *, table: str, column: str, sequence: str) -> int:
    """Whether a function inserts rows without naming their identity, or asks the sequence itself."""
    inserted = [
        text.split("(", 1)[1].split(")", 1)[0].split(",")
        for text in body.split(f"INSERT INTO {table} ")[1:]
        if text.startswith("(")
    ]
    unnamed = any(column not in {name.strip() for name in columns} for columns in inserted)
    return int(unnamed or f"nextval('{sequence.removeprefix('public.')}')" in body)


@pytest.mark.django_db
def test_inserts_are_granted_for_whole_rows() -> None:
    """Whoever routes an insert names all columns, so a guard before the insert says what may be set."""
    as_listed("insert_granted_by_column", Counter(f"{table} to {role}" for table, role in sql(READ_COLUMN_INSERTS)))


@pytest.mark.django_db
def test_nothing_is_set_to_null_or_default() -> None:
    """A foreign key of two columns would lose its tenant."""
    assert sql(READ_SET_NULL) == []
    assert [
        str(field) for model in ours() for field in foreign_keys(model) if field.remote_field.on_delete is SET_NULL
    ] == []


def ours() -> list[type[models.Model]]:
    """The models of this project."""
    return [model for model in apps.get_models() if sql_texts.is_ours(model._meta.app_label)]


def foreign_keys(model: type[models.Model]) -> Iterator[models.ForeignKey]:
    """Its foreign keys."""
    return (field for field in model._meta.get_fields() if isinstance(field, models.ForeignKey))


@pytest.mark.django_db
def test_every_join_of_the_orm_equates_the_tenant() -> None:
    """Whatever queryset joins two tables does so over a foreign key: each is tried, once, for all querysets."""
    tables = set(tenant_tables())
    keys = [
        field
        for model in ours()
        for field in foreign_keys(model)
        if {model._meta.db_table, field.related_model._meta.db_table} <= tables
    ]
    assert len(keys) >= 9
    as_listed("join_without_tenant", Counter(str(field) for field in keys if not is_joined_by_tenant(field)))


def is_joined_by_tenant(field: models.ForeignKey) -> bool:
    """Whether the tenant of the one row is compared with that of the other."""
    statement = str(field.model._base_manager.select_related(field.name).query)
    (joined,) = [part for part in statement.split(" JOIN ")[1:] if f'."{field.column}"' in part]
    return joined.count('."tenant_id"') >= 2


class Stopped(Exception):
    """The statement was seen; it is not to run."""


@pytest.mark.django_db
def test_every_save_names_the_tenant() -> None:
    """A save that names the row alone is sent to every machine."""
    tables = set(tenant_tables())
    saved = [
        model for model in ours() if model._meta.db_table in tables and changing(model) and not is_append_only(model)
    ]
    assert len(saved) >= 20
    found = Counter(model.__name__ for model in saved if '."tenant_id"' not in condition_of_save(model))
    as_listed("save_without_tenant", found)


def is_append_only(model: type[models.Model]) -> bool:
    """Whether a trigger refuses every save of a row that is there."""
    return any(trigger.name == "refuse_change" for trigger in getattr(model._meta, "triggers", []))


def changing(model: type[models.Model]) -> list[models.Field]:
    """The columns that a save can change."""
    named = {field.column for field in model._meta.pk_fields} | {"tenant_id"}
    return [field for field in model._meta.concrete_fields if field.column not in named]


def condition_of_save(model: type[models.Model]) -> str:
    """What a save of one changed row asks for, as SQL."""
    seen: list[str] = []

    def stop(execute: Callable[..., object], statement: str, *rest: object) -> None:
        seen.append(statement)
        raise Stopped

    named = [
        field for field in model._meta.concrete_fields if field in model._meta.pk_fields or field.column == "tenant_id"
    ]
    row = model(**{field.attname: DAY if isinstance(field, models.DateField) else 1 for field in named})
    row._state.adding = False
    changed = changing(model)[0]
    setattr(row, changed.attname, None)
    with pytest.raises(Stopped), transaction.atomic(), connection.execute_wrapper(stop):
        row.save_base(raw=True, force_update=True, update_fields=[changed.name])
    return seen[-1].split(" WHERE ")[1]


BREAKS: Mapping[str, tuple[str, str]] = {
    "tenant_as_subselect": ("WHERE tenant_id = (SELECT %(tenant)s::bigint)", "WHERE tenant_id = %(tenant)s::bigint"),
    "volatile_in_update": (
        "UPDATE folded AS f SET at = clock_timestamp() WHERE tenant_id = 1",
        "UPDATE folded AS f SET at = statement_timestamp() WHERE tenant_id = 1",
    ),
    "clock_in_do_update": (
        "INSERT INTO t VALUES (now()) ON CONFLICT (id) DO UPDATE SET at = now()",
        "INSERT INTO t VALUES (now()) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
    ),
    "seq_as_watermark": ("SELECT max(l.seq) FROM task_ledger l", "SELECT max(l.recorded_at) FROM task_ledger l"),
    "advisory_lock": ("SELECT pg_advisory_xact_lock(1)", "SELECT 1 FROM folded FOR UPDATE"),
    "skip_locked_without_tenant": (
        "SELECT id FROM job j JOIN x ON x.tenant_id = j.tenant_id FOR UPDATE SKIP LOCKED",
        "SELECT id FROM job WHERE tenant_id = %(tenant)s FOR UPDATE SKIP LOCKED",
    ),
    "insert_select_without_conflict": (
        "INSERT INTO actor (a) SELECT n FROM unnest(%(names)s) n",
        "INSERT INTO actor (a) SELECT n FROM unnest(%(names)s) n ON CONFLICT DO NOTHING",
    ),
    "table_by_oid": ("IF TG_RELID <> 'public.task'::regclass", "IF TG_TABLE_SCHEMA <> 'public'"),
    "table_by_shards_name": ("CASE WHEN TG_TABLE_NAME = 'task'", "regexp_replace(TG_TABLE_NAME, '_[0-9]+$', '')"),
    "simple_case_in_values": (
        "INSERT INTO l (kind) VALUES (CASE TG_OP WHEN 'INSERT' THEN 1 ELSE 2 END)",
        "INSERT INTO l (kind) VALUES (CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE 2 END)",
    ),
    "insert_select_from_table": (
        "BEGIN\nINSERT INTO task_tail (seq) SELECT l.seq FROM task_ledger l;",
        "BEGIN\nSELECT array_agg(l.seq) INTO s FROM task_ledger l;\nINSERT INTO task_tail (seq) SELECT n FROM unnest(s) n;",
    ),
    "constraint_with_others": (
        "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (tenant_id, id)",
        "ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY (tenant_id, id)",
    ),
    "several_statements": ("SELECT 1; SELECT 2", "DO $$ BEGIN PERFORM 1; END $$;"),
}


@pytest.mark.parametrize("rule", sorted({*IN_CODE, *IN_BODIES, "constraint_with_others", "several_statements"}))
def test_a_rule_tells_bad_from_good(rule: str, catalogue: Catalogue) -> None:
    """Else the tests above could not fail."""
    bad, good = BREAKS[rule]
    judge = getattr(citus_rules, rule)
    assert (judge(bad, catalogue), judge(good, catalogue)) == (1, 0)


def test_transition_rows_are_told_from_variables(catalogue: Catalogue) -> None:
    """A body with both kinds of statement."""
    bad = "BEGIN\nIF EXISTS (SELECT FROM arrived) THEN\nSELECT 1 FROM task t JOIN arrived a ON a.id = t.id;"
    good = "BEGIN\nFOR r IN SELECT * FROM arrived LOOP\nINSERT INTO task_tail (seq) VALUES (r.seq);"
    found = [citus_rules.transition_with_table(text, catalogue, transition=["arrived"]) for text in (bad, good)]
    assert found == [1, 0]


def test_a_trigger_that_draws_is_told_from_one_that_does_not() -> None:
    """By leaving the identity to the table, or by asking its sequence."""
    drawn = {"table": "words", "column": "id", "sequence": "public.words_id_seq"}
    assert draws("INSERT INTO words (tenant_id, text) VALUES", **drawn) == 1
    assert draws("INSERT INTO words (id, text) VALUES (nextval('words_id_seq'))", **drawn) == 1
    assert draws("INSERT INTO words (id, text) VALUES (NEW.id)", **drawn) == 0


def test_strings_are_found_wherever_they_stand() -> None:
    """Constants, f-strings with what they call, methods; no docstrings."""
    module = ast.parse('"""No."""\nA = "a"\ndef f():\n    """No."""\n    return f"b {g(\'c\')} d"\n')
    found = [(name, text) for name, text in sql_texts.strings_of(module, module="m")]
    assert found == [("m.A", "a"), ("m.f", "b {...} d"), ("m.f", "c")]
    assert len(list(sql_texts.strings())) > 1000
