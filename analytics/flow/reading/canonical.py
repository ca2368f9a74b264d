"""Canonical form of flow figures, of which digests are taken: no ids of this database, so equal facts give equal digests."""

from collections.abc import Sequence
from typing import Any

from analytics.flow.figures.churn import Churn
from analytics.flow.figures.completion import Edge
from analytics.flow.figures.forecast import Forecast
from analytics.flow.figures.identities import Identity
from analytics.flow.figures.validation import ValidationWait
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.reading.quality import DataQuality
from analytics.flow.reading.results import AgingItem, CumulativeFlow, Throughput


def state(definition: StateDefinition) -> dict[str, Any]:
    """A state by what people see of it."""
    return {
        "slug": definition.slug,
        "name": definition.name,
        "category": definition.category,
        "position": definition.position,
        "waiting": definition.waiting,
        "needsValidation": definition.needs_validation,
    }


def states(definitions: Sequence[StateDefinition]) -> list[dict[str, Any]]:
    """States in order."""
    return [state(definition) for definition in definitions]


def cumulative_flow(flow: CumulativeFlow) -> dict[str, Any]:
    """The whole diagram, whichever of its parts were selected."""
    return {
        "mode": flow.mode.value,
        "series": [{"state": state(each.state), "counts": list(each.counts)} for each in flow.series],
        "arrivals": list(flow.arrivals),
        "departures": list(flow.departures),
        "left": list(flow.left),
        "discarded": list(flow.discarded),
        "definitionChanges": list(flow.definition_changes),
        "correctionWindows": [
            {"task": each.item.identity, "from": each.begin, "to": each.end} for each in flow.correction_windows
        ],
        "difference": list(flow.difference),
    }


def throughput(found: Throughput) -> dict[str, Any]:
    """What was finished and cancelled."""
    return {
        "finished": list(found.finished),
        "finishEvents": list(found.finish_events),
        "cancelled": list(found.cancelled),
    }


def transitions(edges: Sequence[Edge]) -> list[dict[str, Any]]:
    """The state graph, its medians in whole microseconds."""
    return [
        {
            "from": state(edge.before) if edge.before else None,
            "to": state(edge.after) if edge.after else None,
            "count": edge.count,
            "medianMicroseconds": edge.median,
        }
        for edge in edges
    ]


def churn(found: Churn) -> dict[str, Any]:
    """Churn in whole numbers: what its rates are of, and not the rates."""
    return {
        "finishEvents": found.finish_events,
        "judgedFinishes": found.judged_finishes,
        "reopened": found.reopened,
        "backflow": found.backflow,
        "finished": found.finished,
        "finishedStraight": found.finished_straight,
        "abandoned": found.abandoned,
        "revertedItems": found.reverted_items,
        "startedItems": found.started_items,
        "edges": transitions(found.edges),
        "reverts": list(found.reverts),
        "scopeAdded": list(found.scope_added),
        "scopeRemoved": list(found.scope_removed),
    }


def identities(found: Sequence[Identity]) -> list[dict[str, Any]]:
    """The laws with what they come to, in whole items or microseconds."""
    return [
        {"name": each.name, "of": each.of.value, "value": each.value, "difference": each.difference} for each in found
    ]


def aging(found: Sequence[AgingItem]) -> list[dict[str, Any]]:
    """Work in progress, the oldest first; of percentiles what they are shares of."""
    return [
        {
            "task": each.item.identity,
            "state": state(each.age.state),
            "startedAt": each.age.started_at,
            "ageMicroseconds": each.age.age,
            "ageDays": each.age.days,
            "shorter": each.age.shorter,
            "compared": each.age.compared,
        }
        for each in found
    ]


def forecast(found: Forecast) -> dict[str, Any]:
    """The forecast with its seed, its probabilities in per cent."""
    return {
        "status": found.status.value,
        "seed": found.seed,
        "trials": found.trials,
        "historyDays": found.history_days,
        "firstDay": found.first_day,
        "points": [{"percent": each.percent, "items": each.items, "date": each.day} for each in found.points],
        "backtest": {"held": found.backtest.held, "tests": found.backtest.tests} if found.backtest else None,
    }


def validation(found: Sequence[ValidationWait]) -> list[dict[str, Any]]:
    """Waits in whole microseconds. Validators have no names here, which may be erased, but an order by their figures."""
    rows = [
        {
            "state": state(each.state),
            "ofOneValidator": each.validator is not None,
            "validated": each.validated,
            "unapproved": each.unapproved,
            "waiting": each.waiting,
            "p50Microseconds": each.p50,
            "p85Microseconds": each.p85,
            "totalMicroseconds": each.total,
        }
        for each in found
    ]
    states = [each["state"] for each in rows]
    return sorted(rows, key=lambda row: (states.index(row["state"]), row["ofOneValidator"], *_sizes(row)))


def _sizes(row: dict[str, Any]) -> tuple[Any, ...]:
    # Only the row of all may have no percentiles, and of that there is one.
    return row["validated"], row["totalMicroseconds"], row["p50Microseconds"], row["p85Microseconds"]


def data_quality(found: DataQuality) -> dict[str, Any]:
    """The checks with the items that they name, and the two numbers that the score is of."""
    return {
        "items": found.items,
        "failing": found.failing,
        "checks": [
            {"code": each.code, "failures": each.failures, "tasks": [item.identity for item in each.items]}
            for each in found.checks
        ],
    }
