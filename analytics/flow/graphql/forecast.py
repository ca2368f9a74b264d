"""Forecasts, as the API asks for them and shows them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import strawberry

from analytics.engine.figure import Unit
from analytics.engine.graphql.figures import counts
from analytics.flow.figures import forecast as pure
from analytics.flow.reading.flow import FlowReading
from tasks_app.errors import ApiError

TRIALS: Final = 10_000

ForecastStatus = strawberry.enum(
    pure.ForecastStatus,
    name="ForecastStatus",
    description="INSUFFICIENT_DATA: fewer than five days of the history have a finish, and nothing is forecast.",
)


@strawberry.type(description="What holds with one probability.")
class ForecastPoint:
    probability: float = strawberry.field(description="From 0 to 1.")
    items: int | None = strawberry.field(
        description="At least so many items are done by the end of `until`; else null."
    )
    day: date | None = strawberry.field(
        name="date",
        description="The local date on which all `items` are done, or before; null where that is more than ten years away.",
    )


@strawberry.type(description="How many items by a date, or when a number of items are done.")
class Forecast:
    status: ForecastStatus = strawberry.field(  # type: ignore[valid-type]
        description="Whether enough days of the history have a finish.", metadata=counts(Unit.DAYS)
    )
    seed: int = strawberry.field(
        description="What the random numbers were made of: as asked for, or else chosen by the arguments.",
        metadata=counts(Unit.NUMBER),
    )
    trials: int = strawberry.field(description="How often the future was drawn.", metadata=counts(Unit.NUMBER))
    history_days: int = strawberry.field(
        description="The whole local days of the window that are over and known, at most the last 3,650: what was drawn"
        " from.",
        metadata=counts(Unit.DAYS),
    )
    first_day: date = strawberry.field(
        description="The local date that the forecast begins with: today, or the one after the window.",
        metadata=counts(Unit.DAYS),
    )
    percentiles: list[ForecastPoint] = strawberry.field(
        description="What holds with 50, 70, 85 and 95 per cent, by nearest rank over the trials; empty where the data is"
        " insufficient.",
        metadata=counts(Unit.ITEMS),
    )
    backtest_coverage: float | None = strawberry.field(
        description="Share of past weeks, of the last 52, in which at least as many items were done as a forecast said"
        " with 85 per cent that was made from what had happened before them (by happenedAt); null with fewer"
        " than 5 such weeks after the first 14 days.",
        metadata=counts(Unit.SHARE),
    )


def arguments_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as an answer names them, however they were written: numbers, ISO dates, the seed that was chosen."""
    off = given.get("daysOff") or []
    plain = {
        **{name: int(given[name]) for name in ("items", "trials", "seed") if given.get(name) is not None},
        **({"until": str(given["until"])} if given.get("until") is not None else {}),
        **({"daysOff": sorted({str(day) for day in off} if isinstance(off, list) else {str(off)})} if off else {}),
    }
    full = {"trials": TRIALS, **plain}
    return {"seed": pure.chosen_seed(sorted(full.items())), **full}


def read_forecast(reading: FlowReading, arguments: Mapping[str, Any]) -> pure.Forecast:
    """The forecast. ApiError BAD_USER_INPUT names the argument that cannot be answered."""
    until = arguments.get("until")
    try:
        question = pure.ForecastQuestion(
            items=arguments.get("items"),
            until=date.fromisoformat(until) if until else None,
            trials=arguments["trials"],
            seed=arguments["seed"],
            days_off=frozenset(date.fromisoformat(day) for day in arguments.get("daysOff", ())),
        )
        return reading.forecast(question=question)
    except pure.ForecastError as error:
        raise ApiError(f"forecast.{error}", extensions={"argument": error.argument}) from None


def forecast_node(found: pure.Forecast) -> Forecast:
    """The forecast as the API shows it."""
    test = found.backtest
    return Forecast(
        status=found.status,
        seed=found.seed,
        trials=found.trials,
        history_days=found.history_days,
        first_day=found.first_day,
        percentiles=[
            ForecastPoint(probability=each.percent / 100, items=each.items, day=each.day) for each in found.points
        ],
        backtest_coverage=None if test is None else test.held / test.tests,
    )
