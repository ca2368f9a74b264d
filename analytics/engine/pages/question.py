"""Question that a page's charts are about: a window, and from when it is told; and its answer, figure by figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from analytics.engine.pages.asked import local_text
from analytics.engine.pages.chart import Named
from analytics.engine.reading import receipts
from analytics.engine.reading.questions import label
from analytics.engine.reading.wing_reading import Reading
from analytics.engine.wings import figures_by_name
from analytics.pure.windows import Window
from tasks_app.admin.visits import Visit
from tasks_app.refusals import Refused

# A screen has no more columns than this. The file has no such limit.
MOST_DRAWN: Final = 2000


@dataclass(frozen=True, kw_only=True)
class ChartQuestion:
    """One window, and the figures of it that were read so far: each is read once, whoever shows it.

    `families` are the names of those whose facts the figures are of.
    """

    families: ClassVar[tuple[str, ...]] = ()
    visit: Visit
    reading: Reading
    known_at: datetime
    _found: dict[str, Any] = field(default_factory=dict, init=False)

    @property
    def window(self) -> Window:
        """The window and its buckets."""
        return self.reading.window

    def figure(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """That figure of the API; arguments that are not given are what the API takes them for."""
        known_as, full = _in_full(name, arguments)
        if known_as not in self._found:
            self._found[known_as] = figures_by_name()[name].read(self.reading, full)
        return self._found[known_as]

    def receipt(self, named: Sequence[Named]) -> receipts.Receipt:
        """The receipt that the API gives to a question for these figures alone."""
        figures = {_in_full(*each)[0]: figures_by_name()[each[0]].canonical(self.figure(*each)) for each in named}
        return receipts.receipt(
            figures=figures,
            metric_version=receipts.metric_version(figures, families=self.families),
            raw_rows=self.reading.raw_rows,
            tail_rows=self.reading.tail_rows,
            read_from=self.reading.read_from,
            known_at=self.known_at,
            timezone=self.window.zone,
        )

    def local(self, instant: datetime | None) -> str:
        """The instant by the clock of the window's zone."""
        return local_text(instant, zone_name=self.window.zone)

    def in_words(self) -> str:
        """The window, for descriptions of pictures."""
        count, bucket = len(self.window.starts), self.window.bucket.value.lower()
        return (
            f"From {self.local(self.window.start)} up to {self.local(self.window.end)}, {count} "
            f"{'bucket' if count == 1 else 'buckets'} of one {bucket}, local time of {self.window.zone}."
        )


def check_drawable(window: Window) -> None:
    """Refused for more buckets than a screen has columns."""
    if len(window.starts) > MOST_DRAWN:
        raise Refused(
            f"Bucket: this window has {len(window.starts):,} buckets and a picture has at most {MOST_DRAWN:,}; "
            "choose a wider bucket or a shorter window, or take the CSV.",
            path=("bucket",),
        )


def _in_full(name: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What the figure is called in an answer, and all of its arguments."""
    full = figures_by_name()[name].in_full(arguments)
    return label(name, full), full
