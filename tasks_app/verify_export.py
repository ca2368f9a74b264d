"""Offline check of an exported ledger: `python -m tasks_app.verify_export DIR [--head LINE]`, by the standard library alone.

Every file's SHA-256, every row's canonical bytes, every seal's Merkle root, the chain of the seals and the head are computed
again. `--proof FILE` checks one row's inclusion proof instead. Prints one JSON object; exit 1 where anything differs.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tasks_app.seals.canonical import BY_NAME, packed
from tasks_app.seals.chain import Head, Seal, head_from, head_of, problems_of_chain
from tasks_app.seals.merkle import leaf_hash, root, root_by_path

FORMAT = "flowledger-export/1"
MOST_TOLD = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks what the arguments name; 0 where all of it is right, 1 where it is not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tasks_app.verify_export", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, help="what `manage.py export_ledger --to` has written")
    parser.add_argument("--head", help="a head's line that was kept elsewhere: the export must contain its seals")
    parser.add_argument("--proof", type=Path, help="a file with the proof of one row, instead of a directory")
    given = parser.parse_args(arguments)
    if (given.directory is None) == (given.proof is None):
        parser.error("give a directory, or --proof with a file")
    try:
        head = head_from(given.head) if given.head else None
        found = checked_proof(given.proof, head=head) if given.proof else checked_export(given.directory, head=head)
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = {"ok": False, "problems": [f"It cannot be read: {type(error).__name__}: {error}"]}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0 if found["ok"] else 1


def checked_export(directory: Path, *, head: Head | None = None) -> dict[str, Any]:
    """`{"ok", "seals", "rows", "head", "problems"}` of an export, problems as sentences."""
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    if manifest["format"] != FORMAT:
        raise ValueError(f"the format is {manifest['format']!r}, and this program reads {FORMAT}")
    problems = list(_unlike_the_manifest(directory, manifest["files"]))
    seals = [_seal(line, tenant=manifest["tenant"]) for line in _lines(directory / "seals.jsonl")]
    problems += problems_of_chain(seals)
    rows, more = _checked_rows(directory, sorted(name for name in manifest["files"] if name != "seals.jsonl"), seals)
    problems += more
    told = head_from(manifest["head"])
    heads = [seal.head for seal in seals]
    if told != head_of(tenant_id=manifest["tenant"], heads=heads):
        problems.append("The head in the manifest is not that of the seals.")
    if head is not None and head != head_of(tenant_id=manifest["tenant"], heads=heads[: head.seals]):
        problems.append("The export does not contain the seals of the head that was given.")
    return {"ok": not problems, "seals": len(seals), "rows": rows, "head": str(told), "problems": problems[:MOST_TOLD]}


def checked_proof(path: Path, *, head: Head | None = None) -> dict[str, Any]:
    """`{"ok", "row", "head", "problems"}` of one row's inclusion proof."""
    proof = json.loads(path.read_text("utf-8"))
    problems = problems_of_proof(proof)
    told = head_from(proof["head"])
    if head is not None and head != told:
        problems.append("The proof leads to another head than the one that was given.")
    return {"ok": not problems, "row": proof["row"], "head": str(told), "problems": problems}


def problems_of_proof(proof: dict[str, Any]) -> list[str]:
    """What is wrong with a proof: from the row to its seal's root, and from the seal to the head."""
    row, told = proof["row"], head_from(proof["head"])
    seal = _seal(proof["seal"], tenant=told.tenant_id)
    leaf = leaf_hash(packed(BY_NAME[row["ledger"]], row))
    problems = list[str]()
    if row["tenant_id"] != told.tenant_id:
        problems.append("The row is another tenant's than the head.")
    if root_by_path(leaf=leaf, index=proof["index"], size=seal.rows, path=_path(proof["path"])) != seal.root:
        problems.append("The row is not in the seal: its path does not lead to the seal's root.")
    place = {"index": seal.number - 1, "size": told.seals}
    if root_by_path(leaf=leaf_hash(seal.head), path=_path(proof["sealPath"]), **place) != told.root:
        problems.append("The seal is not among those of the head: its path does not lead to the head's root.")
    return problems


def _path(told: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in told]


def _checked_rows(directory: Path, names: Sequence[str], seals: Sequence[Seal]) -> tuple[int, list[str]]:
    problems, count = list[str](), 0
    rows = (row for name in names for row in _lines(directory / name))
    for seal in seals:
        leaves = list[bytes]()
        for _ in range(seal.rows):
            row = next(rows, None)
            if row is None:
                problems.append(f"Seal {seal.number}: {seal.rows - len(leaves)} of its rows are missing.")
                break
            leaves.append(leaf_hash(packed(BY_NAME[row["ledger"]], row)))
        count += len(leaves)
        if root(leaves) != seal.root:
            problems.append(f"Seal {seal.number}: its rows are not those that were sealed.")
    if next(rows, None) is not None:
        problems.append("There are rows behind those of the last seal.")
    return count, problems


def _unlike_the_manifest(directory: Path, files: dict[str, str]) -> Iterator[str]:
    there = {path.name for path in directory.iterdir()} - {"manifest.json"}
    for name in sorted(files.keys() - there):
        yield f"{name} is missing."
    for name in sorted(there - files.keys()):
        yield f"{name} is not in the manifest."
    for name in sorted(files.keys() & there):
        with (directory / name).open("rb") as file:
            digest = sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != files[name]:
            yield f"{name} is not the file that was exported: its SHA-256 is another one."


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _seal(told: dict[str, Any], *, tenant: int) -> Seal:
    return Seal(
        tenant_id=tenant,
        number=told["number"],
        epoch=told["epoch"],
        last_xact=told["lastXact"],
        last_seq=told["lastSeq"],
        positions=(told["positions"][0], told["positions"][1]),
        rows=told["rows"],
        root=bytes.fromhex(told["root"]),
        previous=bytes.fromhex(told["previous"]),
    )


if __name__ == "__main__":
    sys.exit(main())
