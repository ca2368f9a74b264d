"""graphql_http: the public audit suite of GraphQL over HTTP, by whoever wrote the specification."""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.audits.doors import new_key, open_door
from tests.audits.findings import Finding, Request
from tests.audits.scene import populate, say

PACKAGES = ("graphql-http@1.23.1", "graphql@16.15.0")
SCRIPT = Path(__file__).with_name("graphql_http.mjs")
AUDITS = 61
NO_NODE = "node and npm are not here: this audit is JavaScript's"


def graphql_http(_: Request) -> Finding:
    """Every audit of the suite, MUST, SHOULD and MAY, over HTTP with a key that may introspect."""
    if not (shutil.which("node") and shutil.which("npm")):
        return Finding(name="graphql_http", ok=False, figures={"skipped": NO_NODE})
    people = populate(tasks_per_board=1)
    secret = new_key(tenant_id=people.acme.tenant.id)
    with tempfile.TemporaryDirectory() as folder, open_door() as server:
        say(f"npm install {' '.join(PACKAGES)}")
        found = _audited(Path(folder), url=server.url, secret=secret)
    failed = [each for each in found if each["status"] != "ok"]
    return Finding(
        name="graphql_http",
        ok=len(found) == AUDITS and not failed,
        figures={
            "passed": f"{len(found) - len(failed)}/{len(found)}",
            "by_weight": dict(Counter(each["name"].split()[0] for each in found if each["status"] == "ok")),
            "failed": failed,
            "suite": PACKAGES[0],
        },
    )


def _audited(folder: Path, *, url: str, secret: str) -> list[dict[str, Any]]:
    shutil.copy(SCRIPT, folder)
    quiet = ("--silent", "--no-fund", "--no-audit")
    subprocess.run(["npm", "install", *quiet, *PACKAGES], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    ran = subprocess.run(
        ["node", SCRIPT.name, url, secret], cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found
