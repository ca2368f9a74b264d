"""Seals: what a superuser does past the triggers is found and named, in the database and in an export without one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks_app.models import LedgerSeal
from tasks_app.seals.chain import head_from
from tasks_app.seals.checking import Checked, check_seals
from tasks_app.seals.exporting import export_ledger
from tasks_app.seals.proving import proof_of
from tasks_app.seals.sealing import MOST_ROWS, seal
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, cast, tasks
from tests.processes import wait_until
from tests.tasks_app.recording import clock, sql

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)

# What somebody who can switch triggers off may do to a sealed row: of which ledger, what is set, how that is named.
SET = """
task        to_id = to_id + 1                                   was changed
task        from_id = from_id + 1                               was changed
task        actor_id = actor_id + 1                             was changed
task        task_id = task_id + 1                               was changed
task        project_id = project_id + 1                         was changed
task        kind = 5                                            was changed
task        correlation = correlation + 1                       was changed
task        happened_at = happened_at - interval '1 microsecond'  was changed
task        recorded_at = recorded_at + interval '1 day'        was changed
task        seq = 900000                                        was removed
task        xact = 1                                            was changed
task        epoch = 2                                           was removed
task        tenant_id = {other}                                 was removed
definition  name = 'Other'                                      was changed
definition  waiting = NOT waiting                               was changed
definition  position = position + 1                             was changed
access      role = 'AUDITOR'                                    was changed
access      happened_at = happened_at - interval '1 day'        was changed
"""
FORGED = """
INSERT INTO task_ledger (seq, tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id,
                         actor_id, kind)
SELECT 900001, tenant_id, 1, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind
  FROM task_ledger WHERE seq = {task}
"""
OF_SEAL = "WHERE tenant_id = {tenant} AND number = 1"
OTHERS = {
    "a fact removed": ("DELETE FROM task_ledger WHERE seq = {task}", "row {task} was removed"),
    "all facts removed": ("DELETE FROM task_ledger WHERE tenant_id = {tenant}", "row {task} was removed"),
    "a fact forged": (FORGED, "row 900001 of task_ledger was put in"),
    "a membership hidden": ("DELETE FROM access_ledger WHERE seq = {access}", "row {access} was removed"),
    "a seal's rows counted otherwise": (f"UPDATE ledger_seal SET rows = rows + 1 {OF_SEAL}", "Seal 1"),
    "a seal's root replaced": (f"UPDATE ledger_seal SET root = head {OF_SEAL}", "Seal 1"),
    "a seal removed": (f"DELETE FROM ledger_seal {OF_SEAL}", "Seal 1 is missing"),
}


def acts() -> dict[str, tuple[str, str]]:
    """Each act by its name: the statement, and what the check must say of it."""
    found = dict(OTHERS)
    for line in SET.strip().splitlines():
        table, change, named = re.split(r"\s{2,}", line)
        row = f"{{{table}}}"
        found[f"{table}: {change}"] = (f"UPDATE {table}_ledger SET {change} WHERE seq = {row}", f"row {row}|{named}")
    return found


ACTS = acts()


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def sealed(people: Cast) -> Cast:
    """Two tenants with tasks, sealed twice."""
    for company in (people.acme, people.globex):
        tasks(board=company.board, count=3)
        seal_all(company.tenant.id)
        tasks(board=company.board, count=2)
        seal_all(company.tenant.id)
    return people


def unsealed(tenant_id: int) -> int:
    with entered(tenant_id=tenant_id, role=DatabaseRole.AUDITOR, read_only=True):
        return check_seals(tenant_id=tenant_id).unsealed


def seal_all(tenant_id: int) -> None:
    """Until nothing is left: a transaction of another test, in another database of the server, may be open meanwhile."""
    wait_until(lambda: seal(tenant_id=tenant_id, now=clock()) is not None and unsealed(tenant_id) == 0)


def checked(people: Cast, **how: Any) -> Checked:
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.AUDITOR, read_only=True):
        return check_seals(tenant_id=people.acme.tenant.id, **how)


def places(people: Cast) -> dict[str, int]:
    tenant = people.acme.tenant.id
    found = {"tenant": tenant, "other": people.globex.tenant.id}
    for name in ("task", "definition", "access"):
        found[name] = sql(f"SELECT min(seq) + 0 FROM {name}_ledger WHERE tenant_id = {tenant}")[0][0]
    return found


def past_the_triggers(statement: str) -> None:
    sql(f"BEGIN; SET LOCAL session_replication_role = replica; {statement}; COMMIT")


def test_what_is_settled_is_sealed_once(sealed: Cast) -> None:
    found = checked(sealed)
    assert (found.problems, found.seals >= 2, found.unsealed) == ([], True, 0)
    assert seal(tenant_id=sealed.acme.tenant.id, now=clock()).rows == 0
    tasks(board=sealed.acme.board, count=1)
    assert checked(sealed).unsealed > 0
    seal_all(sealed.acme.tenant.id)
    assert checked(sealed).seals > found.seals


@pytest.mark.parametrize("act", ACTS)
def test_an_act_past_the_triggers_is_found_and_named(sealed: Cast, act: str) -> None:
    statement, named = ACTS[act]
    where = places(sealed)
    past_the_triggers(statement.format(**where))
    said = " ".join(checked(sealed).problems)
    assert all(words in said for words in named.format(**where).split("|")), said


def test_a_row_that_is_put_back_is_what_it_was(sealed: Cast) -> None:
    where = places(sealed)
    past_the_triggers("UPDATE task_ledger SET kind = 5 WHERE seq = {task}".format(**where))
    assert checked(sealed).problems
    past_the_triggers("UPDATE task_ledger SET kind = 1 WHERE seq = {task}".format(**where))
    assert checked(sealed).problems == []


def test_a_chain_made_anew_is_not_the_one_of_a_head_that_was_kept(sealed: Cast) -> None:
    """Whoever can change rows can seal them again; a line kept elsewhere tells."""
    kept = checked(sealed).head
    assert checked(sealed, against=head_from(str(kept))).problems == []
    where = places(sealed)
    past_the_triggers("UPDATE task_ledger SET kind = 5 WHERE seq = {task}; DELETE FROM ledger_seal".format(**where))
    seal_all(sealed.acme.tenant.id)
    assert checked(sealed).problems == []
    assert checked(sealed, against=kept).problems != []


def test_the_head_of_another_tenant_is_refused(sealed: Cast) -> None:
    with entered(tenant_id=sealed.globex.tenant.id, role=DatabaseRole.AUDITOR, read_only=True):
        other = check_seals(tenant_id=sealed.globex.tenant.id).head
    assert "another tenant" in checked(sealed, against=other).problems[0]


def test_no_seal_is_longer_than_a_proof_may_be(people: Cast) -> None:
    tasks(board=people.acme.board, count=MOST_ROWS + 5)
    seal_all(people.acme.tenant.id)
    rows = list(LedgerSeal.objects.filter(tenant_id=people.acme.tenant.id).values_list("rows", flat=True))
    assert max(rows) == MOST_ROWS
    assert len(rows) >= 2
    assert checked(people).problems == []


@pytest.fixture
def exported(sealed: Cast, tmp_path: Path) -> Path:
    with entered(tenant_id=sealed.acme.tenant.id, role=DatabaseRole.AUDITOR, read_only=True):
        export_ledger(tenant_id=sealed.acme.tenant.id, to=tmp_path / "out")
    return tmp_path / "out"


def offline(*arguments: object) -> dict[str, Any]:
    """The check as a process that can import nothing but the standard library and us."""
    ran = subprocess.run(
        [sys.executable, "-S", "-E", "-m", "tasks_app.verify_export", *map(str, arguments)],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(ran.stdout)
    assert ran.returncode == (0 if found["ok"] else 1), ran.stderr
    return found


def test_an_export_is_checked_without_postgresql(sealed: Cast, exported: Path) -> None:
    found = offline(exported, "--head", str(checked(sealed).head))
    assert found["problems"] == []
    assert (found["seals"], found["rows"]) == (checked(sealed).seals, checked(sealed).rows)


def damaged(folder: Path) -> Iterator[tuple[str, Path]]:
    """One byte of each kind at a time, then files missing, cut and added."""
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for place in range(5, len(whole), max(1, len(whole) // 40)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            yield f"{path.name} at {place}", path
        path.write_bytes(whole[: len(whole) // 2])
        yield f"{path.name} cut", path
        path.unlink()
        yield f"{path.name} missing", path
        path.write_bytes(whole)
    (folder / "rows-000009.jsonl").write_text("{}\n")
    yield "a file more", folder


def test_an_export_that_was_touched_says_so(exported: Path) -> None:
    from tasks_app.verify_export import main

    missed = [what for what, _ in damaged(exported) if main([str(exported)]) == 0]
    assert missed == []


def test_a_proof_shows_one_row_and_holds_for_it_alone(sealed: Cast, tmp_path: Path) -> None:
    tenant, where = sealed.acme.tenant.id, places(sealed)
    with entered(tenant_id=tenant, role=DatabaseRole.AUDITOR, read_only=True):
        proofs = {name: proof_of(tenant_id=tenant, seq=where[name]) for name in ("task", "definition", "access")}
    for name, proof in proofs.items():
        assert proof is not None
        assert proof["row"]["seq"] == where[name]
        assert len(json.dumps(proof)) < 2_000
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(proof))
        assert offline("--proof", path)["ok"]
        path.write_text(json.dumps({**proof, "row": {**proof["row"], "actor_id": 99}}))
        assert offline("--proof", path)["problems"] == [
            "The row is not in the seal: its path does not lead to the seal's root."
        ]


def test_what_is_not_sealed_or_another_tenants_has_no_proof(sealed: Cast) -> None:
    tenant, other = sealed.acme.tenant.id, sealed.globex.tenant.id
    tasks(board=sealed.acme.board, count=1)
    last = sql(f"SELECT max(seq) FROM task_ledger WHERE tenant_id = {tenant}")[0][0]
    theirs = sql(f"SELECT max(seq) FROM task_ledger WHERE tenant_id = {other}")[0][0]
    with entered(tenant_id=tenant, role=DatabaseRole.AUDITOR, read_only=True):
        assert proof_of(tenant_id=tenant, seq=last) is None
        assert proof_of(tenant_id=tenant, seq=theirs) is None
