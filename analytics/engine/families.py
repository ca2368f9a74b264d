"""The families of facts, one declaration per file. The engine in analytics.rollups and analytics.windows reads them."""

from analytics.engine.family import Family
from analytics.flow.family import TRANSITIONS

FAMILIES: tuple[Family, ...] = (TRANSITIONS,)
