"""forecast: 10,000 trials of a month ahead against a plain Python loop that draws the same."""

from collections.abc import Iterator
from random import Random
from statistics import median

from analytics.flow.figures.forecast import totals
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.stopwatch import taking_turns, timed

TRIALS = 10_000
DAYS = 30
GOAL = 50.0
SECONDS = 1.0
PAST = [Random(day).choice([0, 0, 1, 2, 5]) for day in range(90)]


def forecast(request: Request) -> Iterator[Outcome]:
    """`rows` are trials."""
    trials = request.size(TRIALS)
    variants = {
        "vectorised": lambda: timed(lambda: totals(PAST, days=DAYS, trials=trials, seed=1)),
        "plain": lambda: timed(lambda: _plain(trials)),
    }
    seconds = {name: median(samples) for name, samples in taking_turns(variants, rounds=5).items()}
    yield Outcome(
        name="forecast",
        ratio=seconds["plain"] / seconds["vectorised"],
        goal=GOAL,
        at_least=True,
        also=seconds["vectorised"] < SECONDS,
        detail={"trials": trials, "days": DAYS, "seconds": {name: round(each, 5) for name, each in seconds.items()}},
    )


def _plain(trials: int) -> list[int]:
    source = Random(1)
    return [sum(source.choice(PAST) for _ in range(DAYS)) for _ in range(trials)]
