"""Dual run as the API shows it: what was compared, and what that proves."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import strawberry
from strawberry import auto
from strawberry.scalars import JSON

from analytics.drift import controls, store
from analytics.drift.arithmetic import parity as proven
from analytics.drift.arithmetic import verdicts
from analytics.drift.report_sentences import Told, told
from analytics.drift.store import Kept
from analytics.engine.graphql.inputs import WindowInput, window_asked
from analytics.graphql.stages import Capability, StageQuery
from analytics.models import DriftComparison
from analytics.pure import windows
from analytics.pure.zones import local_date
from tasks_app.graphql.asking import Info
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.graphql.fields import may
from tasks_app.graphql.record_types import record_type
from tasks_app.http.connections import Connection, PageArgs
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node
from tasks_app.models import Scope

NEWEST_FIRST = Keyset(columns=(Column("id", "desc"),))
MOMENT = timedelta(microseconds=1)

Verdict = strawberry.enum(
    verdicts.Verdict,
    name="Verdict",
    description="WITHIN_TOLERANCE: equal at an instant within the uncertainty of the older cut-off. EXPECTED_DIFFERENCE:"
    " somebody answers for it. LEGACY_ERROR: the older side has no answer, or one that makes no sense. INCONCLUSIVE: nothing"
    " was found out.",
)


@strawberry.type(description="How many comparisons said so.")
class VerdictCount:
    verdict: Verdict = strawberry.field(description="What they said.")  # type: ignore[valid-type]
    count: int = strawberry.field(description="How many.")


@strawberry.type(
    description="What comparisons prove. Our errors count against us, what the older side spoiled is left out."
)
class Parity:
    attempts: int = strawberry.field(description="Comparisons that were made.")
    conclusive: int = strawberry.field(description="Those that prove something: neither INCONCLUSIVE nor LEGACY_ERROR.")
    parity: float | None = strawberry.field(
        description="The good share of the conclusive: MATCH, WITHIN_TOLERANCE, EXPECTED_DIFFERENCE. null: none is."
    )
    lower_bound: float | None = strawberry.field(
        description="With 95 % confidence the good share is no lower (one-sided, Clopper-Pearson)."
    )
    coverage: float = strawberry.field(description="conclusive / attempts; 0 without any attempt.")
    legacy_errors: float = strawberry.field(description="The share of the attempts that the older side spoiled.")
    by_verdict: list[VerdictCount] = strawberry.field(description="Every verdict with its count.")
    worst_stratum: str | None = strawberry.field(
        description="The shape of question of which least is proven; null: nothing is conclusive."
    )


@record_type(
    DriftComparison,
    description="One comparison of an older answer with ours. Kept for 30 days, without anything people wrote.",
)
class Comparison(Node):
    capability: Capability  # type: ignore[valid-type]
    verdict: Verdict  # type: ignore[valid-type]
    reason: str | None = strawberry.field(description="Why, in a sentence; null for a MATCH.")
    compared_at: auto
    legacy_as_of: auto
    ledger_position: str = strawberry.field(
        description="What our answer could see, as its receipt had it; empty where the older side answered."
    )
    computation_drift: JSON = strawberry.field(
        description="Where ours as of the older cut-off differs: a list of {path, kind, ours, theirs}."
    )
    freshness_delta: JSON = strawberry.field(
        description="By element and field, what ours gained since the older cut-off. No fault of anybody."
    )
    noise: JSON | None = strawberry.field(
        description="The elements of which the older side said two things; null where it was asked once."
    )
    signature: str | None = strawberry.field(
        description="Its cause, the same for all comparisons of it; null: no drift."
    )


@strawberry.type(description="One cause of drift: all comparisons in which the same field differs in the same way.")
class DriftSignature:
    name: str = strawberry.field(description="Capability, version of the definition, field, and how it differs.")
    comparisons: int = strawberry.field(description="How many comparisons had it.")
    last_at: datetime = strawberry.field(description="When the last of them was made, UTC.")
    sentence: str = strawberry.field(
        description="What it is, for people: which nights, what the older side did there, by how much it is wrong."
    )


@strawberry.type(description="The dual run of an older system and ours.")
class DualRun(StageQuery):
    @strawberry.field(
        description="What the comparisons of the local days prove that the window touches. Counts are kept for 400 days."
    )
    def parity(self, info: Info, capability: Capability, window: WindowInput) -> Parity:  # type: ignore[valid-type]
        first, last = days_of(info, window)
        found, worst = store.parity(
            tenant_id=info.context.tenant.id, capability=controls.Capability(capability), first=first, last=last
        )
        return parity_node(found, worst)

    @strawberry.field(
        description="The causes of drift in the local days that the window touches, the 50 most frequent ones first."
    )
    def signatures(
        self,
        info: Info,
        capability: Capability,  # type: ignore[valid-type]
        window: WindowInput,
    ) -> list[DriftSignature]:
        causes = told_of(info, controls.Capability(capability), window).causes
        return [
            DriftSignature(name=each.name, comparisons=each.comparisons, last_at=each.last_at, sentence=sentence)
            for each, sentence in causes
        ]

    @strawberry.field(
        description="What else there is to say of those days, a sentence each: nights that the older side slept through,"
        " cut-offs that nobody told, figures that late facts made others since."
    )
    def remarks(self, info: Info, capability: Capability, window: WindowInput) -> list[str]:  # type: ignore[valid-type]
        return list(told_of(info, controls.Capability(capability), window).remarks)

    @connection_field(description="The comparisons, the newest first.")
    def comparisons(
        self,
        info: Info,
        capability: Capability | None = strawberry.UNSET,  # type: ignore[valid-type]
        verdict: Verdict | None = strawberry.UNSET,  # type: ignore[valid-type]
        *,
        page: PageArgs,
    ) -> Connection[Comparison]:
        bounds = page.checked(NEWEST_FIRST)
        tenant_id = info.context.tenant.id
        asked: dict[str, Any] = {"capability": _value(capability), "verdict": _value(verdict)}
        rows = store.page(
            tenant_id=tenant_id,
            most=bounds.fetch,
            below=bounds.after[0] if bounds.after else None,
            above=bounds.before[0] if bounds.before else None,
            oldest_first=bounds.backwards,
            **asked,
        )
        shown = bounds.page(rows, count=lambda: store.count(tenant_id=tenant_id, **asked))
        return shown.connection(node=comparison_node)


def dual_run() -> DualRun:
    """For the caller's tenant."""
    return DualRun()


def load_comparison(info: Info, pk: int) -> Node | None:
    """For `node(id)`."""
    if not may(info.context.caller, Scope.ANALYTICS_READ):
        return None
    found = store.find(tenant_id=info.context.tenant.id, comparison_id=pk)
    return None if found is None else comparison_node(found)


def days_of(info: Info, window: WindowInput) -> tuple[date, date]:
    """The first and the last local day of the tenant that the window touches."""
    tenant = info.context.tenant
    cut = window_asked(
        asked=window, bucket=windows.Bucket.QUARTER, zone=tenant.timezone, tenant=tenant, now=info.context.now
    )
    first = local_date(instant=cut.start, zone_name=tenant.timezone)
    return first, local_date(instant=cut.end - MOMENT, zone_name=tenant.timezone)


def told_of(info: Info, capability: controls.Capability, window: WindowInput) -> Told:
    """What comparisons of those days found, as sentences."""
    tenant = info.context.tenant
    first, last = days_of(info, window)
    return told(tenant_id=tenant.id, zone=tenant.timezone, capability=capability, first=first, last=last)


def parity_node(found: proven.Parity, worst: str | None) -> Parity:
    """As the API shows it."""
    return Parity(
        attempts=found.attempts,
        conclusive=found.conclusive,
        parity=found.parity,
        lower_bound=found.lower_bound,
        coverage=found.coverage,
        legacy_errors=found.legacy_errors,
        by_verdict=[VerdictCount(verdict=verdict, count=count) for verdict, count in found.by_verdict.items()],
        worst_stratum=worst,
    )


def comparison_node(kept: Kept) -> Comparison:
    """As the API shows it."""
    detail: Mapping[str, Any] = kept.detail
    return Comparison(
        pk=kept.id,
        capability=controls.Capability(kept.capability),
        verdict=verdicts.Verdict(kept.verdict),
        reason=kept.reason or None,
        compared_at=kept.compared_at,
        legacy_as_of=kept.legacy_as_of,
        ledger_position=kept.position,
        computation_drift=detail.get("computation", []),
        freshness_delta=detail.get("freshness", {}),
        noise=detail.get("noise"),
        signature=kept.signature or None,
    )


def _value(given: Any) -> str | None:
    return given.value if given else None
