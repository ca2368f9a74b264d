"""What every figure of an answer has: how it is counted, and what of it is hashed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.flow.reading.flow import FlowReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How a figure is counted from the reading and its field's arguments, and what of it is hashed.

    `defaults` are the arguments of a field that is asked for without them; `arguments` makes of those that were written the
    ones that an answer names.
    """

    read: Callable[[FlowReading, Mapping[str, Any]], Any]
    canonical: Callable[[Any], Any] = lambda found: found
    defaults: Mapping[str, Any] = field(default_factory=dict)
    arguments: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda given: given

    def hashed(self, reading: FlowReading, arguments: Mapping[str, Any], /) -> Any:
        """The figure in canonical form."""
        return self.canonical(self.read(reading, arguments))
