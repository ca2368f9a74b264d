"""schemathesis: requests made up from the schema by somebody else's idea of what breaks servers."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.audits.doors import generous_plan, new_key, open_door
from tests.audits.findings import Finding, Request
from tests.audits.scene import populate, say

PROJECT = Path(__file__).resolve().parents[2]
CASES = 500
OPERATIONS_ABOUT = 25
NOT_HERE = "schemathesis is not installed: uv run --group audit python -m tests.audits schemathesis"
# What it is to say of a server is read from the answers: it would call our refusals failures, too.
ARGUMENTS = (
    "--checks", "not_a_server_error", "--continue-on-failure", "--no-shrink", "--no-color", "--seed", "1", "--warnings", "off",
    "--generation-database", "none", "--output-sanitize", "false", "--suppress-health-check", "all",
)  # fmt: skip


def schemathesis(request: Request) -> Finding:
    """At least so many cases over all operations, and no answer that is a fault of the server."""
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        return Finding(name="schemathesis", ok=False, figures={"skipped": NOT_HERE})
    people = populate(tasks_per_board=3)
    generous_plan(people.acme.tenant)
    secret = new_key(tenant_id=people.acme.tenant.id)
    wanted = request.times(CASES)
    with tempfile.TemporaryDirectory() as folder, open_door() as server:
        say(f"about {wanted} cases")
        each = max(2, -(-wanted * 2 // OPERATIONS_ABOUT))
        _run(program, Path(folder), url=server.url, secret=secret, each=each)
        answers = list(_answers(Path(folder) / "run.har"))
    faults = [answer for answer in answers if answer["status"] >= 500 or "INTERNAL" in answer["codes"]]
    return Finding(
        name="schemathesis",
        ok=len(answers) >= wanted and not faults,
        figures={
            "cases": len(answers),
            "server_errors": len(faults),
            "by_status": dict(Counter(str(answer["status"]) for answer in answers)),
            "by_code": dict(Counter(code for answer in answers for code in answer["codes"])),
            "first": [fault["asked"] for fault in faults[:3]],
        },
    )


def _run(program: Path, folder: Path, *, url: str, secret: str, each: int) -> None:
    command = [str(program), "run", url, *ARGUMENTS, "-n", str(each), "-H", f"Authorization: Bearer {secret}"]
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.audits.scalars", "PYTHONPATH": str(PROJECT)}
    # In a folder of its own: it keeps what it found, keys included, where it runs.
    ran = subprocess.run(
        [*command, "--report-har-path", "run.har"], cwd=folder, env=environ, capture_output=True, text=True
    )
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"schemathesis did not run: {ran.stdout[-2_000:]} {ran.stderr[-2_000:]}")


def _answers(report: Path) -> Iterator[dict[str, Any]]:
    """Each answer but those to its own introspection."""
    for entry in json.loads(report.read_text())["log"]["entries"]:
        asked = entry["request"].get("postData", {}).get("text", "")
        if "__schema" not in asked:
            yield {"status": entry["response"]["status"], "codes": _codes(entry["response"]), "asked": asked[:400]}


def _codes(response: dict[str, Any]) -> list[str]:
    try:
        body = json.loads(response["content"]["text"])
        return sorted({error["extensions"]["code"] for error in body.get("errors", [])})
    except (KeyError, ValueError):
        return ["NO_JSON"]
