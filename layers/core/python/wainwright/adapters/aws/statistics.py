"""Sums over ended jobs: a row for each hour, of the project and of each template, to which every ending is added."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from wainwright.adapters.aws.items import Item, expiry, key, number, text
from wainwright.adapters.aws.table import Refusal, Table
from wainwright.domain.errors import Unavailable
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job
from wainwright.domain.statistics import Statistics, hour_of, hour_of_end, top_of

KEPT = timedelta(days=400)
MOST_KNOWN = 100
"""Hours, of a project or a template, whose extremes are remembered."""

STATUS, CATEGORY, DURATION = "s:", "c:", "d:"
"""Beginnings of the attributes that count by status, by failure's category and by bucket of duration."""

Sums = Mapping[tuple[str, str], Statistics]
"""Sums to add, by scope (``project`` or ``project#template``) and hour."""

log = logging.getLogger(__name__)


def sums_of(changes: Iterable[tuple[Job | None, Job]]) -> Sums:
    """Sums over the jobs that come to an end; those of one hour are added up, for a transaction takes a row once."""
    sums: dict[tuple[str, str], Statistics] = {}
    for before, after in changes:
        adds = Statistics.of_change(before, after)
        if adds is None:
            continue
        for scope in _scopes(after.project, after.template_id):
            place = scope, to_text(hour_of_end(after))
            sums[place] = sums.get(place, Statistics()) + adds
    return sums


def _scopes(project: str, template_id: str | None) -> Sequence[str]:
    return [project] if template_id is None else [project, f"{project}#{template_id}"]


def additions(sums: Sums) -> Iterable[dict[str, Any]]:
    """Updates that add to the rows, to be part of the transaction that ends the jobs."""
    for (scope, hour), adds in sums.items():
        until = expiry(datetime.fromisoformat(hour) + KEPT)
        yield _add(_row(scope, hour), _attributes(adds), {"expiresAt": until})
        for test, times in adds.flaky.items():
            digest = hashlib.sha256(test.encode()).hexdigest()[:32]
            named = {"test": text(test), "expiresAt": until}
            yield _add(key(f"FLAKY#{scope}", f"{hour}#{digest}"), {"times": times}, named)


def _attributes(adds: Statistics) -> dict[str, int]:
    return (
        {f"{STATUS}{status}": times for status, times in adds.by_status.items()}
        | {f"{CATEGORY}{category}": times for category, times in adds.categories.items()}
        | {f"{DURATION}{bucket}": times for bucket, times in adds.durations.items()}
        | ({"sum": adds.duration_sum_ms} if adds.durations else {})
    )


def _add(row: Item, numbers: Mapping[str, int], sets: Item) -> dict[str, Any]:
    names = {f"#{place}": name for place, name in enumerate([*numbers, *sets])}
    values = [number(times) for times in numbers.values()] + list(sets.values())
    added = ", ".join(f"#{place} :{place}" for place in range(len(numbers)))
    replaced = ", ".join(f"#{place} = :{place}" for place in range(len(numbers), len(names)))
    return {
        "Key": row,
        "UpdateExpression": f"ADD {added} SET {replaced}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {f":{place}": value for place, value in enumerate(values)},
    }


class Extremes:
    """The shortest and the longest durations, kept after the transaction: they cannot be added to a row that nobody has read.

    It may be repeated, and left out: :func:`read` then goes by the histogram, which is exact to 5 %. So where it
    fails, what was written stands. They only ever move apart: what lies between two that are known to be kept needs no look.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._known: dict[tuple[str, str], tuple[int, int]] = {}

    def note(self, sums: Sums) -> None:
        """Keep those of what was added."""
        wanted = {place: adds for place, adds in sums.items() if not self._within(place, adds)}
        if not wanted:
            return
        try:
            rows = self.table.get_all([_row(*each) for each in wanted])
            kept = {(row["pk"]["S"], row["sk"]["S"]): row for row in rows}
            for (scope, hour), adds in wanted.items():
                row = kept.get((f"STATS#{scope}", hour), {})
                _keep(self.table, _row(scope, hour), row, "shortest", adds.shortest_ms, ">")
                _keep(self.table, _row(scope, hour), row, "longest", adds.longest_ms, "<")
                self._remember((scope, hour), row, adds)
        except (ClientError, BotoCoreError, Unavailable):
            log.warning("shortest and longest duration not kept", exc_info=True)

    def _within(self, place: tuple[str, str], adds: Statistics) -> bool:
        if adds.shortest_ms is None or adds.longest_ms is None:
            return True
        shortest, longest = self._known.get(place, (adds.shortest_ms + 1, adds.longest_ms - 1))
        return shortest <= adds.shortest_ms and adds.longest_ms <= longest

    def _remember(self, place: tuple[str, str], row: Mapping[str, Any], adds: Statistics) -> None:
        if adds.shortest_ms is None or adds.longest_ms is None:
            return
        shortest, longest = _number(row, "shortest"), _number(row, "longest")
        self._known.pop(place, None)
        self._known[place] = (
            adds.shortest_ms if shortest is None else min(shortest, adds.shortest_ms),
            adds.longest_ms if longest is None else max(longest, adds.longest_ms),
        )
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]


def _row(scope: str, hour: str) -> Item:
    return key(f"STATS#{scope}", hour)


def _keep(table: Table, row_key: Item, row: Mapping[str, Any], name: str, value: int | None, beyond: str) -> None:
    kept = _number(row, name)
    if value is None or (kept is not None and (value >= kept if beyond == ">" else value <= kept)):
        return
    try:
        table.update(
            row_key, f"SET #{name} = :value", {":value": number(value)},
            f"attribute_not_exists(#{name}) OR #{name} {beyond} :value",
        )  # fmt: skip
    except Refusal:
        log.debug("another job of the same hour was %s", name)


def read(table: Table, project: str, template_id: str | None, start: datetime, end: datetime) -> Statistics:
    """Add up the hours from that of ``start`` to that of ``end``, as :meth:`JobStore.statistics` says."""
    scope = _scopes(project, template_id)[-1]
    first, last = to_text(hour_of(start)), to_text(hour_of(end))
    if first > last:
        return Statistics()
    total = sum((_read(row) for row in table.between(f"STATS#{scope}", first, last)), Statistics())
    flaky: Counter[str] = Counter()
    for row in table.between(f"FLAKY#{scope}", first, f"{last}#~"):
        flaky[row["test"]["S"]] += int(row["times"]["N"])
    return total + Statistics(flaky=flaky)


def _read(row: Mapping[str, Any]) -> Statistics:
    durations = {int(bucket): times for bucket, times in _counts(row, DURATION).items()}
    shortest, longest = _number(row, "shortest"), _number(row, "longest")
    if durations:  # which the histogram bounds, whatever became of the extremes
        least, most = top_of(min(durations)), top_of(max(durations) - 1) + 1 if max(durations) else 0
        shortest = least if shortest is None else min(shortest, least)
        longest = most if longest is None else max(longest, most)
    return Statistics(
        by_status=_counts(row, STATUS), categories=_counts(row, CATEGORY), durations=durations,
        duration_sum_ms=_number(row, "sum") or 0, shortest_ms=shortest, longest_ms=longest,
    )  # fmt: skip


def _counts(row: Mapping[str, Any], beginning: str) -> dict[str, int]:
    return {name[len(beginning) :]: int(row[name]["N"]) for name in row if name.startswith(beginning)}


def _number(row: Mapping[str, Any], name: str) -> int | None:
    return int(row[name]["N"]) if name in row else None
