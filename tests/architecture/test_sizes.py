"""Sizes of files and functions, so that each can be read at once; with what is still longer, which may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FILES = [path for app in ("analytics", "tasks_app") for path in sorted((PROJECT / app).glob("**/*.py"))]
MOST_LINES_OF_FILE = 400
MOST_LINES_OF_FUNCTION = 40
# What is longer, and how long it may be. A migration that was applied is as it is.
LONGER = {
    "tasks_app/migrations/0001_initial.py": 740,
    "analytics/flow/graphql/explaining.py explain_change": 41,
    "analytics/flow/graphql/queries.py analytics": 61,
    "tasks_app/operations/keys.py rotate_api_key": 41,
}


def too_long(text: str) -> Iterator[tuple[str, int]]:
    """The functions of a module that have too many lines, by name; the module itself by the empty text."""
    if (lines := len(text.splitlines())) > MOST_LINES_OF_FILE:
        yield "", lines
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES_OF_FUNCTION:
                yield node.name, lines


def measured() -> dict[str, int]:
    """All that is too long."""
    return {
        f"{path.relative_to(PROJECT).as_posix()} {name}".strip(): lines
        for path in FILES
        for name, lines in too_long(path.read_text(encoding="utf-8"))
    }


def test_nothing_more_is_too_long() -> None:
    """A file has at most 400 lines and a function 40. Whoever makes one of the list short enough takes it off."""
    found = measured()
    assert {name: lines for name, lines in found.items() if lines > LONGER.get(name, 0)} == {}
    assert set(LONGER) == set(found)


@pytest.mark.parametrize(("lines", "found"), [(40, []), (41, [("long", 41)])])
def test_it_sees_a_long_function(lines: int, found: list[tuple[str, int]]) -> None:
    """Its first line and its last one count."""
    text = "def long():\n" + "    pass\n" * (lines - 1)
    assert list(too_long(text)) == found


def test_it_sees_a_long_file() -> None:
    """Of which there is one: the first migration."""
    assert list(too_long("pass\n" * 401)) == [("", 401)]
    assert len(FILES) > 300
