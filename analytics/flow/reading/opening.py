"""Reading of a flow question that was asked before, opened again by what is to be known of it."""

from analytics.engine.projects import project_facts
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import flow_question, window_of


def open_reading(*, question: WindowQuestion, knowledge: Knowledge, read_from: ReadFrom) -> FlowReading:
    """See analytics.engine.reading.wing_reading.OpenReading."""
    found = project_facts(
        tenant_id=question.tenant_id, key=None, known_at=knowledge.known_at, snapshot=knowledge.definitions.snapshot
    )
    return FlowReading(
        question=flow_question(question, window=window_of(question)),
        boards=[board for board in found if question.project_id in (None, board.id)],
        knowledge=knowledge,
        read_from=read_from,
    )
