"""When the next request may be made: for all connections to a server together."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Protocol

LONGEST_WAIT = 3600.0  # seconds; a server that asks for more is asked no more


class Clock(Protocol):
    """Time as the fetcher sees it; tests bring one that is not real."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class RealClock:
    """Seconds since 1970, and real waiting."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Turns:
    """Gives out moments for requests, never two within `seconds_between`.

    What one connection learns holds for all: after a 503 everybody waits.
    """

    def __init__(self, clock: Clock, *, seconds_between: float) -> None:
        self.clock = clock
        self.seconds_between = seconds_between
        self._next = 0.0
        self._lock = Lock()

    def wait(self, check: Callable[[], None] = lambda: None) -> None:
        """Return when the next request may be made; `check` may raise instead."""
        while True:
            check()
            with self._lock:
                now = self.clock.now()
                pause = self._next - now
                if pause <= 0:
                    self._next = now + self.seconds_between
                    return
            self.clock.sleep(min(pause, 1.0))

    def hold(self, seconds: float) -> None:
        """Let nobody make a request before that many seconds have gone by."""
        with self._lock:
            self._next = max(self._next, self.clock.now() + seconds)


def pause_after(failures: int, retry_after: str | None, now: float) -> float:
    """Return the seconds to wait after so many failures in a row: 1, 2, 4 … 60.

    Args:
        retry_after: the server's own word, seconds or a date; it is never undercut.
    """
    pause = min(60.0, 2.0 ** max(0, failures - 1))
    if retry_after is None:
        return pause
    if retry_after.strip().isdigit():
        return max(pause, float(retry_after))
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return pause
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(pause, (date - datetime.fromtimestamp(now, UTC)).total_seconds())
