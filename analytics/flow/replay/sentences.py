"""Sentences of ledger rows: "Ada moved VINST-12 from In Progress to Done"."""

from collections.abc import Mapping, Sequence
from string import Template

# By kind. A row whose place in the order made it another than its kind says (late facts do that) is told as what it
# turned out to be.
ARRIVED = Template("$who created $what in $to")
SENTENCES: Mapping[str, Template] = {
    "CREATED": Template("$who reported $what in $to, after $old"),
    "MOVED": Template("$who moved $what from $old to $to"),
    "TRANSFERRED": Template("$who transferred $what from $old to $to in $project"),
    "DISCARDED": Template("$who discarded $what, which was in $old"),
    "RESTORED": Template("$who restored $what to $to"),
    "VALIDATED": Template("$who validated $what in $to"),
    "STAYED": Template("$who reported that $what was still in $to"),
}


def of_state(*, kind: str, who: str, what: str, old: str | None, new: str | None, project: str) -> str:
    """The sentence of a row that is about states; `old` and `new` are names, None for off the board."""
    values = {"who": who, "what": what, "old": old or "nowhere", "to": new or "nowhere", "project": project}
    if kind in ("CREATED", "MOVED", "TRANSFERRED") and old is None:
        return ARRIVED.substitute(values)
    if kind in ("CREATED", "MOVED") and old == new:
        return SENTENCES["STAYED"].substitute(values)
    return SENTENCES[kind].substitute(values)


def of_assignee(*, who: str, what: str, old: str | None, new: str | None) -> str:
    """Who got a task, or lost it."""
    if new is None:
        return f"{who} took {what} from {old}" if old else f"{who} left {what} to nobody"
    return f"{who} assigned {what} to {new}" + (f", before {old}" if old else "")


def of_title(*, who: str, what: str, old: str | None, new: str | None) -> str:
    """A rename; erased words are told as such."""
    return f"{who} renamed {what} from {_quoted(old)} to {_quoted(new)}"


def of_definition(*, who: str, what: str, changes: Sequence[tuple[str, str | None, str]], first: bool) -> str:
    """A definition: what was defined, or which fields changed."""
    if first:
        return f"{who} defined {what}"
    told = ", ".join(f"{field} from {_quoted(old)} to {_quoted(new)}" for field, old, new in changes)
    return f"{who} changed {what}: {told}" if told else f"{who} recorded that {what} was so from earlier on"


def _quoted(text: str | None) -> str:
    return "words that were erased" if text is None else f"“{text}”"
