"""Timing that holds on a busy machine: variants take turns, and only medians of one run are compared."""

import random
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median

# A variant this slow is told from the others by one sample; more would only spend the run's time.
SLOW_SECONDS = 1.0

Samples = dict[str, list[float]]


def taking_turns(variants: Mapping[str, Callable[[], float]], *, rounds: int) -> Samples:
    """Runs every variant once a round, in a new random order each; a variant answers the seconds that count.

    Each variant is run once beforehand, uncounted unless that was slow: then it is its only sample.
    """
    order = random.Random(1)
    samples: Samples = {name: [] for name in variants}
    for name, run in variants.items():
        first = run()
        if first > SLOW_SECONDS:
            samples[name].append(first)
    lively = [name for name in variants if not samples[name]]
    for _ in range(rounds):
        order.shuffle(lively)
        for name in lively:
            samples[name].append(variants[name]())
    return samples


def ratios(samples: Samples, *, to: str, of: Callable[[list[float]], float] = median) -> dict[str, float]:
    """Each variant's median over the median of `to`.

    `of=min` for what is too long to repeat often: with a handful of samples the least disturbed one says most.
    """
    base = of(samples[to])
    return {name: round(of(taken) / base, 3) for name, taken in samples.items()}


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def say(text: str) -> None:
    """A line of progress, on stderr."""
    sys.stderr.write(f"benchmarks: {text}\n")
    sys.stderr.flush()
