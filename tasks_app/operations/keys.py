"""API keys: `fl_<tenant>_<30 random letters and digits><checksum>`.

The tenant's number is in the key, so that a key is looked up inside its tenant, behind row level security. The checksum
tells a mistyped key, or any other text, from one that may exist, without asking the database.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from collections.abc import Sequence
from datetime import datetime

from tasks_app.models import Actor, ActorKind, ApiKey, Membership, Scope, User
from tasks_app.refusals import Refused, not_found

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
SHOWN_LENGTH = 6


def create_api_key(
    *,
    tenant_id: int,
    name: str,
    scopes: Sequence[str],
    owner: User | None,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """The key's row and its secret, which nobody can read again. Without an owner it is a service key of the tenant."""
    wanted = [Scope(scope) for scope in _known(scopes)]
    if not name.strip():
        raise Refused("A key needs a name, so that people know what it is for.")
    if expires_at is not None and expires_at <= now:
        raise Refused("The key would have expired already: give an instant in the future.")
    if owner is not None and not Membership.objects.filter(tenant_id=tenant_id, user=owner).exists():
        raise not_found(what="member", name=owner.email)
    secret = new_secret(tenant_id=tenant_id)
    key = ApiKey.objects.create(
        tenant_id=tenant_id,
        name=name,
        prefix=prefix_of(secret),
        sha256=digest_of(secret),
        scopes=sorted(wanted),
        owner=owner,
        expires_at=expires_at,
    )
    Actor.objects.create(tenant_id=tenant_id, kind=ActorKind.API_KEY, name=name, api_key=key)
    return key, secret


def _known(scopes: Sequence[str]) -> list[str]:
    if not scopes:
        raise Refused(f"A key needs at least one scope; the scopes are {', '.join(Scope.values)}.")
    for scope in scopes:
        if scope not in Scope.values:
            raise Refused(f"There is no scope {scope!r}; the scopes are {', '.join(Scope.values)}.")
    return sorted(set(scopes))


def new_secret(*, tenant_id: int) -> str:
    """A fresh secret: 178 random bits, so a plain SHA-256 is enough to keep it."""
    body = f"fl_{_base62(tenant_id)}_" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return body + _checksum(body)


def tenant_of(secret: str) -> int | None:
    """The tenant that the key says it is of; None for a text that cannot be a key."""
    parts = secret.split("_")
    if len(parts) != 3 or parts[0] != "fl" or not secret.isascii() or not 1 <= len(parts[1]) <= 10:
        return None
    body, checksum = secret[:-CHECKSUM_LENGTH], secret[-CHECKSUM_LENGTH:]
    if len(parts[2]) != RANDOM_LENGTH + CHECKSUM_LENGTH or not hmac.compare_digest(_checksum(body), checksum):
        return None
    return _from_base62(parts[1])


def prefix_of(secret: str) -> str:
    """The part that is kept and shown: it finds the key and says nothing of the rest."""
    tenant, body = secret.split("_")[1:]
    return f"fl_{tenant}_{body[:SHOWN_LENGTH]}"


def digest_of(secret: str) -> bytes:
    """What is kept of the secret."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode())).rjust(CHECKSUM_LENGTH, "0")


def _base62(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
        if number == 0:
            return digits


def _from_base62(text: str) -> int | None:
    number = 0
    for letter in text:
        place = ALPHABET.find(letter)
        if place < 0:
            return None
        number = number * 62 + place
    return number if number < 2**63 else None
