"""Catalogue of the documents that ship with the product: those of the wings, and the one about jobs."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from analytics.engine.documents.document import Document, read_document
from analytics.engine.documents.tables import Data, Table, table_by_row
from analytics.engine.wing import Wing
from analytics.engine.wings import wings
from analytics.graphql.documents.parameters import meaning, parameter_names

JOB = ("state", "progress", "submittedAt", "finishedAt", "expiresAt", "retryAfterMs", "estimatedCost", "actualCost")


def _job(data: Data) -> Table:
    return table_by_row([data["analyticsJob"]] if data["analyticsJob"] else [], (*JOB, "error.code"))


OWN = (
    read_document(Path(__file__).with_name("job.graphql"), table=_job, meanings={"id": "The id of a job of yours."}),
)


def documents_of(found: Sequence[Wing]) -> dict[str, Document]:
    """The documents of these wings and our own, by name.

    ValueError for a name that is there twice, or a parameter that nobody explains.
    """
    every = sorted((*OWN, *(each for wing in found for each in wing.every_document())), key=lambda each: each.name)
    for earlier, later in pairwise(every):
        if earlier.name == later.name:
            raise ValueError(f"There are two documents of the name {later.name!r}; give one of them another name.")
    for document in every:
        for name in parameter_names(document):
            meaning(document, name)
    return {each.name: each for each in every}


DOCUMENTS: Mapping[str, Document] = documents_of(wings())
# What a caller may send as `documentId` in place of a query.
TEXTS_BY_ID: Mapping[str, str] = {document.id: document.text for document in DOCUMENTS.values()}
