"""What may not import what, where import-linter's layers do not see it."""

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
OURS = ("tasks_app", "analytics", "config")
ORACLE = sorted((PROJECT / "tests" / "oracle").glob("**/*.py"))
PURE = sorted((PROJECT / "analytics" / "pure").glob("**/*.py"))
# The clock is read where a request or a command begins; below, an instant is an argument.
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("timezone", "now"),
    ("time", "time"),
}


def imported(path: Path) -> set[str]:
    """The modules that a file names in its imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide what is meant"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", ORACLE, ids=lambda path: path.name)
def test_the_oracle_imports_nothing_of_ours(path: Path) -> None:
    """A comparison with oneself proves nothing: only the standard library and the oracle itself."""
    others = {name for name in imported(path) if not name.startswith("tests.oracle")}
    assert {name for name in others if name.split(".")[0] not in sys.stdlib_module_names} == set()


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_the_pure_part_knows_no_framework(path: Path) -> None:
    """Bucket edges and windows need neither Django nor a database."""
    assert {name.split(".")[0] for name in imported(path)} & {
        "django",
        "psycopg",
        "strawberry",
        "tasks_app",
        "config",
    } == set()


def test_there_is_something_to_look_at() -> None:
    """An empty list of files would pass every test above."""
    assert len(ORACLE) >= 5
    assert len(PURE) >= 3


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for app in ("tasks_app/models", "tasks_app/operations", "analytics/pure")
        for path in (PROJECT / app).glob("**/*.py")
    ),
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_the_clock_is_read_at_the_edges(path: Path) -> None:
    """Neither models, operations nor windows ask what time it is."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    asked = {
        (call.value.id, call.attr)
        for call in calls
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name)
    }
    assert asked & CLOCKS == set()


def test_the_top_level_is_the_house() -> None:
    """Nothing is put beside the apps."""
    allowed = {"manage.py", "pyproject.toml", "config", "analytics", "tasks_app", "tests", "README.md", "LICENSE"}
    listed = {path.name for path in PROJECT.iterdir() if not path.name.startswith(".")}
    # What is made by running: ignored by git.
    assert listed - allowed <= {"var", "uv.lock", "staticfiles"}
