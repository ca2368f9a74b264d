"""Findings: stock and flow by severity. What a fact changes depends on the facts before it, so a late one restates."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple

from django.db import models

from analytics.engine.family import Family, LedgerCheck, Measure
from analytics.pure.segments import Grain
from tests.engine.families.tables import Cell, Row, Shape, made


class Kind(IntEnum):
    """What happened to a finding."""

    OPENED = 1
    SEVERITY_CHANGED = 2
    CLOSED = 3
    REOPENED = 4
    NOTED = 5


CLOSED = 0
# Beyond what an int holds.
FIRST_ID = 5_000_000_000

# Any fact but a note, of a finding that none has opened.
OPENED_NEVER = """
SELECT l.finding_id, min(l.happened_at) FROM finding_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.kind <> 5 GROUP BY l.finding_id HAVING NOT bool_or(l.kind = 1)
"""
CHECKS = (
    LedgerCheck(
        code="OPENED", found=OPENED_NEVER, sentence="Finding {1} of {0} was never opened; it is known since {2}."
    ),
)
FINDINGS = Family(
    name="tests.findings",
    version="tests/1",
    ledger="finding_ledger",
    tail="finding_tail",
    rollup="finding_rollup",
    item="finding_id",
    item_type="bigint",
    only="l.kind <> 5",
    reads=("project_id", "kind", "severity"),
    resolve="""
        SELECT p.*, lag(p.after_severity, 1, 0) OVER (PARTITION BY p.side, p.item ORDER BY p.happened_at, p.seq)
                    AS before_severity
          FROM (SELECT f.*, CASE f.kind WHEN 3 THEN 0 ELSE f.severity END AS after_severity FROM fact f) p
    """,
    contributions="""
        SELECT r.side, r.happened_at, r.project_id, r.before_severity, r.after_severity, 1 AS findings
          FROM resolved r WHERE r.before_severity <> r.after_severity
    """,
    dimensions=("before_severity", "after_severity"),
    asked=(),
    measures=(Measure(name="findings"),),
    grains=(Grain.MINUTE, Grain.HOUR, Grain.DAY, Grain.MONTH),
    checks=CHECKS,
)
TABLES = made(
    family=FINDINGS,
    columns={
        "finding_id": models.BigIntegerField(),
        "project_id": models.IntegerField(),
        "kind": models.SmallIntegerField(),
        "severity": models.SmallIntegerField(),
    },
    key={"before_severity": models.SmallIntegerField(), "after_severity": models.SmallIntegerField()},
    measures={"findings": models.BigIntegerField()},
)


class FindingFact(NamedTuple):
    """A finding got, lost or changed its severity, or somebody wrote a note to it."""

    seq: int
    happened_at: datetime
    finding_id: int
    project_id: int
    kind: Kind
    severity: int


def cells(facts: Sequence[FindingFact]) -> Iterator[Cell]:
    """Each finding's way through the severities, in the order of what happened."""
    told = [fact for fact in facts if fact.kind is not Kind.NOTED]
    in_order = sorted(told, key=lambda fact: (fact.finding_id, fact.happened_at, fact.seq))
    for _, history in groupby(in_order, key=lambda fact: fact.finding_id):
        before = CLOSED
        for fact in history:
            after = CLOSED if fact.kind is Kind.CLOSED else fact.severity
            if after != before:
                yield Cell(happened_at=fact.happened_at, project_id=fact.project_id, dimensions=(before, after), adds=1)
            before = after


def amount(findings: list[int]) -> Row:
    """How many findings went that way."""
    return (sum(findings),)


SHAPE = Shape(family=FINDINGS, tables=TABLES, asked=[()], cells=cells, amount=amount)
