"""Epochs of the record: whether it is still on the server that it was on, and the beginning of its next epoch where it is not.

A transaction's number is a counter of one cluster and of one timeline of it. Restored from a dump, upgraded or promoted, the
record goes on with other counters; its rows say by their epoch which ones they mean. Asked with each new connection, so before
the product writes anything.
"""

from typing import Any

LEDGERS = ("task_ledger", "definition_ledger", "access_ledger")

# A standby writes nothing, and keeps its primary's epoch.
IS_CURRENT = """/* epochs.is_current */
SELECT pg_is_in_recovery() OR EXISTS (
    SELECT FROM (SELECT e.system_id, e.timeline FROM record_epoch e ORDER BY e.number DESC LIMIT 1) last
     WHERE (last.system_id, last.timeline) = (s.system_identifier::text, c.timeline_id))
  FROM pg_control_system() s CROSS JOIN pg_control_checkpoint() c
"""
# One opens it; the others wait here and then find it open.
LOCK = "/* epochs.lock */ LOCK TABLE record_epoch IN SHARE ROW EXCLUSIVE MODE"
UNBOUND = "/* epochs.see_all */ ALTER TABLE {ledger} NO FORCE ROW LEVEL SECURITY"
BOUND = "/* epochs.see_one_tenant */ ALTER TABLE {ledger} FORCE ROW LEVEL SECURITY"
# A constant default costs nothing when a row is written.
STAMP = "/* epochs.stamp */ ALTER TABLE {ledger} ALTER COLUMN epoch SET DEFAULT {number}"
OPEN = """/* epochs.open */
WITH known AS (
    -- the epoch so far; none in a database that was emptied
    SELECT coalesce((SELECT e.number FROM record_epoch e ORDER BY e.number DESC LIMIT 1), 0) AS number
),
written AS (
    -- each row of it, and whether its transaction was one of this server: a restored row was written by the restore
    SELECT l.seq, l.recorded_at, l.xact & 4294967295 = l.xmin::text::bigint AS here
      FROM known k JOIN task_ledger l ON l.epoch = k.number
     UNION ALL
    SELECT l.seq, l.recorded_at, l.xact & 4294967295 = l.xmin::text::bigint
      FROM known k JOIN definition_ledger l ON l.epoch = k.number
     UNION ALL
    SELECT l.seq, l.recorded_at, l.xact & 4294967295 = l.xmin::text::bigint
      FROM known k JOIN access_ledger l ON l.epoch = k.number
),
stray AS (
    -- rows that somebody wrote here before this was noticed: none of those that came with the dump was recorded after them
    SELECT w.seq FROM written w
     WHERE w.here AND w.recorded_at > coalesce((SELECT max(r.recorded_at) FROM written r WHERE NOT r.here), '-infinity')
)
INSERT INTO record_epoch (number, system_id, timeline, opened_at, opened_xact, opened_seq, strays)
SELECT k.number + 1, s.system_identifier::text, c.timeline_id, clock_timestamp(), txid_current(), q.last_value,
       CASE WHEN EXISTS (SELECT FROM record_epoch e WHERE e.number = k.number AND e.system_id = s.system_identifier::text)
            THEN '{}' ELSE ARRAY(SELECT r.seq FROM stray r) END
  FROM known k CROSS JOIN pg_control_system() s CROSS JOIN pg_control_checkpoint() c CROSS JOIN ledger_seq q
    ON CONFLICT (number) DO NOTHING
RETURNING number
"""


def is_current(connection: Any) -> bool:
    """Whether the record is where its last epoch says. `connection` is psycopg's, and may be anybody's."""
    return bool(connection.execute(IS_CURRENT).fetchone()[0])


def open_epoch(connection: Any) -> None:
    """Opens the next epoch, unless somebody has. `connection` is psycopg's, of the tables' owner, in no transaction."""
    with connection.transaction():
        connection.execute(LOCK)
        if is_current(connection):
            return
        # The policies are forced upon the owner, too, who looks at all tenants here.
        for ledger in LEDGERS:
            connection.execute(UNBOUND.format(ledger=ledger))
        number = int(connection.execute(OPEN).fetchone()[0])
        for ledger in LEDGERS:
            connection.execute(BOUND.format(ledger=ledger))
            connection.execute(STAMP.format(ledger=ledger, number=number))
