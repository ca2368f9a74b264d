"""The READMEs name what is there: every module of a folder, and every known failure that a test guards against."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.engine.wings import wings
from analytics.graphql.documents.catalogue import DOCUMENTS

PROJECT = Path(__file__).resolve().parents[2]
QUOTED = re.compile(r"`([^`]+)`")
FAILURE = re.compile(r"\bP\d+\b")
MEANINGS = "## What the figures mean"
GUARDED = "## Failures that are guarded against"
# What every app or package has, whatever it is about.
COMMON = {"apps.py", "__init__.py", "README.md", "__pycache__"}


def places(folder: Path) -> Iterator[str]:
    """The folders, with a slash, and the modules of a folder that has a README."""
    for path in sorted(folder.iterdir()):
        if path.name not in COMMON and (path.is_dir() or path.suffix == ".py"):
            yield f"{path.name}/" if path.is_dir() else path.name


@pytest.mark.parametrize("folder", ["tasks_app", "analytics", "tests", "config/database"])
def test_a_readme_names_every_place_beside_it(folder: str) -> None:
    """Who looks for something finds it in the table."""
    text = (PROJECT / folder / "README.md").read_text(encoding="utf-8")
    named = {name.split("/")[0] + ("/" if "/" in name else "") for name in QUOTED.findall(text)}
    assert [place for place in places(PROJECT / folder) if place not in named] == []


def test_every_figure_is_explained() -> None:
    """What a figure means in full is in one place, for people."""
    text = (PROJECT / "analytics" / "README.md").read_text(encoding="utf-8").split(MEANINGS)[1]
    assert [metric.name for wing in wings() for metric in wing.every_metric() if f"`{metric.name}`" not in text] == []


def test_every_document_is_listed() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert [name for name in DOCUMENTS if f"`{name}`" not in text] == []


def test_the_list_of_failures_is_that_of_the_docstrings() -> None:
    """A number that is only in the list guards nothing; one that is only in a test is not found."""
    listed = (PROJECT / "tests" / "README.md").read_text(encoding="utf-8").split(GUARDED)[1]
    told = {
        number for path in (PROJECT / "tests").glob("**/*.py") for number in FAILURE.findall(path.read_text("utf-8"))
    }
    assert set(FAILURE.findall(listed)) == told
