"""Data quality, as the API shows it."""

import strawberry

from analytics.engine.figure import Unit
from analytics.engine.graphql.figures import counts
from analytics.flow.reading.quality import DataQuality as Quality


@strawberry.type(description="One check of the facts of the window.")
class QualityCheck:
    code: str = strawberry.field(description="What was looked for, in capitals.")
    title: str = strawberry.field(description="The same in words.")
    failures: int = strawberry.field(description="How often it was found, exactly.")
    task_keys: list[str] = strawberry.field(description="The items in which it was found; the first 100 of them.")


@strawberry.type(description="How far the record can be trusted.")
class DataQuality:
    score: float = strawberry.field(
        description="The share of the items with a fact in the window in which no check fails, from 0 to 1; 1 without"
        " items.",
        metadata=counts(Unit.SHARE),
    )
    checks: list[QualityCheck] = strawberry.field(
        description="Each check with how often it fails, in the order of the definitions; states are as definitionAsOf"
        " says.",
        metadata=counts(Unit.EVENTS),
    )


def quality_node(found: Quality) -> DataQuality:
    """The checks as the API shows them."""
    return DataQuality(
        score=found.score,
        checks=[
            QualityCheck(
                code=each.code,
                title=each.title,
                failures=each.failures,
                task_keys=[item.key for item in each.items],
            )
            for each in found.checks
        ],
    )
