"""Answer cache: what cannot change is kept, closed windows where all that is recorded has been folded.

The key names the question and the position of the tenant's record. Folds are serial and only add, so as long as the tail
is empty and the counts in the key are the same, the facts and definitions are the same, too. Whatever is recorded, folded,
rebuilt or redefined makes another key, and nothing ever has to be thrown away.

Checks of who may ask come before this: an answer is kept for the question, not for the person.
"""

from collections.abc import Callable
from typing import Final, TypeVar, cast

from django.core.cache import cache

from analytics.engine.reading.ledger_position import Position
from analytics.engine.reading.questions import WindowQuestion, as_plain
from analytics.engine.reading.read_from import ReadFrom
from analytics.pure.canonical import digest
from analytics.pure.zones import tzdata_version

T = TypeVar("T")

# Raised when the values of an answer change their shape: a cache may outlive the program that filled it. They are pickled
# as they are; to take them apart and put them together again took longer than to count some of them.
FORMAT: Final = 2
# Wider answers would crowd out the others.
MOST_BUCKETS: Final = 5_000


def kept(*, key: str | None, compute: Callable[[], T]) -> tuple[T, bool]:
    """The value of that key and whether it was kept from before; else it is computed, and kept. None: never kept."""
    if key is None:
        return compute(), False
    found = cache.get(key)
    if found is not None:
        return cast(T, found), True
    value = compute()
    cache.set(key, value)
    return value, False


def is_over(question: WindowQuestion) -> bool:
    """Whether the answer is the same at any later instant, as long as nothing more is recorded."""
    # A filter looks at titles, which are in no fact.
    return question.looks_until <= question.now and not question.filters


def answer_key(
    *, question: WindowQuestion, position: Position, read_from: ReadFrom, buckets: int, metric_version: str
) -> str | None:
    """Names the question at that position; None where its answer may still change, or is to be counted from the ledger.

    What is folded of other families than the question's makes no difference. `metric_version` are the definitions followed.
    `now` is not in it: a window that is over is the same from then on.
    """
    is_closed = is_over(question) and buckets <= MOST_BUCKETS
    stands = position.of(question.families).families
    is_folded = all(each.is_folded for each in stands)
    if not (is_closed and is_folded and read_from is not ReadFrom.RAW):
        return None
    asked = {name: value for name, value in as_plain(question).items() if name != "now"}
    place = {
        "families": [
            [each.family.name, each.folded_facts, each.generation, each.folded_recorded_at] for each in stands
        ],
        "definitions": position.definitions,
        "lastDefinition": position.last_definition,
    }
    versions = [FORMAT, metric_version, tzdata_version(), read_from.value]
    return f"answer:{question.tenant_id}:{digest([asked, place, versions])}"
