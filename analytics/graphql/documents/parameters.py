"""Parameters of a document: from those of a URL to its variables, and what each means."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from django.http import QueryDict

from analytics.engine.documents.document import Document, Variable
from tasks_app.http.reading import HTTPError

WINDOW = "window"
FORMAT = "format"
# What stands in a URL for the variable of type WindowInput.
WINDOW_NAMES = ("rolling", "from", "to")
UNITS: Mapping[str, str] = {
    "min": "MINUTE",
    "h": "HOUR",
    "d": "DAY",
    "w": "WEEK",
    "mo": "MONTH",
    "q": "QUARTER",
}
ROLLING = re.compile(r"([0-9]{1,9})(min|h|d|w|mo|q)")
BOOLEANS = {"true": True, "false": False}

# Of parameters that any document may have; a document says what its others mean.
MEANINGS: Mapping[str, str] = {
    "rolling": "The window: so many buckets up to now, the running one included: 90min, 24h, 30d, 12w, 6mo or 4q.",
    "from": "The first instant, ISO 8601 with an offset.",
    "to": "The instant before which everything must have happened, ISO 8601 with an offset.",
    "project": "The key of a project; left out: the whole tenant.",
    "assignee": "The id of an actor: of the items that this actor held. Not together with `actor`.",
    "actor": "The id of an actor: of what this actor did.",
    "filter": "A TaskFilter as JSON: of the items for which it holds at the window's end.",
    "bucket": "AUTO, MINUTE, FIVE_MINUTES, HOUR, DAY, WEEK, MONTH or QUARTER.",
    "timezone": "An IANA zone for days and hours; left out: the project's, else the tenant's.",
    "knownAt": "An instant: figures as they were known then; left out: as they are known now.",
    "definitionAsOf": "THEN or NOW: states as they were defined at each instant, or as they are.",
    "readFrom": "MERGED, ROLLUP or RAW: where the figures are read from. They are the same.",
    "first": "Rows on a page, 1 to 500.",
    "after": "The endCursor of the page before.",
    "format": "json or csv; left out: what Accept prefers.",
}


def parameter_names(document: Document) -> list[str]:
    """What a URL of the document may have, in order."""
    found = [
        name for each in document.variables.values() for name in (WINDOW_NAMES if _is_window(each) else (each.name,))
    ]
    return [*found, FORMAT]


def meaning(document: Document, name: str) -> str:
    """What the parameter means; ValueError where nobody says so."""
    found = document.meanings.get(name) or MEANINGS.get(name)
    if found is None:
        raise ValueError(f"The document {document.name!r} does not say what {name!r} means; add it to its meanings.")
    return found


def variables_of(document: Document, query: QueryDict) -> dict[str, Any]:
    """The document's variables as the URL gives them; HTTPError 400 names the parameter that is wrong."""
    known = parameter_names(document)
    for name in query:
        if name not in known:
            _refuse(f"{name}: {document.name} has no such parameter; it has {', '.join(known)}.")
    found = {variable.name: _value(variable, query) for variable in document.variables.values()}
    for variable in document.variables.values():
        if variable.is_required and found[variable.name] is None:
            _refuse(f"{variable.name}: it is missing. {meaning(document, variable.name)}")
    return {name: value for name, value in found.items() if value is not None}


def _is_window(variable: Variable) -> bool:
    return variable.kind == "WindowInput"


def _value(variable: Variable, query: QueryDict) -> Any:
    """None where the URL does not have it."""
    if _is_window(variable):
        return _window(query)
    given = query.getlist(variable.name)
    if not given:
        return None
    if variable.is_list:
        return [_parsed(variable, text.strip()) for text in ",".join(given).split(",")]
    return _parsed(variable, _single(variable.name, given))


def _single(name: str, given: Sequence[str]) -> str:
    if len(given) > 1:
        _refuse(f"{name}: it is there {len(given)} times; give it once.")
    if "\0" in given[0]:
        _refuse(f"{name}: there is a NUL character in it; leave it out.")
    return given[0]


def _parsed(variable: Variable, text: str) -> Any:
    if variable.kind == "Int":
        return _integer(variable.name, text)
    if variable.kind == "Boolean":
        if text not in BOOLEANS:
            _refuse(f"{variable.name}: {text!r} is neither true nor false.")
        return BOOLEANS[text]
    return _object(variable.name, text) if variable.kind.endswith(("Input", "Filter")) else text


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        _refuse(f"{name}: {text[:40]!r} is no whole number.")
    return int(text)


def _object(name: str, text: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _refuse(f'{name}: it must be a JSON object such as {{"states": ["doing"]}}.')
    return found


def _window(query: QueryDict) -> dict[str, Any]:
    given = {name: _single(name, query.getlist(name)) for name in WINDOW_NAMES if name in query}
    if set(given) == {"from", "to"}:
        return {"between": given}
    if set(given) != {"rolling"}:
        _refuse("window: give `rolling`, such as rolling=30d, or both `from` and `to`.")
    matched = ROLLING.fullmatch(given["rolling"])
    if matched is None:
        _refuse(f"rolling: {given['rolling'][:40]!r} is no window; write 90min, 24h, 30d, 12w, 6mo or 4q.")
    return {"rolling": {"count": int(matched[1]), "unit": UNITS[matched[2]]}}


def _refuse(message: str) -> NoReturn:
    raise HTTPError(message, status=400)
