"""Address limits, before anybody is known: where a request comes from, and how many that address may send.

Counted in each process by itself: a flood must cost next to nothing, least of all a statement of the database.
"""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from threading import Lock
from time import monotonic

from tasks_app.rate.gcra import SECOND, Claim, Rate, wait

MOST_ADDRESSES = 10_000


class AddressLimit:
    """The same algorithm as rate.gcra, in this process's memory. Threads may share it.

    An address that has rested is forgotten, and of too many the one that was quiet longest.
    """

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def retry_after(self, address: str, *, rate: Rate) -> int:
        """0 when one more request of the address is admitted, else in how many seconds it would be."""
        now = int(self._clock() * SECOND)
        claim = Claim(bucket=address, cost=1, rate=rate)
        with self._lock:
            full_at = self._full_at.get(address, 0)
            waiting = wait(claim, full_at=full_at, now=now) or 0
            if waiting == 0:
                self._full_at[address] = max(full_at, now) + rate.interval
                self._full_at.move_to_end(address)
                if len(self._full_at) > MOST_ADDRESSES:
                    self._full_at.popitem(last=False)
        return ceil(waiting / SECOND)
