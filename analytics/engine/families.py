"""The families of facts, one declaration per file. The engine in analytics.rollups and analytics.windows reads them."""

from analytics.engine.family import Family
from analytics.flow.family import TRANSITIONS

FAMILIES: tuple[Family, ...] = (TRANSITIONS,)


def families() -> tuple[Family, ...]:
    """Those of the product, in the order in which they are folded."""
    return FAMILIES


def family_named(name: str) -> Family:
    """The family of that name; KeyError says which there are."""
    found = next((family for family in families() if family.name == name), None)
    if found is None:
        known = ", ".join(family.name for family in families())
        raise KeyError(f"family: there is none of the name {name!r}; it is one of {known}.")
    return found
