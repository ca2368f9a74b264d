"""Wing of tasks that move through states: what the product shows of it."""

from typing import Final

from analytics.engine.graphql.prices import each_costs, prices_of
from analytics.engine.wing import Wing
from analytics.flow.admin.pages import PAGES
from analytics.flow.catalogue import BOARD, DRILL_DOWN, FIGURES, METRICS
from analytics.flow.documents.activity import ACTIVITY
from analytics.flow.documents.summary import SUMMARY
from analytics.flow.family import FAMILIES
from analytics.flow.graphql.mutations import MUTATIONS
from analytics.flow.graphql.queries import NODES, FlowQuery
from analytics.flow.graphql.workflow_states import OF_PROJECTS
from analytics.flow.reading.opening import open_reading

WING: Final = Wing(
    name="flow",
    families=FAMILIES,
    figures=FIGURES,
    open_reading=open_reading,
    metrics=METRICS,
    queries=(FlowQuery,),
    mutations=MUTATIONS,
    adds=(OF_PROJECTS,),
    nodes=NODES,
    documents=(SUMMARY, ACTIVITY),
    pages=PAGES,
    prices={"Analytics": prices_of((*FIGURES, DRILL_DOWN)), "Board": each_costs(BOARD)},
)
