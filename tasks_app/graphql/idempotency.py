"""Idempotency of mutations that a client names: sent again within 24 hours they answer the same, and do nothing.

By `clientMutationId` one mutation is named, and its outcome kept; by the header Idempotency-Key a whole request, and its
answer. Either way what is kept is committed with the effect.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

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


# A request of the same name that is still running holds its row: that is answered at once, not waited for.
CLAIM_REQUEST = """/* idempotency.claim_request */
INSERT INTO kept_response (tenant_id, actor_id, name, fingerprint, body, created_at)
VALUES (%(tenant_id)s, %(actor_id)s, %(name)s, %(fingerprint)s, '', %(now)s)
    ON CONFLICT (tenant_id, actor_id, name) DO UPDATE
   SET fingerprint = excluded.fingerprint, body = excluded.body, created_at = excluded.created_at
 WHERE kept_response.created_at <= %(expired)s
RETURNING id
"""
LOCK_BRIEFLY = "/* idempotency.lock_briefly */ SET LOCAL lock_timeout = '50ms'"
LOCK_AS_BEFORE = "/* idempotency.lock_as_before */ SET LOCAL lock_timeout = 0"

RECALL_RESPONSE = """/* idempotency.recall_response */
SELECT fingerprint, body FROM kept_response
 WHERE tenant_id = %(tenant_id)s AND actor_id = %(actor_id)s AND name = %(name)s
"""

KEEP_RESPONSE = """/* idempotency.keep_response */
UPDATE kept_response SET body = %(body)s
 WHERE tenant_id = %(tenant_id)s AND actor_id = %(actor_id)s AND name = %(name)s
"""

FORGET_MUTATIONS = """/* idempotency.forget_mutations */
DELETE FROM client_mutation WHERE tenant_id = %(tenant_id)s AND created_at <= %(expired)s
"""
FORGET_RESPONSES = """/* idempotency.forget_responses */
DELETE FROM kept_response WHERE tenant_id = %(tenant_id)s AND created_at <= %(expired)s
"""


class InFlight(Refused):
    """The request of that name is running."""


class NameUsed(Refused):
    """The name was given to another request."""


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


@dataclass(frozen=True, kw_only=True)
class NamedRequest:
    """One request by the Idempotency-Key of its caller. `fingerprint` tells another request under the same name."""

    tenant_id: int
    actor_id: int
    name: str
    fingerprint: bytes

    def recall(self, *, now: datetime) -> str | None:
        """The body that was answered within 24 hours; None when the request is new, which makes the name its own.

        InFlight while the first one runs, NameUsed when it was another. Runs in the request's transaction.
        """
        claim = {**self._key, "fingerprint": self.fingerprint, "now": now, "expired": now - KEPT_FOR}
        with connection.cursor() as cursor:
            cursor.execute(LOCK_BRIEFLY)
            try:
                cursor.execute(CLAIM_REQUEST, claim)
            except OperationalError as error:
                if isinstance(error.__cause__, LockNotAvailable):
                    raise InFlight("Idempotency-Key: the request of that name is still running; try again.") from None
                raise
            claimed = cursor.fetchone() is not None
            cursor.execute(LOCK_AS_BEFORE)
            return None if claimed else self._body()

    def keep(self, body: str) -> None:
        """Keeps the answer. Only for one without errors: what failed may be tried again under its name."""
        with connection.cursor() as cursor:
            cursor.execute(KEEP_RESPONSE, {**self._key, "body": body})

    def _body(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(RECALL_RESPONSE, self._key)
            fingerprint, body = cursor.fetchone()
        if bytes(fingerprint) != self.fingerprint:
            raise NameUsed("Idempotency-Key: this name was used for another request; give each its own.")
        return str(body)

    @property
    def _key(self) -> dict[str, Any]:
        return {"tenant_id": self.tenant_id, "actor_id": self.actor_id, "name": self.name}


def sweep(*, tenant_id: int, now: datetime) -> int:
    """Forgets what is older than 24 hours, and says how many rows that were. Runs in the tenant's transaction."""
    gone = 0
    with connection.cursor() as cursor:
        for statement in (FORGET_MUTATIONS, FORGET_RESPONSES):
            cursor.execute(statement, {"tenant_id": tenant_id, "expired": now - KEPT_FOR})
            gone += cursor.rowcount
    return gone


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
