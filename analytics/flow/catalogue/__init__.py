"""Catalogue of flow's figures: an entry each, in a module of its own. A new figure is a new entry, and a line here."""

from collections.abc import Mapping
from typing import Final

from analytics.engine.figure import Figure, explained
from analytics.flow.catalogue.aging import AGING
from analytics.flow.catalogue.board import BOARD
from analytics.flow.catalogue.bottlenecks import BOTTLENECKS
from analytics.flow.catalogue.churn import CHURN
from analytics.flow.catalogue.cumulative_flow import CUMULATIVE_FLOW
from analytics.flow.catalogue.cycle_time import CYCLE_TIME
from analytics.flow.catalogue.data_quality import DATA_QUALITY
from analytics.flow.catalogue.drill_down import DRILL_DOWN
from analytics.flow.catalogue.flow_efficiency import FLOW_EFFICIENCY
from analytics.flow.catalogue.forecast import FORECAST
from analytics.flow.catalogue.identities import IDENTITIES
from analytics.flow.catalogue.lead_time import LEAD_TIME
from analytics.flow.catalogue.states import STATES
from analytics.flow.catalogue.throughput import THROUGHPUT
from analytics.flow.catalogue.time_in_state import TIME_IN_STATE
from analytics.flow.catalogue.transitions import TRANSITIONS_BETWEEN_STATES
from analytics.flow.catalogue.validation import VALIDATION
from analytics.flow.catalogue.work_in_progress import WORK_IN_PROGRESS
from analytics.flow.drills import FlowMetric

# In the order in which pages have their charts, and drill-downs what they explain.
FIGURES: Final[tuple[Figure, ...]] = (
    STATES,
    WORK_IN_PROGRESS,
    CUMULATIVE_FLOW,
    THROUGHPUT,
    TRANSITIONS_BETWEEN_STATES,
    CHURN,
    CYCLE_TIME,
    LEAD_TIME,
    FLOW_EFFICIENCY,
    TIME_IN_STATE,
    BOTTLENECKS,
    AGING,
    FORECAST,
    VALIDATION,
    IDENTITIES,
    DATA_QUALITY,
)
METRICS: Final = (BOARD, DRILL_DOWN)
# By metric of a drill-down: the numbers that it explains, as paths below `analytics`.
EXPLAINED: Final[Mapping[str, tuple[str, ...]]] = explained(FIGURES, metrics=FlowMetric)
__all__ = ["BOARD", "DRILL_DOWN", "EXPLAINED", "FIGURES", "METRICS"]
