from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.models.signals import post_migrate

if TYPE_CHECKING:
    from analytics.engine.reading.switches import Switch


class AnalyticsConfig(AppConfig):
    """Everything derived from the record; nothing here is a source of truth."""

    name = "analytics"
    verbose_name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analytics.drift.controls import register_at_first_use
        from analytics.engine.reading.switches import register
        from analytics.jobs.schedule import keep_schedules

        post_migrate.connect(keep_schedules, sender=self)
        register_at_first_use(_register_older_sides)
        register(_switch)


def _switch(*, tenant_id: int, capability: str, at: datetime | None) -> "Switch":
    """How a receipt finds out how far a switch is. Only then: it imports the dual run."""
    from analytics.drift.stages import switch

    return switch(tenant_id=tenant_id, capability=capability, at=at)


def _register_older_sides() -> None:
    """What is compared is asked of these, and drilled with these."""
    from analytics.drift.controls import Capability, register
    from analytics.drift.endpoints import EndpointOr
    from analytics.drift.rollback import register_front
    from analytics.legacy.control import CfdControl
    from analytics.switching import FlowFront

    inside = CfdControl()
    flow = EndpointOr(capability=Capability.CUMULATIVE_FLOW, inside=inside, clock=lambda: datetime.now(UTC))  # noqa: TID251
    register(capability=Capability.CUMULATIVE_FLOW, control=flow)
    register_front(capability=Capability.CUMULATIVE_FLOW, front=FlowFront(), older=inside)
