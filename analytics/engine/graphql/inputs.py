"""Window inputs: what questions of any family are asked with, and the window of an answer."""

from datetime import datetime

import strawberry

from analytics.pure import windows
from analytics.pure.windows import Window as PureWindow
from analytics.pure.windows import WindowError
from tasks_app.errors import ApiError
from tasks_app.tenancy import TenantFacts

Bucket = strawberry.enum(
    windows.Bucket,
    name="Bucket",
    description="The width of a bucket. AUTO: the finest of minute, hour, day, week, month with at most 400 buckets."
    " WEEK is the ISO week; quarters are the tenant's fiscal quarters.",
)
WindowUnit = strawberry.enum(windows.Unit, name="WindowUnit", description="What a rolling window counts.")


@strawberry.input(description="The last units up to now: 30 DAY is today, still running, and the 29 local days before.")
class RollingInput:
    count: int = strawberry.field(description="How many units, from 1.")
    unit: WindowUnit = strawberry.field(description="Of what.")  # type: ignore[valid-type]


@strawberry.input(description="The half-open window [from, to).")
class BetweenInput:
    from_: datetime = strawberry.field(name="from", description="Its first instant.")
    to: datetime = strawberry.field(description="The instant at which it is over.")


@strawberry.input(one_of=True, description="Which window: exactly one of the two.")
class WindowInput:
    rolling: RollingInput | None = strawberry.field(default=strawberry.UNSET, description="Up to now.")
    between: BetweenInput | None = strawberry.field(default=strawberry.UNSET, description="From an instant to another.")


@strawberry.type(description="The window of an answer, half-open, in buckets of local time.")
class Window:
    from_: datetime = strawberry.field(name="from", description="Its first instant, UTC.")
    to: datetime = strawberry.field(description="The instant at which it is over, UTC.")
    timezone: str = strawberry.field(description="The IANA zone whose days and hours the buckets are.")
    bucket: Bucket = strawberry.field(description="The width of the buckets; never AUTO.")  # type: ignore[valid-type]
    starts: list[datetime] = strawberry.field(
        description="Where each bucket starts, as UTC instants; the first is clipped to the window."
    )
    complete: list[bool] = strawberry.field(description="False for a bucket that is still running, or not begun.")


def window_node(window: PureWindow) -> Window:
    """The window as the API shows it."""
    return Window(
        from_=window.start,
        to=window.end,
        timezone=window.zone,
        bucket=window.bucket,
        starts=list(window.starts),
        complete=list(window.complete),
    )


def window_asked(
    *, asked: WindowInput, bucket: windows.Bucket, zone: str, tenant: TenantFacts, now: datetime
) -> PureWindow:
    """The window that the input means. Refuses, naming the argument."""
    try:
        if asked.between:
            return windows.between(
                start=asked.between.from_,
                end=asked.between.to,
                zone=zone,
                bucket=bucket,
                now=now,
                fiscal_year_start_month=tenant.fiscal_year_start_month,
            )
        if asked.rolling:
            return windows.rolling(
                count=asked.rolling.count,
                unit=asked.rolling.unit,
                zone=zone,
                bucket=bucket,
                now=now,
                fiscal_year_start_month=tenant.fiscal_year_start_month,
            )
    except WindowError as error:
        raise ApiError(f"{error.argument}: {error}", extensions={"argument": error.argument}) from None
    raise ApiError("window: give one of rolling and between.")
