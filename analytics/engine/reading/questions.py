"""Questions as values: enough to ask one again, later and elsewhere."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics.engine.families import families

# The argument of figures that judge what is in the window by what follows it.
DAYS_BEYOND = "reopenWithinDays"
# A figure by its label: its name, and the arguments that its field was given.
Figures = Mapping[str, tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuestion:
    """Figures over one window. `project_id` None: of the whole tenant. `known_at` None: as known when it was asked.

    `families` are those that the figures are counted from, by name; `capability` is the switch from an older system's
    answers to this one (None: there is none). `filters` and `filters_as_of_now` are those of the wing's own question.
    """

    tenant_id: int
    families: tuple[str, ...]
    capability: str | None
    project_id: int | None
    start: datetime
    end: datetime
    bucket: str
    zone: str
    fiscal_year_start_month: int
    now: datetime
    known_at: datetime | None
    as_defined_now: bool
    assignee_id: int | None
    actor_id: int | None
    figures: Figures
    filters: Mapping[str, Any] | None = None
    filters_as_of_now: bool = False

    @property
    def looks_until(self) -> datetime:
        """From then on time alone changes nothing: some figures look for what followed, that many days beyond the end."""
        days = (arguments.get(DAYS_BEYOND, 0) for _, arguments in self.figures.values())
        return self.end + timedelta(days=max(days, default=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardQuestion:
    """One project's board. `at` None: as it was when it was asked for. `families`, `capability`: see WindowQuestion."""

    tenant_id: int
    families: tuple[str, ...]
    capability: str | None
    project_id: int
    at: datetime | None
    now: datetime
    known_at: datetime | None


Question = WindowQuestion | BoardQuestion
INSTANTS = ("start", "end", "at", "now", "known_at")
INSTANTS_OF_FILTERS = ("was_ever_from", "was_ever_to", "held_since")


def label(name: str, arguments: Mapping[str, Any]) -> str:
    """What a figure is called in an answer: an alias or the order of arguments changes nothing."""
    given = {key: value for key, value in arguments.items() if value is not None}
    return name + "".join(f" {key}={given[key]}" for key in sorted(given))


def as_plain(question: Question) -> dict[str, Any]:
    """The question in strings, numbers and lists; instants to the microsecond."""
    plain = {**asdict(question), "families": list(question.families)}
    for name in INSTANTS:
        if plain.get(name):
            plain[name] = plain[name].isoformat()
    if isinstance(question, WindowQuestion):
        plain["filters"] = question.filters and {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in question.filters.items()
        }
        plain["figures"] = [[name, dict(arguments)] for name, arguments in question.figures.values()]
    return plain


def from_plain(plain: Mapping[str, Any]) -> Question:
    """The question that `as_plain` was given."""
    plain = {**_of_unnamed(plain), **plain}
    found: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name in INSTANTS and value else value for name, value in plain.items()
    }
    found["families"] = tuple(found["families"])
    if "figures" not in found:
        return BoardQuestion(**found)
    if found.get("filters"):
        found["filters"] = {
            name: datetime.fromisoformat(value) if name in INSTANTS_OF_FILTERS and value else value
            for name, value in found["filters"].items()
        }
    figures = {label(name, arguments): (name, arguments) for name, arguments in found.pop("figures")}
    return WindowQuestion(**found, figures=figures)


def _of_unnamed(plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a question says that was asked before questions carried their families: they were of one, which says so."""
    if "families" in plain:
        return {}
    family = next(each for each in families() if each.had_unnamed_receipts)
    return {"families": [family.name], "capability": family.capability}
