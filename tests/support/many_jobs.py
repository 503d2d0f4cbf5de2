"""Many jobs of every kind, made and stored quickly, and what a query should find among them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.builders import PROJECT, START, a_job, job_id
from wainwright.adapters.aws.items import job_item
from wainwright.domain.job_query import JobQuery
from wainwright.domain.jobs import Job
from wainwright.domain.states import AT_REST, IN_WORK, JobStatus
from wainwright.ports.job_store import JobStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = START + timedelta(days=1)
LABELS = ("nightly", "smoke", None)


def many_jobs(number: int, *, seed: int = 7) -> list[Job]:
    """Jobs of every state, type, template, batch and label; several share a time, and some have expired."""
    chance = random.Random(seed)  # noqa: S311 - the same jobs each time
    return [_any_job(chance, place) for place in range(number)]


def _any_job(chance: random.Random, place: int) -> Job:
    status = chance.choice(list(JobStatus))
    created = START + timedelta(seconds=chance.randrange(20_000))
    started = created + timedelta(seconds=chance.randrange(60)) if status in IN_WORK or chance.random() < 0.5 else None
    ended = (started or created) + timedelta(seconds=chance.randrange(600)) if status in AT_REST else None
    expires = None if ended is None else NOW + timedelta(hours=chance.choice([-1, 5, 50]))
    return a_job(
        id=job_id(place + 1), version=1, status=status, created_at=created, started_at=started, completed_at=ended,
        expires_at=expires, type=chance.choice(["browser", "function"]), label=chance.choice(LABELS),
        has_errors=chance.random() < 0.2, template_id=chance.choice(["t1", "t2", None]),
        batch_id=chance.choice(["b1", None, None]),
    )  # fmt: skip


def store_quickly(client: DynamoDBClient, table: str, jobs: Sequence[Job]) -> None:
    """Put the rows of jobs into the table as they are, without lines and counters."""
    for start in range(0, len(jobs), 25):
        puts: Any = [{"PutRequest": {"Item": job_item(job)}} for job in jobs[start : start + 25]]
        client.batch_write_item(RequestItems={table: puts})


def expected(jobs: Sequence[Job], query: JobQuery, now: datetime = NOW) -> list[str]:
    """Ids of the jobs that a query should find, in order: by its time, then by id."""
    found = [job for job in jobs if job.project == PROJECT and query.matches(job, now)]
    found.sort(key=lambda job: (query.time_of(job), job.id), reverse=not query.ascending)
    return [job.id for job in found]


def followed(store: JobStore, query: JobQuery, now: datetime = NOW, *, most: int = 10_000) -> list[list[str]]:
    """Ids of all pages, by following the cursor."""
    pages: list[list[str]] = []
    cursor = None
    while len(pages) < most:
        page = store.find(PROJECT, _at(query, cursor), now)
        pages.append([job.id for job in page.jobs])
        cursor = page.cursor
        if cursor is None:
            return pages
    raise AssertionError("the cursor never ends")


def _at(query: JobQuery, cursor: str | None) -> JobQuery:
    return replace(query, cursor=cursor)
