"""Where the durations of an engine are not those of the oracle."""

from typing import Any

from analytics.flow.figures.start_and_finish import PairError
from tests.oracle import durations as oracle
from tests.oracle.durations import Policy
from tests.oracle.facts import History
from tests.oracle.questions import Question
from tests.spec.postgres import PostgresEngine

PAIRS = ((None, None), ("doing", "done"), ("review", None), (None, "done"))


def unlike_durations(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """One sentence for each figure that differs."""
    asked: dict[str, Any] = {"history": history, "question": question}
    pairs: dict[str, tuple[Any, Any]] = {
        f"time in state full={is_full}": (
            engine.time_in_state(question=question, is_full=is_full),
            oracle.time_in_state(**asked, is_full=is_full),
        )
        for is_full in (False, True)
    }
    pairs["lead time"] = (engine.lead_time(question=question), oracle.lead_time(**asked))
    pairs["working lead time"] = (
        engine.lead_time(question=question, working=True),
        oracle.lead_time(**asked, working=True),
    )
    pairs["flow efficiency"] = (engine.flow_efficiency(question=question), oracle.flow_efficiency(**asked))
    unlike = [f"{name}: {answer} instead of {wanted}" for name, (answer, wanted) in pairs.items() if answer != wanted]
    return unlike + [line for start, finish in PAIRS for line in _unlike_cycles(engine, asked, start, finish)]


def _unlike_cycles(engine: PostgresEngine, asked: dict[str, Any], start: str | None, finish: str | None) -> list[str]:
    found = []
    for policy in Policy:
        # The calendar takes the spans that a policy found, whichever it is: one policy shows it.
        for working in (False, True) if policy is Policy.SUM_OF_EPISODES and start == finish else (False,):
            how: dict[str, Any] = {"policy": policy, "start": start, "finish": finish, "working": working}
            try:
                answer = engine.cycle_time(question=asked["question"], **how)
            except PairError:
                return []
            if answer != (wanted := oracle.cycle_time(**asked, **how)):
                found.append(f"{how}: {answer} instead of {wanted}")
    return found
