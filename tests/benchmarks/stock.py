"""strawberry's own view before the product's own schema: what the door is measured against.

It has the caller and the transaction of a request, for no question could be answered without; no limits, no points, no
masking, no rules of HTTP.
"""

from datetime import UTC, datetime
from typing import Any

import strawberry
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from strawberry.django.views import GraphQLView
from strawberry.schema.config import StrawberryConfig

from config.schema import Mutation, Query
from config.urls import urlpatterns as doors
from tasks_app.graphql.asking import Asking, caller_of
from tasks_app.http.scalars import SCALARS
from tasks_app.tenancy import entered


class StockView(GraphQLView[Any, Any]):
    """As it comes."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The answer, inside the caller's transaction."""
        now = datetime.now(UTC)  # noqa: TID251 - this is the edge
        caller = caller_of(request, now=now)
        with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, read_only=True):
            self.asking = Asking(caller=caller, now=now)
            return super().dispatch(request, *args, **kwargs)

    def get_context(self, request: HttpRequest, response: HttpResponse) -> Any:
        """What resolvers get."""
        return self.asking


schema = strawberry.Schema(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=SCALARS))
urlpatterns = [*doors, path("stock", csrf_exempt(StockView.as_view(schema=schema, graphql_ide=None)))]
