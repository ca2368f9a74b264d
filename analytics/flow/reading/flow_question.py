"""Question of a flow reading: whose board or which person's, over which window, of which items, by which definitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analytics.engine.reading.questions import WindowQuestion
from analytics.pure import windows
from analytics.pure.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowQuestion:
    """One window of one project, or with `whole_tenant` of all of them.

    With `assignee_id` the board is what that actor holds. With `actor_id` the flows are that actor's changes; stocks are
    null then, for a person's changes hold no items. With `filters`, values of analytics.flow.replay.tasks.CONDITIONS, it
    is of the items that meet them at the window's end, or with `filters_as_of_now` by all that has happened since, with
    their whole past; discarded ones are then in no state. With `as_defined_now` the states are as they are defined last.
    """

    tenant_id: int
    window: Window
    now: datetime
    whole_tenant: bool = False
    as_defined_now: bool = False
    assignee_id: int | None = None
    actor_id: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    filters_as_of_now: bool = False

    @property
    def holds_items(self) -> bool:
        """Whether items can be counted: an actor's changes hold none."""
        return self.actor_id is None


def flow_question(asked: WindowQuestion, *, window: Window) -> FlowQuestion:
    """What was asked, over its window with the buckets cut."""
    return FlowQuestion(
        tenant_id=asked.tenant_id,
        window=window,
        now=asked.now,
        whole_tenant=asked.project_id is None,
        as_defined_now=asked.as_defined_now,
        assignee_id=asked.assignee_id,
        actor_id=asked.actor_id,
        filters=asked.filters or {},
        filters_as_of_now=asked.filters_as_of_now,
    )


def window_of(asked: WindowQuestion) -> Window:
    """Its window, cut again as it was when it was asked; WindowError where that makes no sense any more."""
    return windows.between(
        start=asked.start,
        end=asked.end,
        zone=asked.zone,
        bucket=windows.Bucket(asked.bucket),
        now=asked.now,
        fiscal_year_start_month=asked.fiscal_year_start_month,
    )
