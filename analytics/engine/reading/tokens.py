"""Token of a receipt: what was asked and what could be seen, signed, so that the answer can be given again."""

from dataclasses import dataclass
from typing import Final

from django.core import signing

from analytics.engine.reading.questions import Question, as_plain, from_plain
from analytics.pure.zones import tzdata_version
from tasks_app.refusals import Refused

SALT: Final = "analytics.receipt"
LONGEST: Final = 4096
EXACTLY: Final = "send `receipt.token` exactly as it was answered."
UNKNOWN: Final = f"receipt: this is no receipt's token of this tenant; {EXACTLY}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An answer's question, the snapshot that it was counted in, by which definitions and zones, and its digest.

    `lags`: it was counted from rollups that had not folded all that the snapshot shows.
    """

    question: Question
    snapshot: str
    metric_version: str
    tzdata: str
    digest: str
    lags: bool = False


def token_of(proof: Proof) -> str:
    """The token. The same proof has the same token."""
    content = {
        "question": as_plain(proof.question),
        "snapshot": proof.snapshot,
        "metric_version": proof.metric_version,
        "tzdata": proof.tzdata,
        "digest": proof.digest,
        "lags": proof.lags,
    }
    return signing.Signer(salt=SALT).sign_object(content, compress=True)


def proof_of(token: str, *, tenant_id: int) -> Proof:
    """The proof that the token was made of. Refused where it is not ours or not this tenant's, in the same words."""
    if len(token) > LONGEST:
        raise Refused(f"receipt: a token has at most {LONGEST:,} characters and this has {len(token):,}; {EXACTLY}")
    try:
        content = signing.Signer(salt=SALT).unsign_object(token)
    # Not ASCII, or no token at all: what is not signed is not looked into.
    except (signing.BadSignature, UnicodeEncodeError):
        raise Refused(UNKNOWN) from None
    question = from_plain(content.pop("question"))
    if question.tenant_id != tenant_id:
        raise Refused(UNKNOWN)
    return Proof(question=question, **content)


def check_can_be_replayed(proof: Proof, *, metric_version: str) -> None:
    """Refused where the answer would not be the same: other zones or definitions, or rollups that lagged."""
    if proof.tzdata != tzdata_version():
        raise Refused(
            f"receipt: the answer was cut by the zones of tzdata {proof.tzdata} and this server has {tzdata_version()};"
            " ask anew, or on a server with that version."
        )
    if proof.metric_version != metric_version:
        raise Refused(
            f"receipt: the answer follows the definitions {proof.metric_version} and this server has {metric_version};"
            " ask anew."
        )
    if proof.lags:
        raise Refused(
            "receipt: the answer was read from rollups alone while facts were waiting to be folded, and nothing says"
            " which; ask with readFrom MERGED for one that can be replayed."
        )
