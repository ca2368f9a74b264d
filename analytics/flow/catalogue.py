"""Every figure that can be asked for, as data: its version, what it measures, its unit, and the sentence that defines it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from analytics.flow.catalogue_parts import DURATION_SUMMARY, RATIO, Parts


class Measure(StrEnum):
    """How the values of a figure may be put together.

    STOCK is what there is at a bucket's end; FLOW adds up over buckets; RELATIVE is per bucket, but depends on the
    window's end, and so adds up inside one window alone; WHOLE is one answer for the whole window.
    """

    STOCK = "STOCK"
    FLOW = "FLOW"
    RELATIVE = "RELATIVE"
    WHOLE = "WHOLE"


class Unit(StrEnum):
    """What a figure counts."""

    ITEMS = "items"
    EVENTS = "events"
    TRANSITIONS = "transitions"
    STATES = "states"
    INSTANTS = "instants"
    SHARE = "share"
    DAYS = "days"
    NUMBER = "number"
    SECONDS = "seconds"
    RATIO = "ratio"
    STATUS = "status"
    POLICY = "policy"
    CALENDAR = "calendar"
    METHOD = "method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure. `version` is that of the definitions; `deprecated` says since when and what to use instead."""

    name: str
    measure: Measure
    unit: Unit
    sentence: str
    version: str = "flow/1"
    family: str = "transitions"
    deprecated: str | None = None


def _parts(figure: str, parts: Parts) -> list[Metric]:
    return [
        Metric(name=f"{figure}.{part}", measure=Measure.WHOLE, unit=Unit(unit), sentence=sentence)
        for part, (unit, sentence) in parts.items()
    ]


METRICS = (
    Metric(
        name="states",
        measure=Measure.WHOLE,
        unit=Unit.STATES,
        sentence="The states that the charts show, in workflow order, as definitionAsOf says.",
    ),
    Metric(name="board", measure=Measure.STOCK, unit=Unit.ITEMS, sentence="The states in order, each with its tasks."),
    Metric(name="cumulativeFlow", measure=Measure.STOCK, unit=Unit.ITEMS, sentence="The cumulative flow diagram."),
    Metric(
        name="cumulativeFlow.series",
        measure=Measure.STOCK,
        unit=Unit.ITEMS,
        sentence="A line or band per state, in workflow order.",
    ),
    Metric(
        name="cumulativeFlow.arrivals",
        measure=Measure.FLOW,
        unit=Unit.ITEMS,
        sentence="Items that came to the board in the bucket.",
    ),
    Metric(
        name="cumulativeFlow.departures",
        measure=Measure.FLOW,
        unit=Unit.ITEMS,
        sentence="Items that left the board in the bucket. Change of items on the board = arrivals - departures.",
    ),
    Metric(
        name="cumulativeFlow.left",
        measure=Measure.FLOW,
        unit=Unit.ITEMS,
        sentence="Items discarded, cancelled or transferred out in the bucket: CUMULATIVE lines keep them.",
    ),
    Metric(
        name="cumulativeFlow.discarded",
        measure=Measure.FLOW,
        unit=Unit.ITEMS,
        sentence="Of those that left, the ones that were discarded.",
    ),
    Metric(
        name="cumulativeFlow.definitionChanges",
        measure=Measure.WHOLE,
        unit=Unit.INSTANTS,
        sentence="When states were renamed, reordered, recategorised, added or archived within the window, UTC.",
    ),
    Metric(
        name="cumulativeFlow.correctionWindows",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="When items were behind their furthest state, in order of their beginning.",
    ),
    Metric(
        name="cumulativeFlow.difference",
        measure=Measure.STOCK,
        unit=Unit.ITEMS,
        sentence="CUMULATIVE gap (reached IN_PROGRESS less reached DONE) minus work in progress."
        " Returns, leavings and reopens explain it.",
    ),
    Metric(
        name="workInProgress",
        measure=Measure.STOCK,
        unit=Unit.ITEMS,
        sentence="Items in states of category IN_PROGRESS at each bucket's end; null: not known.",
    ),
    Metric(name="throughput", measure=Measure.RELATIVE, unit=Unit.ITEMS, sentence="What was finished and cancelled."),
    Metric(
        name="throughput.finished",
        measure=Measure.RELATIVE,
        unit=Unit.ITEMS,
        sentence="Items by their last finish, each once: those DONE at the window's end, where that stay began.",
    ),
    Metric(
        name="throughput.finishEvents",
        measure=Measure.FLOW,
        unit=Unit.EVENTS,
        sentence="Entries into the category DONE from outside it, each of them.",
    ),
    Metric(
        name="throughput.cancelled",
        measure=Measure.FLOW,
        unit=Unit.EVENTS,
        sentence="Entries into the category CANCELLED from outside it: cancelled is not finished.",
    ),
    Metric(
        name="transitions",
        measure=Measure.WHOLE,
        unit=Unit.TRANSITIONS,
        sentence="The state graph: transitions from state to state, in workflow order.",
    ),
    Metric(
        name="churn",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="Work that came back or was given up, and change of scope.",
    ),
    Metric(
        name="churn.finishEvents",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="Entries into the category DONE from outside it within the window.",
    ),
    Metric(
        name="churn.reopened",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="Finish events followed by a return to TODO or IN_PROGRESS in less than reopenWithinDays times 24 hours,"
        " before the next finish. Those of which that time is not over at knownAt do not count yet.",
    ),
    Metric(
        name="churn.reopenRate",
        measure=Measure.WHOLE,
        unit=Unit.SHARE,
        sentence="reopened / finish events of which the time to be reopened in is over at knownAt; null without any.",
    ),
    Metric(
        name="churn.backflow",
        measure=Measure.WHOLE,
        unit=Unit.TRANSITIONS,
        sentence="Moves to a state of a lower position in the same project, by the order in force at the move.",
    ),
    Metric(
        name="churn.firstPassYield",
        measure=Measure.WHOLE,
        unit=Unit.SHARE,
        sentence="Items finished in the window that never moved back before its end"
        " / items finished in the window; null without any.",
    ),
    Metric(
        name="churn.abandoned",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="Moves from IN_PROGRESS to TODO after which the item enters neither IN_PROGRESS nor DONE in less"
        " than reopenWithinDays times 24 hours. Those of which that time is not over at knownAt do not count yet.",
    ),
    Metric(
        name="churn.revertedItems",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="Items with a move from IN_PROGRESS to TODO in the window.",
    ),
    Metric(
        name="churn.churnRate",
        measure=Measure.WHOLE,
        unit=Unit.SHARE,
        sentence="revertedItems / items whose first entry into an IN_PROGRESS state lies in the window; null without any.",
    ),
    Metric(
        name="churn.edges",
        measure=Measure.WHOLE,
        unit=Unit.TRANSITIONS,
        sentence="The moves of backflow from state to state, in workflow order.",
    ),
    Metric(name="churn.reverts", measure=Measure.FLOW, unit=Unit.TRANSITIONS, sentence="Moves of backflow per bucket."),
    Metric(
        name="churn.scopeAdded",
        measure=Measure.FLOW,
        unit=Unit.ITEMS,
        sentence="Items that came to the board in the bucket, gross.",
    ),
    Metric(
        name="churn.scopeRemoved",
        measure=Measure.FLOW,
        unit=Unit.ITEMS,
        sentence="Items that left the board in the bucket, gross.",
    ),
    Metric(
        name="identities",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="Laws of conservation that must hold, checked on this answer; none for an actor, whose changes hold no items.",
    ),
    Metric(
        name="aging",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="Items in progress at the window's end, or now while it runs, with their age from their start, oldest first.",
    ),
    Metric(
        name="forecast",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="From the throughput of the window's whole days, drawn with replacement, days with nothing included: how"
        " many items are done by the end of `until`, or on which date `items` items are done; give one of the two. On"
        " `daysOff` nothing will be done. At most 100,000 items, 3,650 days ahead, 20,000 trials. Seeds are from 0 to"
        " 2,147,483,647; the same seed and the same facts give the same answer.",
    ),
    Metric(
        name="forecast.status",
        measure=Measure.WHOLE,
        unit=Unit.DAYS,
        sentence="Whether enough days of the history have a finish.",
    ),
    Metric(
        name="forecast.seed",
        measure=Measure.WHOLE,
        unit=Unit.NUMBER,
        sentence="What the random numbers were made of: as asked for, or else chosen by the arguments.",
    ),
    Metric(
        name="forecast.trials",
        measure=Measure.WHOLE,
        unit=Unit.NUMBER,
        sentence="How often the future was drawn.",
    ),
    Metric(
        name="forecast.historyDays",
        measure=Measure.WHOLE,
        unit=Unit.DAYS,
        sentence="The whole local days of the window that are over and known, at most the last 3,650: what was drawn from.",
    ),
    Metric(
        name="forecast.firstDay",
        measure=Measure.WHOLE,
        unit=Unit.DAYS,
        sentence="The local date that the forecast begins with: today, or the one after the window.",
    ),
    Metric(
        name="forecast.percentiles",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="What holds with 50, 70, 85 and 95 per cent, by nearest rank over the trials; empty where the data is"
        " insufficient.",
    ),
    Metric(
        name="forecast.backtestCoverage",
        measure=Measure.WHOLE,
        unit=Unit.SHARE,
        sentence="Share of past weeks, of the last 52, in which at least as many items were done as a forecast said with 85"
        " per cent that was made from what had happened before them (by happenedAt); null with fewer than 5 such weeks"
        " after the first 14 days.",
    ),
    Metric(
        name="validation",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="Waits from an item's entry into a state that needs validation to the first validation, or to its leaving"
        " without one, by state and validator.",
    ),
    Metric(
        name="timeInState",
        measure=Measure.WHOLE,
        unit=Unit.SECONDS,
        sentence="How long items stayed in each state, in workflow order, cancelled states apart: visits that ended in the"
        " window, and apart from them those that last at its end. Clipped, their seconds together add up across windows."
        " Of an actor: the visits that this actor's changes ended.",
    ),
    Metric(
        name="bottlenecks",
        measure=Measure.WHOLE,
        unit=Unit.SECONDS,
        sentence="The states by time waited, the worst first: all seconds of their visits inside the window, ongoing ones"
        " included. States that are DONE or cancelled are left out, and so are those in which nothing was.",
    ),
    Metric(
        name="cycleTime",
        measure=Measure.WHOLE,
        unit=Unit.SECONDS,
        sentence="From start to finish of the items that are DONE at the window's end, by a stay that began in the window:"
        " start is the first entry into IN_PROGRESS, a state having the category that it had when it was entered. `start`"
        " and `finish` are slugs of two states: from the first of them on, in the order at the window's end, items are"
        " started; from the second on, finished. Left out, the categories say so. On a project's board clocks begin when"
        " the item comes to it.",
    ),
    Metric(
        name="leadTime",
        measure=Measure.WHOLE,
        unit=Unit.SECONDS,
        sentence="From the first arrival on the board to the last finish, of the items that finished in the window.",
    ),
    Metric(
        name="flowEfficiency",
        measure=Measure.WHOLE,
        unit=Unit.RATIO,
        sentence="Time in IN_PROGRESS states that are not waiting / time from first start to finish, summed over the items"
        " that finished in the window. NOT_CONFIGURED where no state is marked waiting.",
    ),
    *_parts("cycleTime", DURATION_SUMMARY),
    *_parts("leadTime", DURATION_SUMMARY),
    *_parts("flowEfficiency", RATIO),
    Metric(
        name="dataQuality",
        measure=Measure.WHOLE,
        unit=Unit.ITEMS,
        sentence="Eleven checks of the facts that happened in the window, always read from the ledger; with an"
        " assignee or actor those of the items that were ever in these hands, or ever changed by this actor.",
    ),
    Metric(
        name="dataQuality.score",
        measure=Measure.WHOLE,
        unit=Unit.SHARE,
        sentence="The share of the items with a fact in the window in which no check fails, from 0 to 1; 1 without items.",
    ),
    Metric(
        name="dataQuality.checks",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="Each check with how often it fails, in the order of the definitions; states are as definitionAsOf says.",
    ),
    Metric(
        name="drillDown",
        measure=Measure.WHOLE,
        unit=Unit.EVENTS,
        sentence="What one number of the answer counts: an edge for each item or event, in the order of happening, with the"
        " ledger row that explains it; totalCount is the number. `bucket` is one of window.starts; without it the number is"
        " that of the window, of items in their places that at its end. A number that is null is refused. Tasks are as they"
        " are now, discarded and deleted ones, too. Needs the scope TASKS_READ.",
    ),
)
CATALOGUE: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def metric(name: str) -> Metric:
    """The figure of that name; KeyError says how to add one that is not there."""
    found = CATALOGUE.get(name)
    if found is None:
        raise KeyError(f"name: there is no figure {name!r}; give it an entry in METRICS.")
    return found


def sentence(name: str) -> str:
    """What the figure is, as the API describes it."""
    return metric(name).sentence


def versions(figures: Iterable[str]) -> str:
    """The versions of the definitions behind the figures, each once, in order. Without figures: empty.

    A figure is a name, with its arguments after a space or without them.
    """
    return ", ".join(sorted({metric(figure.split(" ")[0]).version for figure in figures}))
