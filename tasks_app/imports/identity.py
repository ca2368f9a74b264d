"""Identity of an event within its source, so that a second delivery of it adds nothing."""

from hashlib import blake2b

from tasks_app.imports.events import BadEvents, Events

Content = tuple[str, int, str]


class Identities:
    """Gives each event of a project its identity: 32 hexadecimal digits.

    An event with an id of its own is that id's, through whichever door it comes. Another one is the nth of its case,
    instant and state within the file. What was given is remembered, about 150 bytes an event.
    """

    def __init__(self, *, project_id: int) -> None:
        self._project_id = project_id
        self._given: set[str] = set()
        self._content: dict[str, Content] = {}

    def of(self, *, events: Events, slugs: list[str]) -> tuple[list[str], BadEvents]:
        """An identity for each event, and the events that repeat an event id with other content."""
        if not events.event_ids:
            content = zip(events.cases, events.instants, slugs, strict=True)
            return [self._nth(case, instant, slug) for case, instant, slug in content], {}
        identities: list[str] = []
        bad: BadEvents = {}
        columns = zip(events.event_ids, events.cases, events.instants, slugs, strict=True)
        for index, (event_id, case, instant, slug) in enumerate(columns):
            identity = self._named(event_id) if event_id else self._nth(case, instant, slug)
            identities.append(identity)
            if event_id and self._content.setdefault(identity, (case, instant, slug)) != (case, instant, slug):
                bad[index] = ("event_id", f"{event_id!r} names another event further up; an id belongs to one event")
        return identities, bad

    def _nth(self, case: str, instant: int, slug: str) -> str:
        occurrence = 0
        identity = self._digest(f"{instant}:{slug}:{occurrence}:{case}")
        while identity in self._given:
            occurrence += 1
            identity = self._digest(f"{instant}:{slug}:{occurrence}:{case}")
        self._given.add(identity)
        return identity

    def _named(self, event_id: str) -> str:
        return self._digest(f"event:{event_id}")

    def _digest(self, text: str) -> str:
        return blake2b(f"{self._project_id}:{text}".encode(), digest_size=16).hexdigest()
