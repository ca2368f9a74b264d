"""What every resolver knows: whose request it is and when it came. The context is made by tasks_app.graphql."""

from datetime import datetime
from typing import Any, Protocol

import strawberry

from tasks_app.tenancy import Caller, TenantFacts


class Asking(Protocol):
    """The part of the request's context that queries use."""

    @property
    def caller(self) -> Caller:
        """Who asks."""

    @property
    def tenant(self) -> TenantFacts:
        """Whose data."""

    @property
    def now(self) -> datetime:
        """The instant of the request: the clock is read once."""


Info = strawberry.Info[Asking, Any]
