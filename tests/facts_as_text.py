"""Facts as a text table: a history to be read at a glance, and a counter-example to be pasted into a test.

    project WEB zone=Europe/Stockholm since=2026-03-01T00:00
    states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
    facts
    # happened         recorded           item   what
    2026-03-01 09:00   -                  WEB-1  created Todo
    2026-03-02 10:00   2026-03-05 08:00   WEB-1  moved Doing        # a late fact
    2026-03-03 10:00   -                  WEB-1  assigned Ada by Grace
    define  2026-03-04 00:00  rename Doing -> Building

Instants are UTC. `-` means recorded at once; facts are recorded by their recording instants, then line by line.

What can happen: `created S`, `moved S`, `transferred PROJECT:S`, `restored S`, `discarded`, `validated`,
`assigned NAME`, `renamed "new title"`; `by NAME` at the end says who. S is a slug or a name, with its project in
front (`OPS:Todo`) unless that is the project of the item's key, or else the first project.

A state is `Name:category`, with `:waiting`, `:needs_validation`, `:archived` as wanted, and `Name@slug:category`
where the slug is not the name's own. A project without `since` is recorded since the table's first instant.

`define [PROJECT] happened [recorded]` takes `rename A -> B`, `recategorise A category`, `add A:category after B`,
`archive A`, `reorder A,B,C` (an archived state follows the one it stood behind), or `states ...` with the new list.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tests.oracle.facts import ARRIVING_KINDS, Category, Fact, History, Kind, Project, StateDefinition, Workflow

States = tuple[StateDefinition, ...]
FLAGS = ("waiting", "needs_validation", "archived")


class FactsError(ValueError):
    """The table cannot be read; the sentence names the line."""


@dataclass(frozen=True)
class _Line:
    """A fact or a definition as it stands in the table, its words not yet understood."""

    number: int
    happened_at: datetime
    recorded_at: datetime
    words: list[str]


@dataclass
class _Draft:
    """A project while its part of the table is read."""

    zone: str = "UTC"
    since: datetime | None = None
    states: list[str] = field(default_factory=list)
    defines: list[_Line] = field(default_factory=list)


@dataclass
class _Table:
    projects: dict[str, _Draft] = field(default_factory=dict)
    facts: list[_Line] = field(default_factory=list)


def parse(text: str) -> History:
    """The history that the table tells. FactsError names the first line that cannot be read."""
    table = _Table()
    for number, line in enumerate(text.splitlines(), start=1):
        with _reading_line(number):
            _read(table, number, shlex.split(line, comments=True))
    dawn = _dawn(table)
    projects = tuple(_project(key, draft, dawn) for key, draft in table.projects.items())
    in_order = sorted(table.facts, key=lambda line: line.recorded_at)
    facts = tuple(_fact(projects, line, seq) for seq, line in enumerate(in_order, start=1))
    return History(projects=projects, facts=facts)


@contextmanager
def _reading_line(number: int) -> Iterator[None]:
    try:
        yield
    except (ValueError, IndexError) as problem:
        raise FactsError(f"Line {number} cannot be read: {problem}") from problem


def _read(table: _Table, number: int, words: list[str]) -> None:
    match words:
        case [] | ["facts"]:
            return
        case ["project", key, *options]:
            table.projects[key] = _draft(dict(option.split("=", 1) for option in options))
        case _ if not table.projects:
            raise ValueError("a project comes first, as in: project WEB zone=UTC.")
        case ["states", *states]:
            list(table.projects.values())[-1].states = states
        case ["define", *rest]:
            key = rest.pop(0) if rest[0] in table.projects else next(iter(table.projects))
            table.projects[key].defines.append(_line(number, rest))
        case _:
            table.facts.append(_line(number, words))


def _draft(options: dict[str, str]) -> _Draft:
    since = options.pop("since", None)
    zone = options.pop("zone", "UTC")
    if options:
        raise ValueError(f"a project takes zone= and since=, not {', '.join(options)}=.")
    return _Draft(zone=zone, since=None if since is None else _instant(since))


def _line(number: int, words: list[str]) -> _Line:
    happened_at, rest = _instant(" ".join(words[:2])), words[2:]
    if rest[0] == "-":
        return _Line(number, happened_at, happened_at, rest[1:])
    if rest[0][:1].isdigit() and rest[0][4:5] == "-":
        return _Line(number, happened_at, _instant(" ".join(rest[:2])), rest[2:])
    return _Line(number, happened_at, happened_at, rest)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _dawn(table: _Table) -> datetime | None:
    """The table's first instant: projects that do not say otherwise are recorded since then."""
    lines = [*table.facts, *(line for draft in table.projects.values() for line in draft.defines)]
    return min((line.happened_at for line in lines), default=None)


# ------------------------------------------------------------------ facts


def _fact(projects: tuple[Project, ...], line: _Line, seq: int) -> Fact:
    with _reading_line(line.number):
        item, kind_word, *rest = line.words
        kind = Kind(kind_word.upper())
        argument, actor = _argument_and_actor(rest)
        project, state = home_project(projects=projects, item=item), ""
        if kind in ARRIVING_KINDS:
            project, state = _state_of(projects, project, argument)
    return Fact(
        seq=seq,
        happened_at=line.happened_at,
        recorded_at=line.recorded_at,
        item=item,
        project=project.key,
        kind=kind,
        state=state,
        detail="" if kind in ARRIVING_KINDS else argument,
        actor=actor,
    )


def _argument_and_actor(words: list[str]) -> tuple[str, str]:
    actor = ""
    if len(words) >= 2 and words[-2] == "by":
        words, actor = words[:-2], words[-1]
    if len(words) > 1:
        raise ValueError(
            f"one word was expected where it says {' '.join(words)!r}; put quotes round a name of several."
        )
    return "".join(words), actor


def home_project(*, projects: tuple[Project, ...], item: str) -> Project:
    """The project of the item's key (WEB of WEB-1), or else the first."""
    prefix = item.rpartition("-")[0]
    return next((project for project in projects if project.key == prefix), projects[0])


def _state_of(projects: tuple[Project, ...], home: Project, words: str) -> tuple[Project, str]:
    key, colon, name = words.partition(":")
    if not colon:
        return home, _slug_in(_ever_defined(home), words)
    found = next((project for project in projects if project.key == key), None)
    if found is None:
        raise ValueError(f"there is no project {key}.")
    return found, _slug_in(_ever_defined(found), name)


def _ever_defined(project: Project) -> States:
    return tuple(state for workflow in project.workflows for state in workflow.states)


def _slug_in(states: Iterable[StateDefinition], words: str) -> str:
    """The slug meant by a slug, or else by a name that one of these definitions gives it."""
    states = list(states)
    named = {state.slug for state in states if words in (state.slug, state.name)}
    slugs = {state.slug for state in states if state.slug in (words, slug_of(name=words))} or named
    if len(slugs) != 1:
        raise ValueError(f"no state is called {words!r}.")
    return slugs.pop()


# ------------------------------------------------------------------ states and their definitions


def slug_of(*, name: str) -> str:
    """Lower case, every run of other characters than letters and digits one hyphen, none at either end."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())


def _project(key: str, draft: _Draft, dawn: datetime | None) -> Project:
    since = draft.since or dawn
    if since is None:
        raise FactsError(f"Project {key} needs since=: the table holds no instant.")
    workflows = [Workflow(happened_at=since, recorded_at=since, states=_states(draft.states))]
    for line in sorted(draft.defines, key=lambda line: line.happened_at):
        with _reading_line(line.number):
            states = _changed(workflows[-1].states, line.words)
        workflows.append(Workflow(happened_at=line.happened_at, recorded_at=line.recorded_at, states=states))
    return Project(key=key, zone=draft.zone, recorded_since=since, workflows=tuple(workflows))


def _states(words: Iterable[str]) -> States:
    states: States = ()
    for word in words:
        states = (*states, _state(word, taken={state.slug for state in states}))
    return states


def _state(word: str, *, taken: set[str]) -> StateDefinition:
    label, category, *flags = word.split(":")
    unknown = set(flags) - set(FLAGS)
    if unknown:
        raise ValueError(f"{word!r} has the flag {min(unknown)!r}; there are {', '.join(FLAGS)}.")
    name, _, slug = label.partition("@")
    return StateDefinition(
        slug=slug or _free_slug(slug_of(name=name), taken),
        name=name,
        category=Category(category.upper()),
        waiting="waiting" in flags,
        needs_validation="needs_validation" in flags,
        archived="archived" in flags,
    )


def _free_slug(slug: str, taken: set[str]) -> str:
    number = 2
    free = slug
    while free in taken:
        free, number = f"{slug}-{number}", number + 1
    return free


def _changed(states: States, words: list[str]) -> States:
    match words:
        case ["rename", old, "->", new]:
            return _replaced(states, old, lambda state: replace(state, name=new))
        case ["recategorise", name, category]:
            return _replaced(states, name, lambda state: replace(state, category=Category(category.upper())))
        case ["archive", name]:
            return _replaced(states, name, lambda state: replace(state, archived=True))
        case ["add", word, "after", name]:
            place = states.index(_find(states, name)) + 1
            return (*states[:place], _state(word, taken={state.slug for state in states}), *states[place:])
        case ["reorder", names]:
            return _reordered(states, [_find(states, name) for name in names.split(",")])
        case ["states", *all_states]:
            return _states(all_states)
    raise ValueError(f"{' '.join(words)!r} is no change of states; see the head of this module for those there are.")


def _find(states: States, words: str) -> StateDefinition:
    slug = _slug_in(states, words)
    return next(state for state in states if state.slug == slug)


def _replaced(states: States, words: str, change: Callable[[StateDefinition], StateDefinition]) -> States:
    found = _find(states, words)
    return tuple(change(state) if state is found else state for state in states)


def _reordered(states: States, order: list[StateDefinition]) -> States:
    """The active states in that order, each archived one still behind the active state it stood behind."""
    followers: dict[str, list[StateDefinition]] = {}
    last_active = ""
    for state in states:
        if state.archived:
            followers.setdefault(last_active, []).append(state)
        else:
            last_active = state.slug
    active = {state.slug for state in states if not state.archived}
    if sorted(active) != sorted(state.slug for state in order):
        raise ValueError(f"a reorder names each active state once: {', '.join(sorted(active))}.")
    behind = (state for leader in order for state in (leader, *followers.get(leader.slug, ())))
    return (*followers.get("", ()), *behind)


# ------------------------------------------------------------------ and back into text


def formatted(history: History) -> str:
    """The history as a table, which `parse` reads back to an equal one if seq counts 1, 2, 3 by recording instant."""
    lines = [line for project in history.projects for line in _project_lines(project)]
    lines.append("facts")
    lines += [_fact_line(fact, home_project(projects=history.projects, item=fact.item)) for fact in history.facts]
    return "\n".join(lines) + "\n"


def _project_lines(project: Project) -> list[str]:
    first, *later = project.workflows
    since = first.happened_at.replace(tzinfo=None).isoformat()
    return [
        f"project {project.key} zone={project.zone} since={since}",
        f"states  {_state_words(first.states)}",
        *(f"define {project.key}  {_clocks(version)}  states {_state_words(version.states)}" for version in later),
    ]


def _state_words(states: States) -> str:
    words: list[str] = []
    taken: set[str] = set()
    for state in states:
        own_slug = _free_slug(slug_of(name=state.name), taken) == state.slug
        flags = [flag for flag in FLAGS if getattr(state, flag)]
        label = state.name if own_slug else f"{state.name}@{state.slug}"
        words.append(shlex.quote(":".join([label, state.category.lower(), *flags])))
        taken.add(state.slug)
    return "  ".join(words)


def _fact_line(fact: Fact, home: Project) -> str:
    state = fact.state if fact.project == home.key else f"{fact.project}:{fact.state}"
    argument = state if fact.kind in ARRIVING_KINDS else fact.detail
    actor = f"by {shlex.quote(fact.actor)}" if fact.actor else ""
    said = [fact.kind.lower(), shlex.quote(argument) if argument else "", actor]
    return f"{_clocks(fact)}  {fact.item}  {' '.join(word for word in said if word)}"


def _clocks(recorded: Fact | Workflow) -> str:
    at_once = recorded.recorded_at == recorded.happened_at
    return f"{_stamp(recorded.happened_at)}  {'-' if at_once else _stamp(recorded.recorded_at):<16}"


def _stamp(instant: datetime) -> str:
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return text.removesuffix(":00")
