"""Work lists and lanes in DynamoDB, in the partitions of their jobs.

The list itself is one small row that is put in the place of the version before it. The order of its cases, which may be
long, is in pages of its own that never change. A lane's row says by its attribute ``token`` whose writes it lets pass.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from wainwright.adapters.aws import items
from wainwright.adapters.aws.items import Item, expressions, key, number, text
from wainwright.adapters.aws.table import Refusal, TableStore
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.work_list import WorkList, WorkOrder

PAGE = 500
"""Cases of one page. Ids have at most 4,000 characters, and resemble each other: compressed, a page fits into a row."""

ROWS = 11
"""Rows of a work list in one transaction, which takes 4 MB: ten full pages, and the list."""


class DynamoWorkListStore(TableStore):
    """A :class:`~wainwright.ports.work_lists.WorkListStore` on one table."""

    def open(self, job: Job, work: WorkList, order: WorkOrder) -> None:
        # The pages first: whoever sees the list finds them.
        puts = [{"Put": {"Item": item}} for item in (*_pages(job, order), _list_item(job, work))]
        try:
            for start in range(0, len(puts), ROWS):
                self.table.commit([*items.held(job), *puts[start : start + ROWS]])
        except Refusal as refusal:
            raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}") from refusal

    def read(self, job: Job) -> WorkList | None:
        work = self._list(job)
        if work is not None and work.fence > job.fence:
            raise FenceLost(f"the work list of job {job.id} was made again")
        return work if work is not None and work.fence == job.fence else None

    def order(self, job: Job) -> WorkOrder:
        return self._order(job, job.fence)

    def last(self, job: Job) -> tuple[WorkList, WorkOrder] | None:
        work = self._list(job)
        return (work, self._order(job, work.fence)) if work is not None and work.run == job.run else None

    def _list(self, job: Job) -> WorkList | None:
        row = self.table.get(items.work_key(job.project, job.id))
        return WorkList.model_validate_json(row["body"]["S"]) if row else None

    def _order(self, job: Job, fence: int) -> WorkOrder:
        pages = self.table.partition(items.job_partition(job.project, job.id), items.order_prefix(fence))
        cases = [case for page in pages for case in json.loads(items.unpack(page))]
        return WorkOrder([case[0] for case in cases], [case[1] for case in cases])

    def write(self, job: Job, work: WorkList) -> None:
        values = {":before": number(work.version - 1), ":fence": number(work.fence)}
        condition = expressions(values, ConditionExpression="#version = :before AND fence = :fence")
        put = {"Item": _list_item(job, work)} | condition
        self._commit([{"Put": put}], f"the work list of job {job.id} changed since it was read")

    def join(self, job: Job, lane: LaneRecord, before: LaneRecord | None) -> None:
        try:
            self.table.commit([*items.held(job), {"Put": _put_lane(job, before, lane)}])
        except Refusal as refusal:
            if 0 in refusal.failed:
                raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}") from refusal
            raise Conflict(f"lane {lane.lane} of job {job.id} changed since it was read") from refusal

    def update(self, job: Job, before: LaneRecord, after: LaneRecord) -> None:
        self._commit(
            [{"Put": _put_lane(job, before, after)}], f"lane {after.lane} of job {job.id} changed since it was read"
        )

    def lanes(self, job: Job) -> Sequence[LaneRecord]:
        rows = self.table.partition(items.job_partition(job.project, job.id), items.lane_prefix(job.fence))
        return [LaneRecord.model_validate_json(row["body"]["S"]) for row in rows]

    def _commit(self, operations: list[dict[str, Any]], conflict: str) -> None:
        try:
            self.table.commit(operations)
        except Refusal as refusal:
            raise Conflict(conflict) from refusal


def _list_item(job: Job, work: WorkList) -> Item:
    return items.work_key(job.project, job.id) | {
        "body": text(work.model_dump_json(by_alias=True)),
        "version": number(work.version),
        "fence": number(work.fence),
    }


def _pages(job: Job, order: WorkOrder) -> Iterator[Item]:
    partition = items.job_partition(job.project, job.id)
    cases = [[test_id, round(ms, 1)] for test_id, ms in zip(order.ids, order.expected, strict=True)]
    for page, start in enumerate(range(0, len(cases), PAGE)):
        body = json.dumps(cases[start : start + PAGE], ensure_ascii=False, separators=(",", ":"))
        yield key(partition, f"{items.order_prefix(job.fence)}{page:06d}") | items.pack("a page of the work list", body)


def _put_lane(job: Job, before: LaneRecord | None, after: LaneRecord) -> dict[str, Any]:
    row = items.lane_key(job.project, job.id, job.fence, after.lane)
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    if before is not None:
        condition = expressions({":before": _lane_body(before)}, ConditionExpression="body = :before")
    return {"Item": row | {"body": _lane_body(after), "token": text("" if after.left else after.token)}} | condition


def _lane_body(lane: LaneRecord) -> dict[str, str]:
    return text(lane.model_dump_json(by_alias=True, exclude_defaults=True))
