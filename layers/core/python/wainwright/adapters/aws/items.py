"""Rows of the one table: their keys and attributes, in DynamoDB's own JSON.

============================  ==========================  ==========================================
partition key                 sort key                    row
============================  ==========================  ==========================================
``JOB#project#id``            ``#JOB #DETAIL #PROGRESS``  a job; read together by one query of ``#``
``JOB#project#id``            ``TEST#digest``             the outcome of one test case
``JOB#project#id``            ``EVENT#sequence``          one stored event
``JOB#project#id``            ``LOG#time#number``         one line of the log
``JOB#project#id``            ``LOGGED``                  how many lines the log has
``JOB#project#id``            ``WORK``                    which cases of its work list are whose
``JOB#project#id``            ``ORDER#fence#page``        cases of the work list in their order
``JOB#project#id``            ``LANE#fence#number``       a lane of its run
``JOB#project#id``            ``NEXT#id``                 a job that was made to wait for this one
``QUEUE#project``             position in the line        one waiting job
``PROJECTS``                  project                     counters and limits of a project
``STATS#project(#template)``  hour                        sums over the jobs that ended in an hour
``FLAKY#project(#template)``  hour, test's digest         how often a test was flaky in an hour
``HISTORY#project``           file's digest               what is remembered of a file's tests
``TEMPLATE#project#id``       ``HEAD``                    a template's newest version
``TEMPLATE#project#id``       ``VERSION#number``          one version of it
``TEMPLATE#project#id``       ``RAN``                     when a job was last made of it
``TEMPLATES#project``         creation, id                a template, for listing
``PROJECT#project``           ``IDEMPOTENCY#key``         what a key stands for
``PROJECT#project``           ``KEY#id``                  an API key, for listing
``PROJECT#project``           ``SECRETS``                 names of the project's secrets
``PROJECT#project``           ``QUARANTINE#digest``       a test in quarantine
``KEY#sha256``                ``KEY``                     an API key, for finding
``TICKET#sha256``             ``TICKET``                  a ticket
``WORKERS``                   worker id                   a worker
============================  ==========================  ==========================================
"""

import gzip
import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from wainwright.contracts.events import JobEvent
from wainwright.contracts.names import JOB_ENTITY
from wainwright.domain.errors import TooLarge
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.states import AT_REST, IN_WORK, JobStatus
from wainwright.ports.job_store import StoredTest

Item = dict[str, Any]
"""Attributes by name, each as ``{"S": text}``, ``{"N": digits}`` or ``{"B": bytes}``."""

EVENTS_LAST = timedelta(hours=24)
DUE_SHARD = "DUE"

TTL_AFTER = timedelta(days=30)
"""A job's row goes by itself so long after the job has expired: until then, cleaning has deleted it with all its parts.

It is long because only the row leads to the parts: detail, progress and outcomes have no expiry of their own. When they are
written nobody knows how long the job will wait, run, and be tried again, and all of it needs them; and to give them one when
it has ended would cost as many writes as it costs to delete them. What tells of what happens, events and lines of the log,
goes by its own time.
"""

PLAIN_BYTES = 4_096
"""Bodies up to this size are kept as text, which is easier to look at; what is larger is compressed."""

MAX_PACKED_BYTES = 350_000
"""Compressed bytes of one body. DynamoDB's bound is 400 KB for a row with its keys."""


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A number attribute."""
    return {"N": str(value)}


def expiry(when: datetime) -> dict[str, str]:
    """The TTL attribute: seconds since the epoch, rounded up so that nothing expires early."""
    return number(math.ceil(when.timestamp()))


def key(partition: str, sort: str) -> Item:
    """A row's key."""
    return {"pk": text(partition), "sk": text(sort)}


def expressions(values: Item | None = None, **clauses: str) -> dict[str, Any]:
    """Return clauses of a request, such as ``ConditionExpression``, with all that they mention.

    ``#name`` in a clause is the attribute ``name``; ``values`` have the value of each ``:name``.
    """
    names = {name: name[1:] for clause in clauses.values() for name in re.findall(r"#\w+", clause)}
    request: dict[str, Any] = dict(clauses)
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = values
    return request


def pack(what: str, body: str) -> Item:
    """Attributes that keep a body of any size that a row can hold.

    Raises:
        TooLarge: even compressed it is larger than MAX_PACKED_BYTES; ``what`` says of what.
    """
    plain = body.encode()
    if len(plain) <= PLAIN_BYTES:
        return {"body": text(body)}
    packed = gzip.compress(plain, compresslevel=6, mtime=0)
    if len(packed) > MAX_PACKED_BYTES:
        raise TooLarge(
            f"{what} has {len(packed)} bytes compressed, more than {MAX_PACKED_BYTES}",
            advice="Keep large data in files of the bundle, or as attachments, and pass their names.",
        )
    return {"packed": {"B": packed}}


def unpack(item: Mapping[str, Any]) -> str:
    """The body that :func:`pack` made the attributes of."""
    if "packed" in item:
        return gzip.decompress(item["packed"]["B"]).decode()
    body: str = item["body"]["S"]
    return body


def job_partition(project: str, job_id: str) -> str:
    """The partition of a job and all its parts."""
    return f"JOB#{project}#{job_id}"


def job_key(project: str, job_id: str) -> Item:
    """The key of a job's row."""
    return key(job_partition(project, job_id), "#JOB")


def queue_partition(project: str) -> str:
    """The partition of a project's waiting line."""
    return f"QUEUE#{project}"


def project_partition(project: str) -> str:
    """The partition of a project's keys."""
    return f"PROJECT#{project}"


def next_key(project: str, predecessor: str, job_id: str) -> Item:
    """The key of the note that one job waits for another."""
    return key(job_partition(project, predecessor), f"NEXT#{job_id}")


_INSTANTS = ("created_at", "started_at", "completed_at", "expires_at")
_PLAIN = ("type", "template_id", "batch_id", "has_errors", "label")


def job_item(job: Job) -> Item:
    """A job's row: the record as JSON, and beside it what conditions and indexes need."""
    item = job_key(job.project, job.id) | {
        "entity": text(JOB_ENTITY),
        "body": text(job.model_dump_json(by_alias=True, exclude_defaults=True)),
        "version": number(job.version),
        "run": number(job.run),
        "fence": number(job.fence),
        "status": text(job.status),
        "facets": text(job.model_dump_json(include={"status", *_PLAIN, *_INSTANTS}, exclude_none=True)),
        "byProject": text(job.project),
        "byStatus": text(f"{job.project}#{job.status}"),
        "created": text(f"{to_text(job.created_at)}#{job.id}"),
    }
    if job.template_id is not None:
        item["byTemplate"] = text(f"{job.project}#{job.template_id}")
    if job.batch_id is not None:
        item["byBatch"] = text(f"{job.project}#{job.batch_id}")
    if job.started_at is not None:
        item["started"] = text(f"{to_text(job.started_at)}#{job.id}")
    if job.completed_at is not None:
        item["completed"] = text(f"{to_text(job.completed_at)}#{job.id}")
    if job.due_at is not None:
        item |= {"dueShard": text(DUE_SHARD), "dueAt": text(to_text(job.due_at))}
    if job.expires_at is not None:
        item["expiresAt"] = expiry(job.expires_at + TTL_AFTER)
    return item


def read_job(item: Mapping[str, Any]) -> Job:
    """The job of a row."""
    return Job.model_validate_json(item["body"]["S"])


def sealed(item: Mapping[str, Any]) -> bool:
    """Return True if the job of a row is being deleted: its version is negative until the row is gone."""
    return int(item["version"]["N"]) < 0


def read_facets(item: Mapping[str, Any]) -> Job:
    """Return the part of a job that an index has: its identity, and the fields that filters look at."""
    facets = json.loads(item["facets"]["S"])
    _, project, job_id = item["pk"]["S"].split("#", 2)
    known: dict[str, Any] = {name: facets.get(name) for name in _PLAIN}
    known |= {name: datetime.fromisoformat(facets[name]) if name in facets else None for name in _INSTANTS}
    # Not validated: a thousand of these are looked at for one page.
    return Job.model_construct(project=project, id=job_id, status=JobStatus(facets["status"]), **known)


def line_item(job: Job) -> Item:
    """A job's place in the waiting line."""
    item = key(queue_partition(job.project), job.line_position) | {"jobId": text(job.id), "lanes": number(job.lanes)}
    if job.not_before is not None:
        item["notBefore"] = text(to_text(job.not_before))
    return item


def test_key(project: str, job_id: str, test_id: str) -> Item:
    """The key of a test's outcome. Test ids may be longer than a sort key, so their digest stands for them."""
    return key(job_partition(project, job_id), f"TEST#{hashlib.sha256(test_id.encode()).hexdigest()[:32]}")


def test_item(job: Job, test: StoredTest) -> Item:
    """The outcome of one test case."""
    return test_key(job.project, job.id, test.id) | {"body": text(test.model_dump_json())}


def work_key(project: str, job_id: str) -> Item:
    """The key of a job's work list."""
    return key(job_partition(project, job_id), "WORK")


def order_prefix(fence: int) -> str:
    """The sort keys of the pages of a work list's order begin so."""
    return f"ORDER#{fence:06d}#"


def lane_prefix(fence: int) -> str:
    """The sort keys of a run's lanes begin so."""
    return f"LANE#{fence:06d}#"


def lane_key(project: str, job_id: str, fence: int, lane: int) -> Item:
    """The key of a lane's row."""
    return key(job_partition(project, job_id), f"{lane_prefix(fence)}{lane:04d}")


def held(job: Job, lane: LaneRecord | None = None) -> list[dict[str, Any]]:
    """Checks that the job still has the run and the fence that a worker knows, and is still in work, or at rest, as it
    knows it; and that a lane which is not the owner's was not dismissed. They come first in every transaction of a worker.
    """
    statuses = {f":{status}": text(status) for status in sorted(AT_REST if job.status in AT_REST else IN_WORK)}
    values = {":run": number(job.run), ":fence": number(job.fence)} | statuses
    condition = f"#run = :run AND fence = :fence AND #status IN ({', '.join(statuses)})"
    check = {"Key": job_key(job.project, job.id)} | expressions(values, ConditionExpression=condition)
    return [{"ConditionCheck": check}, *([{"ConditionCheck": _lane_held(job, lane)}] if lane is not None else [])]


def _lane_held(job: Job, lane: LaneRecord) -> dict[str, Any]:
    """A check that a lane's row lets pass what this stay in it writes."""
    lane_row = lane_key(job.project, job.id, job.fence, lane.lane)
    return {"Key": lane_row} | expressions({":token": text(lane.token)}, ConditionExpression="#token = :token")


def event_item(project: str, job_id: str, event: JobEvent) -> Item:
    """One stored event; it expires after a day (requirement D9)."""
    return key(job_partition(project, job_id), f"EVENT#{event.sequence:010d}") | {
        "body": text(event.model_dump_json(by_alias=True)),
        "expiresAt": expiry(event.at + EVENTS_LAST),
    }
