"""The families of facts, one declaration per file. The engine in analytics.rollups and analytics.windows reads them."""

from analytics.facts.family import Family
from analytics.facts.transitions import TRANSITIONS

FAMILIES: tuple[Family, ...] = (TRANSITIONS,)
