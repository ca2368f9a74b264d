"""Where each door is."""

from functools import partial

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.generic import RedirectView

from analytics.graphql.documents.catalogue import DOCUMENTS, TEXTS_BY_ID
from analytics.graphql.documents.view import DocumentIndexView, DocumentView
from analytics.jobs.lag_metrics import TenantGauges, WorkerGauge, WorkerIsHeard
from analytics.legacy.views import OldView, cfd_of, summary_of
from analytics.switching import switch_flow
from config.schema import schema
from tasks_app.graphql.asking import admit, open_request
from tasks_app.http.view import GraphQLHTTPView
from tasks_app.observing.gauges import LevelGauges, ProcessGauges, QueueGauges
from tasks_app.observing.numbers import MetricsView
from tasks_app.observing.readiness import DatabaseAnswers, MigrationsAreApplied, ReadyView, RolesAreInPlace
from tasks_app.observing.watch import trust
from tasks_app.sessions.views import ConfirmView, PasswordResetView, SessionView

admin.autodiscover()
graphql = GraphQLHTTPView(schema=schema, open_request=open_request, admit=admit, documents=TEXTS_BY_ID)
trust({document.id: document.name for document in DOCUMENTS.values()})
old_view = partial(OldView, open_request=open_request, admit=admit, graphql=graphql, switch=switch_flow)
metrics = MetricsView(collectors=(ProcessGauges(), QueueGauges(), LevelGauges(), TenantGauges(), WorkerGauge()))
ready = ReadyView.as_view(checks=(DatabaseAnswers, MigrationsAreApplied, RolesAreInPlace, WorkerIsHeard))


def live(_: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of the database, so that a slow one gets no process killed."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


urlpatterns = [
    path("", RedirectView.as_view(url="/graphql")),
    path("graphql", graphql),
    path("api/v2/analytics/graphql", graphql),
    path("api/v2/analytics", DocumentIndexView(graphql=graphql, documents=DOCUMENTS)),
    path("api/v2/analytics/<slug:name>", DocumentView(graphql=graphql, documents=DOCUMENTS)),
    path("api/v1/analytics/cfd", old_view(read=cfd_of)),
    path("api/v1/analytics/summary", old_view(read=summary_of)),
    path("api/v2/session", SessionView.as_view()),
    path("api/v2/session/password-reset", PasswordResetView.as_view()),
    path("api/v2/session/password-reset/confirm", ConfirmView.as_view()),
    path("admin/", admin.site.urls),
    path("health/live", live),
    path("health/ready", ready),
    path("metrics", metrics),
]
