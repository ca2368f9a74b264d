"""Words of one family in rooms that serve all of them: the engine, jobs and the root of the API name no tasks or transitions.

What still does is listed, and the list may only shrink. Families are named where they are listed: engine/families.py and
engine/wings.py.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ANALYTICS = Path(__file__).resolve().parents[2] / "analytics"
LISTS_OF_FAMILIES = {"engine/families.py", "engine/wings.py"}
FILES = {
    name: path
    for path in sorted(
        [
            *(ANALYTICS / "engine").rglob("*.py"),
            *(ANALYTICS / "jobs").glob("*.py"),
            *(ANALYTICS / "graphql").glob("*.py"),
        ]
    )
    if (name := path.relative_to(ANALYTICS).as_posix()) not in LISTS_OF_FAMILIES
}
# What a name is of: `task`, a transition, or a state of a workflow. A job has a state, too, which is not meant.
NOUNS = re.compile(
    r"(?i)(?<![a-z])(?:tasks?|transitions?|workflow_?states?|states?_ids?|state_graph)(?![a-z])|(?<=[a-z])(?:Task|Transition)s?"
)
# Django-q's name of what it is given to do.
NOT_MEANT = {"async_task"}
# By file the words that are still there.
EXCEPTIONS = {
    "engine/figure.py": {"TRANSITIONS", "transitions"},
    "graphql/replaying.py": {"TASKS_READ"},
}


def words_of(text: str) -> Iterator[str]:
    """The identifiers of a module that name such things, and those words of its texts; docstrings and comments may."""
    tree = ast.parse(text)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        for name in _names(node):
            if NOUNS.search(name) and name not in NOT_MEANT:
                yield name
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from (word for word in re.findall(r"\w+", _without_comments(node.value)) if NOUNS.search(word))


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=asname):
            yield from (*name.split("."), asname or "")


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", FILES)
def test_no_room_of_all_families_names_one(name: str) -> None:
    """Done when the list is empty. Whoever takes the last use of a word away takes the word off the list."""
    assert set(words_of(FILES[name].read_text(encoding="utf-8"))) == EXCEPTIONS.get(name, set())


def test_the_list_names_files_that_are_there() -> None:
    """A file that moved takes its words with it."""
    assert set(EXCEPTIONS) <= set(FILES)


def test_it_sees_the_words() -> None:
    """In names, arguments, attributes, imports and statements; and not in comments."""
    text = '''
"""About tasks."""
from tasks_app.models import WorkflowState
READ = "/* of transitions */ SELECT task_id FROM task_ledger WHERE state = 1"
def transitions(*, state_id): return async_task(job.state, self.deleted_task)
'''
    found = {"WorkflowState", "task_id", "task_ledger", "transitions", "state_id", "deleted_task"}
    assert set(words_of(text)) == found
