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
from datetime import datetime, timedelta

from tasks_app.models import AccessLedger, Actor, ActorKind, ApiKey, FactNote, Membership, Scope, User
from tasks_app.networks import network_of
from tasks_app.refusals import Refused, not_found

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
SHOWN_LENGTH = 6
LONGEST_NAME = 200
MOST_NETWORKS = 100
LONGEST_OVERLAP = timedelta(days=30)
SCOPES = ("input", "scopes")


def create_api_key(
    *,
    tenant_id: int,
    name: str,
    scopes: Sequence[str],
    owner: User | None,
    expires_at: datetime | None,
    allowed_cidrs: Sequence[str] | None = None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """The key's row and its secret, which nobody can read again. Without an owner it is a service key of the tenant.

    `allowed_cidrs` are the networks that it may be used from; None: from everywhere.
    """
    wanted = [Scope(scope) for scope in _known(scopes)]
    if not name.strip():
        raise Refused("A key needs a name, so that people know what it is for.", path=("input", "name"))
    if len(name) > LONGEST_NAME:
        raise Refused(f"The key's name has more than {LONGEST_NAME} characters: shorten it.", path=("input", "name"))
    if expires_at is not None and expires_at <= now:
        raise Refused("The key would have expired already: give an instant in the future.", path=("input", "expiresAt"))
    if owner is not None and not Membership.objects.filter(tenant_id=tenant_id, user=owner).exists():
        raise not_found(what="member", name=owner.email)
    networks = [] if allowed_cidrs is None else _networks(allowed_cidrs)
    return _made(
        ApiKey(
            tenant_id=tenant_id,
            name=name,
            scopes=sorted(wanted),
            owner=owner,
            expires_at=expires_at,
            allowed_cidrs=networks,
        )
    )


def rotate_api_key(
    *,
    tenant_id: int,
    key_id: int | None,
    user_id: int | None,
    scopes: frozenset[str],
    overlap: timedelta,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key with the rights of the old one, and its secret. Until `overlap` is over both work, then the old one ends.

    A key that expires gets a successor that lives as long as it was to live. `user_id` and `scopes` are those of whoever
    asks: a key of another person, or one that may do more, is refused, for its secret would be theirs.
    """
    old = _locked(tenant_id=tenant_id, key_id=key_id)
    _check_lives(old, now=now)
    if old.owner_id is not None and old.owner_id != user_id:
        raise Refused(
            "Only its owner rotates a key that somebody owns, for the new secret acts for the owner: revoke it instead.",
            code="FORBIDDEN",
            path=("input", "id"),
        )
    check_within(old.scopes, held=scopes, path=("input", "id"))
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        most = int(LONGEST_OVERLAP.total_seconds())
        raise Refused(f"overlapSeconds: give 0 to {most:,} seconds.", path=("input", "overlapSeconds"))
    new, secret = _made(
        ApiKey(
            tenant_id=tenant_id,
            name=old.name,
            scopes=old.scopes,
            owner_id=old.owner_id,
            expires_at=_successors_end(old, now=now),
            allowed_cidrs=old.allowed_cidrs,
        )
    )
    ends = now + overlap
    ApiKey.objects.filter(tenant_id=tenant_id, id=old.id).update(
        replaced_by_id=new.id, expires_at=min(old.expires_at, ends) if old.expires_at else ends
    )
    return new, secret


def revoke_api_key(*, tenant_id: int, key_id: int | None, reason: str | None, now: datetime) -> ApiKey:
    """The key, which from now on opens nothing. Refused when it was revoked before. The reason is kept beside the ledger."""
    key = _locked(tenant_id=tenant_id, key_id=key_id)
    if key.revoked_at is not None:
        raise Refused(f"The key was revoked at {key.revoked_at.isoformat()} already.", path=("input", "id"))
    ApiKey.objects.filter(tenant_id=tenant_id, id=key.id).update(revoked_at=now)
    if reason and reason.strip():
        row = AccessLedger.objects.filter(tenant_id=tenant_id, key_id=key.id).latest("seq")
        FactNote.objects.create(tenant_id=tenant_id, seq=row.seq, words=reason)
    key.revoked_at = now
    return key


def check_within(scopes: Sequence[str], *, held: frozenset[str], path: Sequence[str]) -> None:
    """Refused where somebody would give a key what they may not do themselves."""
    beyond = sorted(set(scopes) - held)
    if beyond:
        raise Refused(
            f"You do not have the scope {', '.join(beyond)} yourself, so no key of yours can.",
            code="FORBIDDEN",
            path=path,
        )


def _made(key: ApiKey) -> tuple[ApiKey, str]:
    secret = new_secret(tenant_id=key.tenant_id)
    key.prefix, key.sha256 = prefix_of(secret), digest_of(secret)
    key.save(force_insert=True)
    Actor.objects.create(tenant_id=key.tenant_id, kind=ActorKind.API_KEY, name=key.name, api_key=key)
    return key, secret


def _locked(*, tenant_id: int, key_id: int | None) -> ApiKey:
    """The key's row, which nobody else changes meanwhile. None stands for an id that cannot be one."""
    found = ApiKey.objects.filter(tenant_id=tenant_id, id=key_id).select_for_update().first() if key_id else None
    if found is None:
        raise Refused("There is no such API key.", code="NOT_FOUND", path=("input", "id"))
    return found


def _check_lives(key: ApiKey, *, now: datetime) -> None:
    path = ("input", "id")
    if key.revoked_at is not None:
        raise Refused("The key is revoked: make a new one.", path=path)
    if key.replaced_by_id is not None:
        raise Refused("The key was rotated already: rotate the one that replaced it.", path=path)
    if key.expires_at is not None and key.expires_at <= now:
        raise Refused("The key has expired: make a new one.", path=path)


def _successors_end(old: ApiKey, *, now: datetime) -> datetime | None:
    """As long a life as the old key was given, and never a shorter one than it has left."""
    if old.expires_at is None:
        return None
    return now + max(old.expires_at - old.created_at, old.expires_at - now)


def _networks(cidrs: Sequence[str]) -> list[str]:
    """The networks as they are kept."""
    path = ("input", "allowedCidrs")
    if not 1 <= len(cidrs) <= MOST_NETWORKS:
        raise Refused(f"allowedCidrs: name 1 to {MOST_NETWORKS} networks, or leave it out for everywhere.", path=path)
    found = {text: network_of(text) for text in cidrs}
    wrong = next((text for text, network in found.items() if network is None), None)
    if wrong is not None:
        raise Refused(
            f"allowedCidrs: {wrong[:64]!r} is no network; write it as 10.0.0.0/8 or 2001:db8::/32.", path=path
        )
    return list(dict.fromkeys(str(network) for network in found.values()))


def _known(scopes: Sequence[str]) -> list[str]:
    if not scopes:
        raise Refused(f"A key needs at least one scope; the scopes are {', '.join(Scope.values)}.", path=SCOPES)
    for scope in scopes:
        if scope not in Scope.values:
            raise Refused(f"There is no scope {scope!r}; the scopes are {', '.join(Scope.values)}.", path=SCOPES)
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
