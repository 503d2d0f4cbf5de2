"""A data directory with many jobs in it, as the local system would have written them: rows in its journal."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from moto.dynamodb.models.utilities import dynamo_json_dump

from wainwright.adapters.aws.items import job_item
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import CHECK_AFTER, Job, Outcome, RunBy
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.local.journal import Journal, RowChange

TEMPLATE = "0a1b2c3d-0000-4000-8000-000000000001"
"""Of this template are a third of the jobs; all others are of none."""
LABEL = "nightly"
"""The label of every fourth job."""
FAILED = {2, 5, 9}
SPREAD = timedelta(days=5)
"""The jobs were created during so much time: less than they are kept for, so that all are there."""
KEPT = timedelta(days=7)
AT_ONCE = 5_000
"""Rows of one write of the journal."""


def seed(data_dir: Path, table: str, project: str, number: int, now: datetime) -> None:
    """Write so many jobs at rest into the journal of a local system that is not running."""
    journal = Journal(data_dir)
    try:
        rows = (_row(table, job) for job in jobs(project, number, now))
        while some := list(islice(rows, AT_ONCE)):
            journal.write(some)
    finally:
        journal.close()


def jobs(project: str, number: int, now: datetime) -> Iterator[Job]:
    """Jobs that went through all that jobs go through; of each ten seven completed and the others failed."""
    chance = random.Random(number)  # noqa: S311 - the same jobs each time
    for place in range(number):
        created = now - SPREAD + SPREAD * (place / number)
        yield _job(
            chance, project, created, of_template=place % 3 == 0, labelled=place % 4 == 0, failed=place % 10 in FAILED
        )


def _job(
    chance: random.Random, project: str, created: datetime, *, of_template: bool, labelled: bool, failed: bool
) -> Job:
    waiting = Job(
        project=project, id=str(uuid.UUID(int=chance.getrandbits(128), version=4)), created_at=created,
        updated_at=created, due_at=created + CHECK_AFTER, timeout_ms=900_000, bundle_id=f"{chance.getrandbits(256):064x}",
        run_by=RunBy(id=f"{chance.getrandbits(64):016x}", name="a key"), label=LABEL if labelled else None,
        template_id=TEMPLATE if of_template else None, template_version=1 if of_template else None,
    )  # fmt: skip
    started = created + timedelta(seconds=chance.uniform(0.1, 5))
    ended = started + timedelta(seconds=chance.uniform(2, 60))
    report = ReportRef(fence=1, complete=True, viewer="1.65.0")
    if not failed:
        outcome = Outcome(status=JobStatus.COMPLETED, fence=1, tests=Tally(total=3, passed=3), report=report)
    else:
        failure = Failure.of(FailureCategory.ASSERTION, "expected 3 items, got 2", test_id="test_cart.py::test_total")
        tally = Tally(total=3, passed=2, failed=1)
        outcome = Outcome(status=JobStatus.FAILED, fence=1, tests=tally, report=report, failure=failure)
    running = waiting.admit(started).claim(str(uuid.UUID(int=chance.getrandbits(128))), started)
    done = running.record_outcome(outcome, ended, 1_000).finish(outcome, ended)
    changes = {"expires_at": ended + KEPT, "version": 4, "operation": str(uuid.UUID(int=chance.getrandbits(128)))}
    return done.model_copy(update=changes)


def _row(table: str, job: Job) -> RowChange:
    item = job_item(job)
    return RowChange(table, dynamo_json_dump([item["pk"], item["sk"]]), item)
