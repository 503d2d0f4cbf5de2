"""The work list of a job with several lanes: which test cases are to run, in which order, and who holds which.

The list is one small record that is written only if nobody wrote it meanwhile, and an order of cases that never changes.
Cases are meant by their positions in the order. Each position is at any time in exactly one place: still on the list
(beyond ``given``, or in ``returned``), held by one holder, or done with.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Self

from pydantic import Field

from wainwright.domain.record import Record

MAX_LEASE = 16
"""Cases of one lease: what a lane that dies can keep from the others until its lease runs out."""

SHORT = 1 / 32
"""Of the ideal makespan. Cases up to so long stay in the order in which they were collected, so that those of one file,
with the fixtures that they share, come together; they end the job unevenly by no more than one such case.
"""

SHARES_EACH = 8
"""Guided self-scheduling: a lane leases at most the part ``1 / (SHARES_EACH · lanes)`` of what is left, by expected
duration; so leases are long in the beginning, and single cases in the end.
"""


def estimate_durations(
    cases: Sequence[tuple[str, str]], durations: Mapping[str, float], *, default: float = 1.0
) -> list[float]:
    """Expected durations of cases given as (id, file): as measured, else their file's average, else that of all.

    ``durations`` are milliseconds by id. Where nothing is known every case counts ``default``.
    """
    known = [(file, durations[case]) for case, file in cases if case in durations]
    of_file: dict[str, list[float]] = {}
    for file, duration in known:
        of_file.setdefault(file, []).append(duration)
    average = {file: math.fsum(each) / len(each) for file, each in of_file.items()}
    overall = math.fsum(duration for _, duration in known) / len(known) if known else default
    return [max(durations.get(case, average.get(file, overall)), 1.0) for case, file in cases]


class WorkOrder:
    """The cases of a list in the order in which they are to be run; never changes."""

    def __init__(self, ids: Sequence[str], expected: Sequence[float]) -> None:
        self.ids = tuple(ids)
        self.expected = tuple(expected)
        self._until = [0.0, *accumulate(self.expected)]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, cases: Sequence[tuple[str, str]], durations: Mapping[str, float], lanes: int) -> Self:
        """Longest first (LPT), but for short ones, which keep the order in which they were collected.

        ``cases`` are (id, file) as they were collected.
        """
        expected = estimate_durations(cases, durations)
        ideal = max(math.fsum(expected) / lanes, max(expected, default=0.0))
        short = ideal * SHORT
        order = sorted(range(len(cases)), key=lambda place: -expected[place] if expected[place] > short else 0.0)
        return cls([cases[place][0] for place in order], [expected[place] for place in order])

    def left_after(self, position: int) -> float:
        """Expected milliseconds of the cases from a position on."""
        return self._until[-1] - self._until[position]


class WorkList(Record):
    """Holders of cases. ``fence`` is that of the owner who made it, ``run`` the job's run then; ``version`` counts its writes."""

    fence: int
    run: int = 0
    lanes: int = Field(ge=1)
    total: int = Field(ge=0)
    given: int = 0
    returned: tuple[int, ...] = ()
    held: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    version: int = 1

    @property
    def is_empty(self) -> bool:
        """True if nothing is left to be leased. Cases that others hold may still come back."""
        return self.given >= self.total and not self.returned

    @property
    def is_finished(self) -> bool:
        """True if nothing is left at all."""
        return self.is_empty and not self.held

    def waiting(self) -> Iterator[int]:
        """Positions on the list, in the order in which they are to be run."""
        return chain(self.returned, range(self.given, self.total))

    def share(self, order: WorkOrder, *, shares_each: int = SHARES_EACH, most: int = MAX_LEASE) -> int:
        """Return the number of cases that a lane leases now: one, or more where they are a small part of what is left."""
        room = self._small(order, shares_each)
        number, sum_ms = 0, 0.0
        for position in self.waiting():
            sum_ms += order.expected[position]
            if number and (sum_ms > room or number >= most):
                break
            number += 1
        return number

    def may_lease_ahead(self, order: WorkOrder) -> bool:
        """Return True if the next case is so short that a lane may have it wait behind the one that it runs."""
        first = next(self.waiting(), None)
        return first is not None and order.expected[first] <= self._small(order, SHARES_EACH)

    def _small(self, order: WorkOrder, shares_each: int) -> float:
        left = order.left_after(min(self.given, self.total)) + math.fsum(order.expected[at] for at in self.returned)
        return left / (shares_each * self.lanes)

    def lease(self, holder: str, number: int, done: Iterable[int] = ()) -> tuple[Self, tuple[int, ...]]:
        """The list with the next ``number`` cases in a holder's hands, and which these are; ``done`` it holds no more."""
        taken: tuple[int, ...] = ()
        returned, given = self.returned, self.given
        if number > 0:
            taken, returned = returned[:number], returned[number:]
            more = min(number - len(taken), self.total - given)
            taken += tuple(range(given, given + more))
            given += more
        kept = tuple(position for position in self.held.get(holder, ()) if position not in set(done))
        return self._with(holder, kept + taken, given=given, returned=returned), taken

    def give_back(self, holder: str, unfinished: Iterable[int], *, keeps: Iterable[int] = ()) -> Self:
        """The list after a holder gave cases back. It is done with all that it held but for what it ``keeps``."""
        has = self.held.get(holder, ())
        back = tuple(sorted({*self.returned, *(set(unfinished) & set(has))}))
        kept = tuple(position for position in has if position in set(keeps))
        return self._with(holder, kept, given=self.given, returned=back)

    def _with(self, holder: str, holds: tuple[int, ...], *, given: int, returned: tuple[int, ...]) -> Self:
        held = {name: positions for name, positions in self.held.items() if name != holder}
        if holds:
            held[holder] = holds
        return self.model_copy(update={"given": given, "returned": returned, "held": held, "version": self.version + 1})
