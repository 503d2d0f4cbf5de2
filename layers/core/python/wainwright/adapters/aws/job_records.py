"""Outcomes of a job's tests, and its events, in one sequence for all who write them."""

import json
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws import items
from wainwright.adapters.aws.items import expressions, key, number, text
from wainwright.adapters.aws.table import Refusal, TableStore
from wainwright.contracts.events import JobEvent
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.states import AT_REST
from wainwright.domain.tests import RunningTest, Tally
from wainwright.ports.job_store import NewEvent, Progress, StoredTest
from wainwright.ports.updates import retry_conflicts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RECORD_TRIES = 60
"""Tries of a worker to number its events: a quarter of a minute, longer than all that ``most`` lets others write."""

ADD_TRIES = 16
"""Tries of others to number theirs: some three seconds, well within the time of an API call."""

LAST_WAS = "attribute_not_exists(pk) OR #sequence = :sequence"
"""The condition that nobody numbered events since the progress was read."""

Operation = dict[str, Any]


class JobRecords(TableStore):
    """The part of a :class:`~wainwright.ports.job_store.JobStore` that keeps outcomes and events."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        super().__init__(client, table)
        self._last_recorded: tuple[tuple[str, int, int], Progress] = (("", 0, 0), Progress())

    def record(
        self,
        job: Job,
        *,
        tests: Sequence[StoredTest] = (),
        events: Sequence[NewEvent] = (),
        tally: Tally | None = None,
        percent: int | None = None,
        adds: Tally | None = None,
        lane: LaneRecord | None = None,
        running: Sequence[RunningTest] | None = None,
    ) -> Progress:
        if adds is not None and not events:
            raise ValueError("what is added takes effect once by the events that come with it")

        def after(before: Progress) -> Progress:
            return Progress(
                sequence=before.sequence + len(events),
                tests=(before.tests if tally is None else tally) + (adds or Tally()),
                percent=before.percent if percent is None else percent,
                running=before.running if running is None else tuple(running),
            )

        partition = items.job_partition(job.project, job.id)
        # Where lanes write too, what was known is seldom what is.
        alone = job.lanes == 1 and lane is None
        holds = partition, job.run, job.fence
        known = self._last_recorded[1] if alone and self._last_recorded[0] == holds else None

        def operations(before: Progress) -> list[Operation]:
            return [
                *items.held(job, lane),
                {"Put": _put_progress(partition, after(before), before)},
                *({"Put": {"Item": items.test_item(job, test)}} for test in tests),
            ]

        before = self._number(
            job.project, job.id, events, operations, RECORD_TRIES, checks=2 if lane else 1, known=known
        )
        if before is None:
            of = f", or its lane {lane.lane} was dismissed" if lane else ""
            raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}{of}")
        if alone:
            self._last_recorded = holds, after(before)
        return after(before)

    def add_events(self, project: str, job_id: str, events: Sequence[NewEvent], most: int) -> bool:
        partition = items.job_partition(project, job_id)

        def operations(before: Progress) -> list[Operation]:
            last = before.sequence + len(events)
            if last > most:
                return []
            return [
                {"ConditionCheck": _not_at_rest(project, job_id)},
                {"Update": _raise_sequence(partition, last, before)},
            ]

        return self._number(project, job_id, events, operations, ADD_TRIES) is not None

    def _number(
        self,
        project: str,
        job_id: str,
        events: Sequence[NewEvent],
        operations: Callable[[Progress], list[Operation]],
        tries: int,
        checks: int = 1,
        known: Progress | None = None,
    ) -> Progress | None:
        """Write events with the numbers that follow the last one, together with operations that depend on it.

        ``known`` is what the caller wrote last, which need not be read if it still stands: anything that others may have
        written since has moved the sequence, and the write says so.

        Returns the progress that it was written after; None where there are no operations, or one of the conditions that
        come first (so many as there are ``checks``) does not hold.
        """
        operation = str(uuid.uuid4())

        def attempt() -> Progress | None:
            nonlocal known
            before, known = known or self._progress(project, job_id), None
            wanted = operations(before)
            if not wanted:
                return None
            puts = _events(project, job_id, events, before.sequence + 1, operation)
            try:
                self.table.commit([*wanted, *puts])
            except Refusal as refusal:
                if puts and self._is_ours(puts[0]["Put"]["Item"], operation):
                    return before  # it took effect, and its answer was lost
                if refusal.failed.intersection(range(checks)):
                    return None
                raise Conflict(f"events of job {job_id} have other numbers by now") from refusal
            return before

        return retry_conflicts(attempt, f"events of job {job_id}", tries=tries)

    def tests(self, project: str, job_id: str, ids: Collection[str] | None = None) -> Sequence[StoredTest]:
        if ids is None:
            rows = self.table.partition(items.job_partition(project, job_id), "TEST#")
        else:
            rows = self.table.get_all([items.test_key(project, job_id, each) for each in ids])
        return [StoredTest.model_validate_json(row["body"]["S"]) for row in rows]

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        answer = self.table.ask(
            Limit=limit, ConsistentRead=True, KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": text(items.job_partition(project, job_id)),
                ":first": text(f"EVENT#{after + 1:010d}"), ":last": text("EVENT#9999999999"),
            },
        )  # fmt: skip
        return [JobEvent.model_validate_json(row["body"]["S"]) for row in answer["Items"]]

    def _progress(self, project: str, job_id: str) -> Progress:
        return read_progress(self.table.get(key(items.job_partition(project, job_id), "#PROGRESS")))

    def _is_ours(self, event: items.Item, operation: str) -> bool:
        """Return True if this operation wrote the event that has this one's number. Others may have followed it."""
        row = self.table.get({"pk": event["pk"], "sk": event["sk"]})
        return row is not None and row.get("operation") == text(operation)


def read_progress(row: Any) -> Progress:
    """The progress of its row, or of none."""
    if not row:
        return Progress()
    return Progress(
        sequence=int(row["sequence"]["N"]),
        tests=Tally.model_validate_json(row["body"]["S"]),
        percent=int(row["percent"]["N"]) if "percent" in row else None,
        running=tuple(map(RunningTest.model_validate, json.loads(row["running"]["S"]))) if "running" in row else (),
    )


def _put_progress(partition: str, progress: Progress, before: Progress) -> dict[str, Any]:
    item = key(partition, "#PROGRESS") | {
        "sequence": number(progress.sequence), "body": text(progress.tests.model_dump_json()),
    }  # fmt: skip
    if progress.percent is not None:
        item["percent"] = number(progress.percent)
    if progress.running:
        item["running"] = text(
            json.dumps([each.model_dump(mode="json") for each in progress.running], ensure_ascii=False)
        )
    values = {":sequence": number(before.sequence)}
    return {"Item": item} | expressions(values, ConditionExpression=LAST_WAS)


def _raise_sequence(partition: str, last: int, before: Progress) -> dict[str, Any]:
    """Raise the sequence, and leave all else as it is."""
    values = {
        ":sequence": number(before.sequence), ":last": number(last), ":body": text(Tally().model_dump_json()),
    }  # fmt: skip
    return {"Key": key(partition, "#PROGRESS")} | expressions(
        values,
        UpdateExpression="SET #sequence = :last, #body = if_not_exists(#body, :body)",
        ConditionExpression=LAST_WAS,
    )


def _not_at_rest(project: str, job_id: str) -> dict[str, Any]:
    """A check that the job is there, is not being deleted, and has not come to rest."""
    at_rest = {f":{status}": text(status) for status in sorted(AT_REST)}
    return {"Key": items.job_key(project, job_id)} | expressions(
        {":none": number(0), **at_rest},
        ConditionExpression=f"#version > :none AND NOT #status IN ({', '.join(at_rest)})",
    )


def _events(
    project: str, job_id: str, events: Sequence[NewEvent], first: int, operation: str
) -> list[dict[str, dict[str, Any]]]:
    stored = [
        JobEvent(sequence=sequence, kind=event.kind, at=event.at, data=dict(event.data))
        for sequence, event in enumerate(events, start=first)
    ]
    mark = {"operation": text(operation)}
    return [{"Put": {"Item": items.event_item(project, job_id, event) | mark}} for event in stored]
