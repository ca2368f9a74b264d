"""Documents of flow, the queries that ship with it: a file each, and what their parameters mean."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from analytics.engine.documents.document import Document, read_document
from analytics.engine.documents.tables import Data, Table

FOLDER: Final = Path(__file__).parent
MEANINGS: Final[Mapping[str, str]] = {
    "mode": "CUMULATIVE or OCCUPANCY.",
    "clip": "CLIP or FULL: the part of a visit inside the window, or the whole of each visit that ends in it.",
    "policy": "FIRST_START_LAST_FINISH, LAST_START_LAST_FINISH, SUM_OF_EPISODES or ERASE_BACKFLOW.",
    "start": "The slug of the state that starts the clock; left out: the category IN_PROGRESS does.",
    "finish": "The slug of the state that stops the clock; left out: the category DONE does.",
    "calendar": "ELAPSED or WORKING: all of the time, or what is on Mondays to Fridays.",
    "reopenWithinDays": "Days within which a return counts as a reopening.",
    "items": "When will so many items be done? Give this or `until`.",
    "until": "How many items will be done by the end of that date?",
    "trials": "How often the future is drawn.",
    "seed": "The seed of the draws; the answer names the one that it used.",
    "metric": "The number to explain, such as WORK_IN_PROGRESS, ARRIVALS, FINISHED or VISITS: a FlowMetric of the schema.",
    "bucketStart": "The start of one bucket, as `window.starts` of the chart has it; left out: the whole window.",
    "state": "The slug of the state that the number is of, or to which items went.",
    "fromState": "The slug of the state from which items went.",
    "check": "The code of a check of data-quality.",
    "validator": "The id of an actor: of the validations by this one.",
    "task": "The key of a task.",
    "kinds": "Kinds of change, such as MOVED; several with commas.",
    "correlationId": "All changes of one operation.",
}
# Columns of tables: a state by its slug and its name, and an item of a duration.
STATE: Final = ("state.slug", "state.name")
POINTS: Final = ("taskKey", "startedAt", "finishedAt", "seconds", "days", "episodes", "flags")


def shipped(name: str, *, table: Callable[[Data], Table]) -> Document:
    """The document of that name, and its table for CSV."""
    return read_document(FOLDER / f"{name}.graphql", table=table, meanings=MEANINGS)
