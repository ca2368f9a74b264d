"""SQL texts of the product: string constants of the code, statements of migrations, bodies of installed functions."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.db import connection
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from tasks_app.policies import Execute
from tests.tasks_app.recording import sql

PROJECT = Path(__file__).resolve().parents[2]
PRODUCT = ("tasks_app", "analytics", "config")

READ_BODIES = """/* tests.read_every_body */
SELECT p.proname::text, p.prosrc,
       ARRAY(SELECT DISTINCT n::text FROM pg_trigger t CROSS JOIN LATERAL unnest(ARRAY[t.tgoldtable, t.tgnewtable]) n
              WHERE t.tgfoid = p.oid AND n IS NOT NULL)
  FROM pg_proc p
 WHERE p.pronamespace = 'public'::regnamespace AND p.proname NOT LIKE ALL (ARRAY['pgtrigger\\_%%', '\\_pgtrigger%%'])
 ORDER BY 1
"""


class Text(NamedTuple):
    """A text and what it is called: `module.NAME`, `app.migration`, or the function."""

    name: str
    text: str


class Body(NamedTuple):
    """A function as it is installed, and the names of the transition tables that its triggers hand to it."""

    name: str
    text: str
    transition: list[str]


@cache
def strings() -> list[Text]:
    """Every string of the product's code but docstrings and frozen migrations; what an f-string puts in is left as {...}.

    The module is named without its folder, so that a file may move.
    """
    files = [
        path for app in PRODUCT for path in sorted((PROJECT / app).glob("**/*.py")) if "migrations" not in path.parts
    ]
    return [
        text for path in files for text in strings_of(ast.parse(path.read_text(encoding="utf-8")), module=path.stem)
    ]


def strings_of(tree: ast.Module, *, module: str) -> Iterator[Text]:
    """The strings of one module, each under the constant, function or class that stands in the module's first column."""
    for statement in tree.body:
        name = _named(statement)
        for node in _outermost(statement):
            yield Text(f"{module}.{name}", _as_template(node))


def _named(statement: ast.stmt) -> str:
    match statement:
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            return statement.name
        case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""


def _outermost(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Strings below a node; the parts of an f-string are no strings of their own, but those of its expressions are."""
    if isinstance(node, ast.JoinedStr):
        yield node
        children: list[ast.AST] = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
        return
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from _outermost(child)


def _as_template(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = (part.value if isinstance(part, ast.Constant) else "{...}" for part in node.values)
    return "".join(str(part) for part in parts)


def is_body(text: str) -> bool:
    """Whether a string is the text of a function, which an operation installs."""
    return text.lstrip().startswith(("DECLARE\n", "BEGIN\n"))


def bodies() -> list[Body]:
    """Every function that migrations made, as PostgreSQL has it now."""
    return [Body(*row) for row in sql(READ_BODIES)]


def migrations() -> Iterator[Text]:
    """Every statement of every migration of ours, as it would be sent."""
    loader = MigrationLoader(connection)
    plan = loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True)
    state = loader.project_state([])
    for key in plan:
        if not is_ours(key[0]):
            state = loader.graph.nodes[key].mutate_state(state, preserve=False)
            continue
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            state = loader.graph.nodes[key].apply(state, editor, collect_sql=True)
        assert editor.collected_sql is not None
        yield from (Text(".".join(key), statement) for statement in editor.collected_sql)


def handwritten() -> Iterator[Text]:
    """The text of each operation that somebody wrote as SQL."""
    for (app, name), migration in MigrationLoader(connection).disk_migrations.items():
        if is_ours(app):
            yield from (Text(f"{app}.{name}", text) for each in migration.operations for text in _written(each))


def _written(operation: Operation) -> Iterator[str]:
    match operation:
        case Execute():
            yield operation.statement
        case RunSQL():
            yield from ([operation.sql] if isinstance(operation.sql, str) else [str(each) for each in operation.sql])
        case _:
            pass


def is_ours(app_label: str) -> bool:
    """Whether an app is the product's."""
    return apps.get_app_config(app_label).name.split(".")[0] in PRODUCT
