"""Wings of the house: which there are, and all figures that they have, by name.

A wing is loaded when the first figure is asked for by name: commands that only fold need none of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec

from django.conf import settings
from django.utils.module_loading import import_string

from analytics.engine.figure import Figure, Metric, Part
from analytics.engine.wing import Wing


def wings() -> tuple[Wing, ...]:
    """Those that the setting FLOWLEDGER_WINGS names, in its order: the WING of each one's module `wing`.

    One without such a module is folded, and nothing of it is shown. ValueError where two declare one name.
    """
    return _loaded(tuple(settings.FLOWLEDGER_WINGS))


def figures_by_name() -> Mapping[str, Figure]:
    """The figures of all wings, by name."""
    return _figures(wings())


def wing_of(figure: str) -> Wing:
    """The wing that declares the figure of that name; KeyError where none does."""
    return _owners(wings())[figure]


def metric(name: str) -> Metric:
    """The figure, or what else is counted, of that name; KeyError says how to add one that is not there."""
    found = _metrics(wings()).get(name)
    if found is None:
        raise KeyError(f"name: there is no figure {name!r}; give it an entry in the catalogue of its wing.")
    return found


def described() -> Mapping[str, Metric | Part]:
    """All that is counted, by full name: `churn`, `churn.reopened`."""
    return {name: each for wing in wings() for name, each in wing.described()}


def versions(labels: Iterable[str]) -> str:
    """The versions of the definitions behind the figures, each once, in order. Without figures: empty.

    A label is a name, with its arguments after a space or without them.
    """
    return ", ".join(sorted({metric(label.split(" ")[0]).version for label in labels}))


def check_wings(found: Sequence[Wing]) -> None:
    """ValueError for a name that is there twice: of a wing, a figure, a mutation, a node, a priced type or a page."""
    owners: dict[tuple[str, str], str] = {}
    for wing in found:
        for what, name in _names(wing):
            if (what, name) in owners:
                raise ValueError(
                    f"There are two {what}s of the name {name!r}, in the wings {owners[what, name]!r} and {wing.name!r};"
                    " give one of them another name."
                )
            owners[what, name] = wing.name


def _names(wing: Wing) -> Iterable[tuple[str, str]]:
    yield "wing", wing.name
    yield from (("figure", metric.name) for metric in wing.every_metric())
    yield from (("mutation", entry.name) for entry in wing.mutations)
    yield from (("node", name) for name in wing.nodes)
    yield from (("priced type", name) for name in wing.prices)
    yield from (("page", page.name) for page in wing.pages)


@cache
def _loaded(paths: tuple[str, ...]) -> tuple[Wing, ...]:
    found: tuple[Wing, ...] = tuple(import_string(f"{path}.wing.WING") for path in paths if find_spec(f"{path}.wing"))
    check_wings(found)
    return found


@cache
def _figures(found: tuple[Wing, ...]) -> Mapping[str, Figure]:
    return {figure.name: figure for wing in found for figure in wing.figures}


@cache
def _owners(found: tuple[Wing, ...]) -> Mapping[str, Wing]:
    return {figure.name: wing for wing in found for figure in wing.figures}


@cache
def _metrics(found: tuple[Wing, ...]) -> Mapping[str, Metric]:
    return {metric.name: metric for wing in found for metric in wing.every_metric()}
