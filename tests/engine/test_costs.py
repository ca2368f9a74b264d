"""What a question costs, and what follows from it."""

import pytest

from analytics.engine.reading.costs import Decision, Load, Weight, affordable_share, cost, policy_of

POLICY = policy_of(version="x/1", sync=2_000_000, try_sync=20_000_000, asynchronous=2_000_000_000, budget_ms=2000)
BY_BUCKET, BY_ITEM, OF_NOTHING = (
    Weight(in_window=1.5),
    Weight(fact=2.0, in_window=2.0),
    Weight(tail=0.0, cell=0.0, replayed=0.0),
)
LOAD = Load(facts=1_000_000, facts_in_window=100_000, tail=0, cells=1_000, raw=False)


@pytest.mark.parametrize(
    ("units", "decision", "budget"),
    [
        (0, Decision.SYNC, None),
        (2_000_000, Decision.SYNC, None),
        (2_000_001, Decision.TRY_SYNC, 2000),
        (20_000_000, Decision.TRY_SYNC, 2000),
        (20_000_001, Decision.ASYNC, None),
        (2_000_000_000, Decision.ASYNC, None),
        (2_000_000_001, Decision.REFUSE, None),
    ],
)
def test_the_first_rule_that_is_not_exceeded_holds(units: int, decision: Decision, budget: int | None) -> None:
    rule = POLICY.rule(units)
    assert (rule.decision, rule.budget_ms) == (decision, budget)


def test_the_highest_cost_of_a_decision() -> None:
    assert [POLICY.most(each) for each in (Decision.SYNC, Decision.TRY_SYNC, Decision.ASYNC)] == [
        2_000_000,
        20_000_000,
        2_000_000_000,
    ]


def test_nothing_asked_costs_nothing() -> None:
    assert cost([], LOAD) == 0
    assert cost([OF_NOTHING], LOAD) == 0


def test_a_figure_costs_what_it_reads() -> None:
    """Facts of the window and cells for what rollups answer; all facts, too, for what follows single items."""
    assert cost([BY_BUCKET], LOAD) == 150_000 + 1_000
    assert cost([BY_ITEM], LOAD) == 2_000_000 + 200_000 + 1_000


def test_a_replay_reads_everything_whatever_the_window() -> None:
    raw = Load(facts=1_000_000, facts_in_window=0, tail=10, cells=0, raw=True)
    assert cost([BY_ITEM], raw) == cost([BY_BUCKET], raw) == 6_000_060


def test_figures_of_one_window_share_what_they_read() -> None:
    """The dearest counts whole, each other half; what costs nothing beside it changes nothing."""
    together = cost([BY_ITEM], LOAD) + (cost([BY_BUCKET], LOAD) + cost([BY_BUCKET], LOAD)) / 2
    assert cost([BY_BUCKET, BY_ITEM, BY_BUCKET, OF_NOTHING], LOAD) == round(together)


def test_a_shorter_window_may_be_affordable() -> None:
    """In hundredths of the length; where all facts are read anyway, no window is."""
    assert affordable_share([Weight(in_window=2.0)], LOAD, most=100_500) == 0.5
    assert affordable_share([BY_ITEM], LOAD, most=100_500) is None
