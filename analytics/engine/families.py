"""Families of facts: which there are. Each wing declares its own.

The engine imports them when they are first asked for, and nothing else of the wings: who folds needs none of it.
"""

from functools import lru_cache
from importlib import import_module

from django.conf import settings

from analytics.engine.family import Family
from tasks_app.refusals import Refused


def families() -> tuple[Family, ...]:
    """Those of the wings that the setting FLOWLEDGER_WINGS names: the FAMILIES of each one's module `family`, in this order.

    ValueError where two have one name.
    """
    return _of(tuple(settings.FLOWLEDGER_WINGS))


def family_named(name: str) -> Family:
    """The family of that name. Refused where there is none: the sentence has those that there are."""
    for family in families():
        if family.name == name:
            return family
    raise Refused(f"There is no family {name!r}; the families are {', '.join(each.name for each in families())}.")


@lru_cache(maxsize=8)
def _of(wings: tuple[str, ...]) -> tuple[Family, ...]:
    found: dict[str, Family] = {}
    for wing in wings:
        for family in import_module(f"{wing}.family").FAMILIES:
            if family.name in found:
                raise ValueError(f"Two families are named {family.name}, the second in {wing}: give it another name.")
            found[family.name] = family
    return tuple(found.values())
