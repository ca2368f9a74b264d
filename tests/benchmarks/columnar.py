"""DuckDB and ClickHouse (chdb) in this process, each with the facts of the ledger in two tables of its own.

`recorded` has them as they were recorded, sorted by tenant and instant: the state before a fact is found from the order,
as a replay finds it. `prepared` has that state in a column, already found. It is quicker to ask and is no ledger any more:
a late fact would have to rewrite a row of it.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import chdb.session
import duckdb

from tests.benchmarks.scratch import owner_cursor

TABLES = ("recorded", "prepared")
THREADS = 2
# before, after, day, how many
Row = tuple[int, int, str, int]

TAKE_OUT = """/* benchmarks.take_out_facts */
COPY (SELECT tenant_id, to_char(happened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), seq, task_id,
             lag(state, 1, 0) OVER (PARTITION BY task_id ORDER BY happened_at, seq), state
        FROM (SELECT l.*, CASE WHEN kind = 4 THEN 0 ELSE to_id END AS state FROM task_ledger l WHERE kind <= 5) f)
TO STDOUT (FORMAT csv)
"""
MOVEMENTS = (
    "SELECT before, after, CAST(happened_at AS DATE) AS day, count(*) AS n FROM {source} GROUP BY before, after, day"
)
RECORDED = (
    "(SELECT lag(after, 1, 0) OVER (PARTITION BY task ORDER BY happened_at, seq) AS before, after, happened_at"
    " FROM recorded {where}) AS facts"
)
SOURCES = {"recorded": RECORDED, "prepared": "prepared {where}"}

DUCKDB_TABLES = """
SET threads = {threads};
CREATE TABLE prepared (tenant BIGINT, happened_at TIMESTAMP, seq BIGINT, task INTEGER, before INTEGER, after INTEGER);
INSERT INTO prepared SELECT * FROM read_csv('{path}', header = false, columns = {{
    tenant: 'BIGINT', happened_at: 'TIMESTAMP', seq: 'BIGINT', task: 'INTEGER', before: 'INTEGER', after: 'INTEGER'}})
    ORDER BY 1, 2;
CREATE TABLE recorded AS SELECT tenant, happened_at, seq, task, after FROM prepared ORDER BY 1, 2;
"""
CHDB_TABLES = (
    "CREATE DATABASE bench",
    "USE bench",
    "CREATE TABLE prepared (tenant Int64, happened_at DateTime64(6, 'UTC'), seq Int64, task Int32, before Int32, after Int32)"
    " ENGINE = MergeTree ORDER BY (tenant, happened_at)",
    "INSERT INTO prepared SELECT * FROM file('{path}', CSV, 'tenant Int64, happened_at DateTime64(6, \\'UTC\\'), seq Int64,"
    " task Int32, before Int32, after Int32')",
    "CREATE TABLE recorded (tenant Int64, happened_at DateTime64(6, 'UTC'), seq Int64, task Int32, after Int32)"
    " ENGINE = MergeTree ORDER BY (tenant, happened_at)",
    "INSERT INTO recorded SELECT tenant, happened_at, seq, task, after FROM prepared",
    "OPTIMIZE TABLE prepared FINAL",
    "OPTIMIZE TABLE recorded FINAL",
)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One peer: `run` answers in the form that costs it least, `read` makes rows of that."""

    run: Callable[[str], object]
    read: Callable[[Any], list[Row]]

    def ask(self, table: str, *, tenant: int | None) -> object:
        """The movements per day out of that table, of one tenant or of all."""
        return self.run(question(table, tenant=tenant))

    def movements(self, table: str, *, tenant: int | None) -> list[Row]:
        """The same as rows."""
        return self.read(self.ask(table, tenant=tenant))


def question(table: str, *, tenant: int | None) -> str:
    """The text that both engines understand."""
    where = "" if tenant is None else f"WHERE tenant = {int(tenant)}"
    return MOVEMENTS.format(source=SOURCES[table].format(where=where))


@contextmanager
def engines() -> Iterator[Mapping[str, Engine]]:
    """Both peers, by name, with all state-setting facts that are in the ledger now."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "facts.csv"
        _take_out(path)
        with _duckdb(path) as duck, _chdb(path, Path(scratch) / "chdb") as house:
            path.unlink()
            yield {"duckdb": duck, "chdb": house}


def _take_out(path: Path) -> None:
    with owner_cursor() as cursor, path.open("wb") as file:
        cursor.execute("SET work_mem = '256MB'")
        with cursor.copy(TAKE_OUT) as rows:
            for block in rows:
                file.write(block)
        cursor.execute("RESET work_mem")


@contextmanager
def _duckdb(path: Path) -> Iterator[Engine]:
    with duckdb.connect() as connection:
        connection.execute(DUCKDB_TABLES.format(path=path, threads=THREADS))
        yield Engine(
            # Columns, not tuples: what the database took, and not what Python's objects cost.
            run=lambda text: connection.execute(text).fetchnumpy(),
            read=_numpy_rows,
        )


@contextmanager
def _chdb(path: Path, home: Path) -> Iterator[Engine]:
    open_session: Any = chdb.session.Session
    session = open_session(str(home))
    try:
        for statement in CHDB_TABLES:
            session.query(statement.format(path=path))
        yield Engine(run=lambda text: session.query(text, "CSV"), read=_csv_rows)
    finally:
        session.close()


def _numpy_rows(found: Mapping[str, Any]) -> list[Row]:
    rows = zip(*(column.tolist() for column in found.values()), strict=True)
    return [(before, after, str(day)[:10], facts) for before, after, day, facts in rows]


def _csv_rows(found: object) -> list[Row]:
    rows = csv.reader(str(found).splitlines())
    return [(int(before), int(after), day, int(facts)) for before, after, day, facts in rows]
