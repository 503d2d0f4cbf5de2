"""Running the tests that the worker names, as it names them, instead of all in order.

pytest asks at the end of each test which one comes next, to keep the fixtures that both need. The worker knows that as late
as possible, since another lane may be the better one for it: so the answer is waited for at the teardown of a test and not
before its start, where that can be done with the pytest at hand.
"""

from __future__ import annotations

import json
import queue
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

OVER, IDLE = object(), object()


class Feed:
    """The tests that the worker names. `say` and `end` are called by the thread that listens to it."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._known: deque[str] = deque()
        self._asked = False
        self._idle = False
        self._over = False
        self._ended = False

    def say(self, line: str) -> None:
        """A line of the worker: `run ["id", …]`, `idle` (nothing for now) or `over`."""
        word, _, rest = line.partition(" ")
        if word == "run":
            self._said.put(json.loads(rest))
        else:
            self._said.put(IDLE if word == "idle" else OVER)

    def end(self) -> None:
        """Nothing more is to be run, whatever the worker named before."""
        self._ended = True
        self._said.put(OVER)

    @property
    def next_known(self) -> str | None:
        """The next test, if it is known already."""
        return self._known[0] if self._known and not self._ended else None

    def peek(self) -> str | None:
        """Return the next test, waiting for the worker's answer; None if there is none for now. If that is `idle` it is not asked
        again: for a test that is run again there may be nothing until it has ended for good."""
        if not self._known and not self._over and not self._idle:
            self._wait()
        return self.next_known

    def pop(self) -> str | None:
        """The next test, to be run now; None if there will be no more. Waits for it as long as it takes."""
        while not self._known and not self._over:
            self._wait()
        return self._known.popleft() if self.next_known else None

    def _wait(self) -> None:
        if not self._asked:
            self._asked = True
            self._ask()
        said = self._said.get()
        self._idle = said is IDLE
        if said is OVER:
            self._over = True
        elif said is not IDLE:  # else the worker remembers that it was asked
            self._asked = False
            self._known += said


def run_fed(session: pytest.Session, feed: Feed) -> None:
    """The session's loop over its tests, by the feed. Ends as pytest's own loop does."""
    items = {item.nodeid: item for item in session.items}
    late = _ask_at_teardown(session, lambda: _item(items, feed.peek()))
    while (test_id := feed.pop()) is not None:
        item = items[test_id]
        following = _item(items, feed.next_known if late else feed.peek())
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)


def _item(items: dict[str, pytest.Item], test_id: str | None) -> pytest.Item | None:
    return None if test_id is None else items.get(test_id)


def _ask_at_teardown(session: pytest.Session, following: Callable[[], pytest.Item | None]) -> bool:
    """Have fixtures torn down by what comes next as it is known then; False if this pytest does that in another way."""
    state: Any = getattr(session, "_setupstate", None)
    teardown = getattr(state, "teardown_exact", None)
    if teardown is None:
        return False

    def teardown_late(*arguments: Any, **named: Any) -> Any:
        if arguments:
            return teardown(*arguments[:-1], following())
        return teardown(**{**named, "nextitem": following()})

    try:
        state.teardown_exact = teardown_late
    except AttributeError:
        return False
    return True


def can_run(session: pytest.Session) -> bool:
    """Return True unless pytest's own loop would run nothing either, and say why."""
    return not session.testsfailed or session.config.option.continue_on_collection_errors
