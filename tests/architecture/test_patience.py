"""Waits and clocks of tests: none depends on how busy the machine is.

A test waits until something is so (`wait_until`, or PATIENCE where a library wants a number), and fails only when that
hangs. What it says of cost it counts in statements, rows or calls. Audits and benchmarks measure time: that is their task.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).resolve().parents[1]
FILES = [
    path
    for path in sorted(TESTS.rglob("*.py"))
    if path.relative_to(TESTS).parts[0] not in ("audits", "benchmarks")
    and path.name not in ("processes.py", "serving.py")
]
STOPWATCHES = {("time", "monotonic"), ("time", "perf_counter"), ("time", "process_time")}
SLEEP = ("time", "sleep")
WAITS = {"wait", "join", "result", "communicate"}
# Who sleeps, to see that nothing happens meanwhile or to let others work, and passes however long that takes.
SLEEPERS = {"config/test_embedded_server.py", "engine/test_concurrent_folding.py"}


def is_seconds(node: ast.expr) -> bool:
    """Whether it is a number of seconds that a busy machine may need."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value >= 1


def waits_for_seconds(call: ast.Call) -> bool:
    """Whether the call waits for so long, and no longer."""
    given = [each.value for each in call.keywords if each.arg == "timeout"] or call.args[:1]
    return isinstance(call.func, ast.Attribute) and call.func.attr in WAITS and any(map(is_seconds, given))


def is_hurried(node: ast.Call) -> bool:
    """Whether these settings of Hypothesis have a deadline."""
    return getattr(node.func, "id", "") == "settings" and any(each.arg == "deadline" for each in node.keywords)


def impatient(tree: ast.AST) -> Iterator[str]:
    """What in a file goes by the clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = (node.value.id, node.attr)
            if name in STOPWATCHES or name == SLEEP:
                yield f"line {node.lineno}: {'sleeps' if name == SLEEP else 'a stopwatch'}"
        elif isinstance(node, ast.Call) and (waits_for_seconds(node) or is_hurried(node)):
            yield f"line {node.lineno}: waits for some seconds, not until it is so"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_test_goes_by_the_clock(path: Path) -> None:
    """What passes on a quiet machine passes on a busy one."""
    found = list(impatient(ast.parse(path.read_text())))
    if path.relative_to(TESTS).as_posix() in SLEEPERS:
        assert found, "it sleeps no more: take it off the list"
        found = [each for each in found if not each.endswith("sleeps")]
    assert found == []


def test_no_example_has_a_deadline() -> None:
    """Unless it asks for one, which the test above forbids."""
    assert settings().deadline is None


def test_it_sees_what_goes_by_the_clock() -> None:
    """Otherwise the test above would pass on anything."""
    text = """
begun = time.monotonic()
thread.join(5)
process.communicate(timeout=30)
time.sleep(0.1)
settings(deadline=None)
thread.join(0.3)
thread.join(PATIENCE)
"""
    assert sorted(int(each.split(":")[0].split()[1]) for each in impatient(ast.parse(text))) == [2, 3, 4, 5, 6]
