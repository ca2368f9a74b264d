"""Mutations that a client names: sent again within 24 hours they answer the same, and do nothing."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from tasks_app.refusals import Refused

KEPT_FOR = timedelta(hours=24)
LONGEST_ID = 200
PATH = ("input", "clientMutationId")

# What a mutation did, by keys and numbers, never people's words: every payload is made of it.
Outcome = dict[str, Any]

# A twin that runs at the same time waits here for the first to commit, then gets no row; a refused one leaves none.
CLAIM = """/* idempotency.claim */
INSERT INTO client_mutation (tenant_id, actor_id, client_mutation_id, fingerprint, outcome, created_at)
VALUES (%(tenant_id)s, %(actor_id)s, %(name)s, %(fingerprint)s, 'null', %(now)s)
    ON CONFLICT (tenant_id, actor_id, client_mutation_id) DO UPDATE
   SET fingerprint = excluded.fingerprint, outcome = excluded.outcome, created_at = excluded.created_at
 WHERE client_mutation.created_at <= %(expired)s
RETURNING id
"""

RECALL = """/* idempotency.recall */
SELECT fingerprint, outcome::text FROM client_mutation
 WHERE tenant_id = %(tenant_id)s AND actor_id = %(actor_id)s AND client_mutation_id = %(name)s
"""

KEEP = """/* idempotency.keep */
UPDATE client_mutation SET outcome = %(outcome)s::jsonb
 WHERE tenant_id = %(tenant_id)s AND actor_id = %(actor_id)s AND client_mutation_id = %(name)s
"""


@dataclass(frozen=True, kw_only=True)
class NamedMutation:
    """One mutation by its client's name for it. `content` is everything that it was asked to do."""

    tenant_id: int
    actor_id: int
    name: str
    content: Mapping[str, Any]

    @property
    def fingerprint(self) -> bytes:
        """Tells another mutation, or another input, under the same name."""
        text = json.dumps(self.content, sort_keys=True, default=str, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()

    @property
    def key(self) -> dict[str, Any]:
        """What finds its row."""
        return {"tenant_id": self.tenant_id, "actor_id": self.actor_id, "name": self.name}


def once(mutation: NamedMutation, *, do: Callable[[], Outcome], now: datetime) -> Outcome:
    """What `do` answers; when the mutation was done within 24 hours, what it answered then, without doing it again.

    Runs in the mutation's transaction: if that is rolled back, the mutation was never done. Refused when the name was
    used for something else.
    """
    if not 1 <= len(mutation.name) <= LONGEST_ID:
        raise Refused(f"clientMutationId must have 1 to {LONGEST_ID} characters.", path=PATH)
    claim = {**mutation.key, "fingerprint": mutation.fingerprint, "now": now, "expired": now - KEPT_FOR}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, claim)
        if cursor.fetchone() is None:
            return _recalled(mutation)
        outcome = do()
        cursor.execute(KEEP, {**mutation.key, "outcome": json.dumps(outcome)})
    return outcome


def _recalled(mutation: NamedMutation) -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute(RECALL, mutation.key)
        fingerprint, outcome = cursor.fetchone()
    if bytes(fingerprint) != mutation.fingerprint:
        raise Refused(
            f"clientMutationId {mutation.name!r} was used for another mutation or input: give each its own.", path=PATH
        )
    recalled: Outcome = json.loads(outcome)
    return recalled
