"""Receipt of an answer, as the API shows it."""

from dataclasses import field
from datetime import datetime

import strawberry
from django.conf import settings

from analytics.engine.reading import read_from, receipts
from analytics.engine.reading.ledger_position import Position, oldest_in_tail
from analytics.engine.reading.questions import Question
from analytics.engine.reading.switches import Switch, switch_of
from analytics.pure import stages
from tasks_app.graphql.asking import Asking, Info

Stage = strawberry.enum(
    stages.Stage,
    name="Stage",
    description="How far the switch is. SHADOW: the older side answers, ours is compared. LIVE_WITH_SHADOW, RAMPDOWN: ours"
    " answers the tenants within the percentage, and is still compared. COMPLETE: ours answers, and there is no way back.",
)
ReadFrom = strawberry.enum(
    read_from.ReadFrom,
    name="ReadFrom",
    description="RAW: the ledger. ROLLUP: rollups alone, which may lag. MERGED: rollups and the live tail.",
)
FreshnessStatus = strawberry.enum(
    receipts.FreshnessStatus,
    name="FreshnessStatus",
    description="STALE: the age is above the threshold. IDLE: fresh, and nothing was recorded for a day before."
    " UNKNOWN: nothing ever was. Else FRESH; a last change that is long ago makes nothing stale.",
)
AnsweredBy = strawberry.enum(
    receipts.AnsweredBy,
    name="AnsweredBy",
    description="CANONICAL: the answer is counted from the record, as the receipt says. LEGACY: by what came before.",
)


@strawberry.type(description="How far what the answer was read from lags behind what it is to show.")
class Freshness:
    status: FreshnessStatus = strawberry.field(description="What the age means.")  # type: ignore[valid-type]
    age_seconds: float = strawberry.field(description="From dataAsOf to knownAt; 0 where nothing waits to be folded.")
    threshold_seconds: float = strawberry.field(description="An age above this is STALE.")


@strawberry.type(description="Proof of an answer: enough to give it again to the same bytes.")
class Receipt:
    metric_version: str = strawberry.field(description="The definitions that were used.")
    read_from: ReadFrom = strawberry.field(description="Where the figures were read from.")  # type: ignore[valid-type]
    note: str | None = strawberry.field(description="Why they were not read from where they were asked for; else null.")
    cached: bool = strawberry.field(description="Whether they were kept from an earlier answer to the same question.")
    ledger_position: str = strawberry.field(
        description="Opaque: names exactly the ledger rows that this answer could see."
    )
    tail_rows: int = strawberry.field(description="Facts read that no rollup had folded yet.")
    raw_rows: int = strawberry.field(description="Ledger rows read at all.")
    known_at: datetime = strawberry.field(description="The figures are what was known at this instant, UTC.")
    settled: bool = strawberry.field(
        description="Whether no transaction can still add what was recorded up to knownAt. False where that is not sure."
    )
    data_as_of: datetime = strawberry.field(
        description="Everything recorded before this instant is in the figures, UTC."
    )
    freshness: Freshness = strawberry.field(description="How old that is.")
    timezone: str = strawberry.field(description="The zone of the window's buckets.")
    tzdata: str = strawberry.field(description="The version of the zone database.")
    digest: str = strawberry.field(
        description="SHA-256 of the figures asked for, each whole with its arguments, in canonical form (RFC 8785):"
        " the same facts and figures give the same digest, wherever they were read from."
    )
    token: str = strawberry.field(description="Give it to `replayReceipt` for the canonical answer again.")
    answered_by: AnsweredBy = strawberry.field(description="Which engine answered.")  # type: ignore[valid-type]
    tenant_id: strawberry.Private[int]
    capability: strawberry.Private[str | None]
    switches: strawberry.Private[list[Switch]] = field(default_factory=list)

    @strawberry.field(
        description="How far the switch of the answer's capability was when this was asked, for a job, too."
    )
    def stage(self, info: Info) -> Stage:  # type: ignore[valid-type]
        return self._switch(info.context).stage

    @strawberry.field(description="The version of that switch; 0 where it was never changed.")
    def flag_version(self, info: Info) -> int:
        return self._switch(info.context).version

    def _switch(self, asking: Asking) -> Switch:
        """Found out once, and only where it is asked for."""
        if not self.switches:
            found = switch_of(tenant_id=self.tenant_id, capability=self.capability, at=asking.asked_at)
            self.switches.append(found)
        return self.switches[0]


def proven_node(
    *, receipt: receipts.Receipt, question: Question, place: Position, note: str | None = None, cached: bool = False
) -> Receipt:
    """The receipt as the API shows it, proven by where the transaction stands. Rollups alone lack what is in the tail."""
    lacking = [each.family for each in place.of(question.families).families if each.tail_rows]
    lags = receipt.read_from is read_from.ReadFrom.ROLLUP and bool(lacking)
    found = receipts.proven(
        receipt=receipt,
        position=place,
        question=question,
        folded_until=oldest_in_tail(tenant_id=question.tenant_id, families=lacking) if lags else None,
        threshold=settings.FLOWLEDGER_STALE_AFTER,
    )
    return Receipt(
        metric_version=receipt.metric_version,
        read_from=receipt.read_from,
        note=note,
        cached=cached,
        ledger_position=found.ledger_position,
        tail_rows=receipt.tail_rows,
        raw_rows=receipt.raw_rows,
        known_at=receipt.known_at,
        settled=found.settled,
        data_as_of=found.data_as_of,
        freshness=Freshness(
            status=found.freshness.status,
            age_seconds=found.freshness.age.total_seconds(),
            threshold_seconds=found.freshness.threshold.total_seconds(),
        ),
        timezone=receipt.timezone,
        tzdata=receipt.tzdata,
        digest=receipt.digest,
        token=found.token,
        answered_by=receipts.AnsweredBy.CANONICAL,
        tenant_id=question.tenant_id,
        capability=question.capability,
    )
