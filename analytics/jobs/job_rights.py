"""Rights of a job: who asked for it, as far as its answer depends on them."""

import hashlib
import json
from collections.abc import Sequence

from tasks_app.tenancy import Caller


def rights_of(caller: Caller) -> bytes:
    """A digest of what the caller may see: an answer is shown to whoever asked, while they may see as much."""
    return _digest([caller.actor_id, caller.user_id, caller.role, sorted(caller.scopes)])


def fingerprint_of(*, caller: Caller, document: str, variables: str, place: Sequence[int | str]) -> bytes:
    """Names a question: asker, canonical document and variables, how much is recorded, and how it is answered."""
    return _digest([rights_of(caller).hex(), document, variables, place])


def _digest(content: object) -> bytes:
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).digest()
