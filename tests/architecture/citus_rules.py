"""Rules of Citus that can be told from a text: how often a text breaks each.

What Citus answers to each is in the exceptions' file, citus_exceptions.toml, beside what still breaks it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

SUBSELECT = re.compile(r"\(\s*SELECT\s+(%\(tenant|\$\d)")
UPDATE = re.compile(r"\bUPDATE\s+(?!OF\b|SKIP\b)\S+(?:\s+(?:AS\s+)?\w+)?\s+SET\b(.*?)(?=\bRETURNING\b|;|\Z)", re.DOTALL)
DO_UPDATE = re.compile(r"\bDO\s+UPDATE\s+SET\b(.*?)(?=\bRETURNING\b|;|\Z)", re.DOTALL)
CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(")
WATERMARK = re.compile(r"\bseq\s*>|\bmax\s*\(\s*(?:\w+\.)?seq\s*\)|\bseq__gte?\b")
INSERT_VALUES = re.compile(r"\bINSERT\s+INTO\b[^;]*?\)\s*VALUES\b[^;]*", re.DOTALL)
SIMPLE_CASE = re.compile(r"\bCASE\s+(?!WHEN\b)")
INSERT_SELECT = re.compile(r"\bINSERT\s+INTO\b(?:(?!\bVALUES\b|\bON\s+CONFLICT\b|;).)*\bSELECT\b", re.DOTALL)
CONFLICT = re.compile(r"\bON\s+CONFLICT\b")
SHARD_NAME = re.compile(r"(?<!regexp_replace\()\bTG_TABLE_NAME\b")
ALTER = re.compile(r"\A\s*ALTER\s+TABLE\s+\S+\s+(.*)\Z", re.DOTALL)
CONSTRAINT = re.compile(r"\b(ADD|DROP|VALIDATE)\s+CONSTRAINT\b")
DOLLARS = re.compile(r"(\$\w*\$).*?\1", re.DOTALL)
# Where a statement of plpgsql ends. A THEN within a CASE has its value on the same line.
ENDS = re.compile(r";|\bTHEN\s*\n|\bLOOP\s*\n|\bELSE\s*\n|\bBEGIN\s*\n")
NAMES_A_TABLE = r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:{names})\b"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What must be known of the database: functions by volatility, and the tables."""

    volatile: Collection[str]
    not_immutable: Collection[str]
    tables: Collection[str]


Rule = Callable[[str, Catalogue], int]


def tenant_as_subselect(text: str, catalogue: Catalogue) -> int:
    """The tenant is a value: a subselect is no value that a statement can be routed by."""
    return len(SUBSELECT.findall(text))


def volatile_in_update(text: str, catalogue: Catalogue) -> int:
    """What an UPDATE calls gives the same result however often it is asked in one statement."""
    return _calls(UPDATE.findall(text), catalogue.volatile)


def clock_in_do_update(text: str, catalogue: Catalogue) -> int:
    """What DO UPDATE calls is immutable: neither now() nor current_setting()."""
    return _calls(DO_UPDATE.findall(text), catalogue.not_immutable)


def _calls(clauses: list[str], names: Collection[str]) -> int:
    return sum(name in names for clause in clauses for name in CALL.findall(clause))


def seq_as_watermark(text: str, catalogue: Catalogue) -> int:
    """No seq says up to where something was read: each machine draws from its own part of the sequence."""
    return len(WATERMARK.findall(text))


def advisory_lock(text: str, catalogue: Catalogue) -> int:
    """A lock without a row is a lock of one machine."""
    return len(re.findall(r"\bpg_(?:try_)?advisory_\w*lock", text))


def skip_locked_without_tenant(text: str, catalogue: Catalogue) -> int:
    """Rows are locked on the machine of their tenant, so its number stands in the statement."""
    return int("SKIP LOCKED" in text and "SELECT" in text and not re.search(r"\btenant_id = (?!\w+\.tenant_id)", text))


def insert_select_without_conflict(text: str, catalogue: Catalogue) -> int:
    """INSERT..SELECT has ON CONFLICT: without one it is sent as COPY, which row level security refuses."""
    return sum(not CONFLICT.search(text, found.end()) for found in INSERT_SELECT.finditer(text))


def table_by_oid(text: str, catalogue: Catalogue) -> int:
    """A trigger fires on a shard, which has an oid of its own."""
    return text.count("TG_RELID")


def table_by_shards_name(text: str, catalogue: Catalogue) -> int:
    """A trigger fires on a shard: the table's name is followed by a number."""
    return len(SHARD_NAME.findall(text))


def simple_case_in_values(text: str, catalogue: Catalogue) -> int:
    """Within VALUES it is CASE WHEN a = b: Citus takes `CASE a WHEN b` apart wrongly."""
    return sum(len(SIMPLE_CASE.findall(found)) for found in INSERT_VALUES.findall(text))


def transition_with_table(text: str, catalogue: Catalogue, *, transition: Collection[str]) -> int:
    """A transition table is read into a variable: only this session has it, and a table is elsewhere."""
    if not transition:
        return 0
    theirs = re.compile(NAMES_A_TABLE.format(names="|".join(transition)))
    return sum(bool(theirs.search(each)) for each in statements(text) if _tables(each, catalogue))


def insert_select_from_table(text: str, catalogue: Catalogue) -> int:
    """A trigger reads rows into a variable before it inserts them: a query on a shard begins no distributed one."""
    return sum(bool(INSERT_SELECT.search(each) and _reads(each, catalogue)) for each in statements(text))


def _reads(statement: str, catalogue: Catalogue) -> bool:
    named = re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", statement)
    return any(name in catalogue.tables for name in named)


def _tables(statement: str, catalogue: Catalogue) -> bool:
    named = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)", statement)
    return any(name in catalogue.tables for name in named)


def constraint_with_others(text: str, catalogue: Catalogue) -> int:
    """A constraint is added or dropped by an ALTER TABLE of its own."""
    found = ALTER.match(text)
    return int(bool(found and CONSTRAINT.search(found[1]) and len(list(_subcommands(found[1]))) > 1))


def _subcommands(text: str) -> Iterator[str]:
    """The parts between commas that stand in no parentheses."""
    depth, begin = 0, 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            yield text[begin:place]
            begin = place + 1
    yield text[begin:]


def several_statements(text: str, catalogue: Catalogue) -> int:
    """One statement an operation: each is routed for itself."""
    return int(";" in DOLLARS.sub("", text).strip().rstrip(";"))


def statements(body: str) -> list[str]:
    """The statements of a function's body, comments apart. What EXECUTE runs is part of the EXECUTE."""
    return ENDS.split(re.sub(r"--[^\n]*", "", body))


EVERYWHERE: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        tenant_as_subselect,
        volatile_in_update,
        clock_in_do_update,
        seq_as_watermark,
        advisory_lock,
        skip_locked_without_tenant,
    )
}
IN_CODE: Mapping[str, Rule] = {**EVERYWHERE, "insert_select_without_conflict": insert_select_without_conflict}
IN_BODIES: Mapping[str, Rule] = {
    **EVERYWHERE,
    **{
        rule.__name__: rule
        for rule in (table_by_oid, table_by_shards_name, simple_case_in_values, insert_select_from_table)
    },
}
