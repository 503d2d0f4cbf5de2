"""Invariants of a deployment that has come to rest, read from its rows, objects, queues and executions alone.

This is an oracle: it imports nothing of the product and knows the stored formats by itself. The formats are those of the
table in ``adapters/aws/items.py``. It may be asked again and again: once nothing happens any more, it has to find nothing.

Two limits of the contract, which it follows. An attachment that a lost worker uploaded before it recorded the test has no row
of its own: it lies under its job's prefix, no report names it, and it goes with the job. And the bus gets an event at least
once: several deliveries of one event are told apart from several endings by ``jobId`` and ``statusSequence``.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FINAL = frozenset({"completed", "failed", "canceled", "skipped"})
AT_REST = FINAL | {"stopped"}
REPORT_PAGES = ("index.html", "results.json", "junit.xml", "manifest.json")

_REPORT_KEY = re.compile(r"reports/\d+d/([^/]+)/([^/]+)/(.+)\Z")
_COUNTED = ("passed", "failed", "flaky", "skipped", "quarantined")

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Clients of AWS, and the names of what they are asked for. ``queue_urls`` are all queues, dead-letter queues too."""

    dynamodb: Any
    s3: Any
    sqs: Any
    stepfunctions: Any
    table: str
    bucket: str
    state_machine_arn: str
    queue_urls: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Facts that a deployment's rows cannot tell.

    - ``accepted``: ids of jobs of which the API said that it has them. ``deleted``: those that it said are gone.
    - ``published``: details of the events that arrived at the bus; None where nobody listened.
    - ``alive_workers``: ids of workers that run; None where that is not known.
    - ``spooled``: keys of objects on a disk that is still there; a report may name them as missing from the bucket.
    """

    accepted: Collection[str] = ()
    deleted: Collection[str] = ()
    published: Sequence[Mapping[str, Any]] | None = None
    alive_workers: Collection[str] | None = None
    spooled: Collection[str] = ()


@dataclass
class _Job:
    """A job by its rows."""

    project: str
    id: str
    row: Row
    body: Mapping[str, Any]
    tests: list[Mapping[str, Any]] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    progress: Row | None = None
    successors: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.body.get("status", "pending"))

    @property
    def admitted(self) -> bool:
        return self.body.get("admittedAt") is not None

    @property
    def waiting(self) -> bool:
        return self.status == "pending" and not self.admitted and not self.body.get("blockedOn")

    @property
    def queued(self) -> bool:
        counts = self.body.get("countsBlocked", False) or not self.body.get("blockedOn")
        return self.status == "pending" and not self.admitted and bool(counts)

    def __str__(self) -> str:
        return f"job {self.id} ({self.status})"


class _Snapshot:
    """All rows and objects, read once."""

    def __init__(self, deployment: Deployment) -> None:
        self.rows = list(_scan(deployment))
        self.objects = dict(_list(deployment))
        self.jobs: dict[str, _Job] = {}
        parts: list[tuple[str, str, Row]] = []
        for row in self.rows:
            partition, sort = row["pk"]["S"], row["sk"]["S"]
            if not partition.startswith("JOB#"):
                continue
            _, project, job_id = partition.split("#", 2)
            if sort == "#JOB":
                self.jobs[job_id] = _Job(project, job_id, row, json.loads(row["body"]["S"]))
            else:
                parts.append((job_id, sort, row))
        self.orphans = Counter(job_id for job_id, _, _ in parts if job_id not in self.jobs)
        for job_id, sort, row in parts:
            if job_id in self.jobs:
                _add_part(self.jobs[job_id], sort, row)

    def partition(self, name: str) -> Iterator[Row]:
        return (row for row in self.rows if row["pk"]["S"] == name)


def find_violations(deployment: Deployment, expected: Expected | None = None) -> list[str]:
    """Return a sentence for each invariant that does not hold; none for a deployment at rest in which nothing was lost."""
    expected = expected or Expected()
    found = _Snapshot(deployment)
    checks: Iterable[Iterator[str]] = (
        _check_accepted(found, expected),
        _check_at_rest(found),
        _check_counters(found),
        _check_line(found),
        _check_parts(found, expected),
        _check_reports(deployment, found, expected),
        _check_attachments(found, expected),
        _check_statistics(found),
        _check_workers(found, expected),
        _check_queues(deployment),
        _check_executions(deployment),
        _check_published(found, expected),
    )
    return [violation for check in checks for violation in check]


def _check_accepted(found: _Snapshot, expected: Expected) -> Iterator[str]:
    for job_id in expected.accepted:
        if job_id not in found.jobs and job_id not in expected.deleted:
            yield f"job {job_id} was accepted and is lost: it has no row"
    for job_id in expected.deleted:
        if job_id in found.jobs:
            yield f"{found.jobs[job_id]} was deleted and has a row"


def _check_at_rest(found: _Snapshot) -> Iterator[str]:
    for job in found.jobs.values():
        if job.status not in AT_REST:
            yield f"{job} is not at rest: run {job.body.get('run', 0)}, fence {job.body.get('fence', 0)}"
            continue
        left = [name for name in ("admittedAt", "worker", "leaseUntil", "outcome") if job.body.get(name) is not None]
        if left:
            yield f"{job} is at rest and still has {', '.join(left)}"
        if "dueAt" in job.row or job.body.get("dueAt") is not None:
            yield f"{job} is at rest and still due"
        if job.body.get("completedAt") is None:
            yield f"{job} is at rest and has no time of its end"
        if job.status in {"failed", "canceled", "skipped"} and not job.body.get("failure"):
            yield f"{job} has no failure that says why"
        if job.status == "completed" and job.body.get("failure"):
            yield f"{job} has a failure"
        if int(job.row["version"]["N"]) < 0:
            yield f"{job} is half deleted"


def _check_counters(found: _Snapshot) -> Iterator[str]:
    queued: Counter[str] = Counter(job.project for job in found.jobs.values() if job.queued)
    running: Counter[str] = Counter()
    for job in found.jobs.values():
        running[job.project] += int(job.body.get("lanes", 1)) if job.admitted else 0
    counted = {row["sk"]["S"]: row for row in found.partition("PROJECTS")}
    for project in {*queued, *running, *counted}:
        row = counted.get(project, {})
        for name, truth in (("queued", queued[project]), ("running", running[project])):
            value = int(row.get(name, {"N": "0"})["N"])
            if value != truth:
                yield f"project {project} counts {value} {name}, and its jobs make {truth}"


def _check_line(found: _Snapshot) -> Iterator[str]:
    places = Counter(row["jobId"]["S"] for row in found.rows if row["pk"]["S"].startswith("QUEUE#"))
    waiting = {job.id for job in found.jobs.values() if job.waiting}
    for job_id, count in places.items():
        if job_id not in waiting:
            yield f"job {job_id} has {count} places in the waiting line and does not wait"
        elif count > 1:
            yield f"job {job_id} has {count} places in the waiting line"
    for job_id in waiting - places.keys():
        yield f"job {job_id} waits and has no place in the waiting line"


def _check_parts(found: _Snapshot, expected: Expected) -> Iterator[str]:
    for job_id, count in found.orphans.items():
        yield f"job {job_id} has no row, and {count} rows of its parts are left"
    for key in found.objects:
        match = _REPORT_KEY.match(key)
        if match and match[2] not in found.jobs:
            yield f"job {match[2]} has no row, and its object {match[3]} is left"
    for job in found.jobs.values():
        for successor in job.successors:
            if successor not in found.jobs and successor not in expected.deleted:
                yield f"{job} is waited for by job {successor}, which has no row"
        if job.events and sorted(job.events) != list(range(min(job.events), max(job.events) + 1)):
            yield f"{job} has events {sorted(job.events)}, with a gap"
        if job.events and job.progress is not None and max(job.events) != int(job.progress["sequence"]["N"]):
            yield f"{job} has events up to {max(job.events)}, and its progress says {job.progress['sequence']['N']}"


def _check_reports(deployment: Deployment, found: _Snapshot, expected: Expected) -> Iterator[str]:
    for job in found.jobs.values():
        report, fence = job.body.get("report"), int(job.body.get("fence", 0))
        if fence and job.status in AT_REST and not report:
            yield f"{job} had {fence} claims and has no report"
        if not report:
            continue
        if int(report["fence"]) > fence:
            yield f"{job} has a report of fence {report['fence']}, above its own {fence}"
        prefix = f"reports/{job.body.get('reportDays', 30)}d/{job.project}/{job.id}/"
        missing = tuple(report.get("missing", ()))
        for page in REPORT_PAGES:
            key = f"{prefix}f{report['fence']}/{page}"
            if key not in found.objects and not (page in missing and key in expected.spooled):
                yield f"{job} names a report of fence {report['fence']} that has no {page}"
        results = f"{prefix}f{report['fence']}/results.json"
        if results in found.objects and job.status in AT_REST:
            document = json.loads(deployment.s3.get_object(Bucket=deployment.bucket, Key=results)["Body"].read())
            yield from _check_results(job, document)
            yield from _check_named(job, prefix, document, found, expected, missing)


def _check_results(job: _Job, document: Mapping[str, Any]) -> Iterator[str]:
    """The report, the row and the tests' own rows tell the same story."""
    fresh = int(job.body.get("freshSince", 1))
    rows = {row["id"]: row["outcome"] for row in job.tests if int(row["attempt"]) >= fresh}
    reported = {test["id"]: test["outcome"] for test in document["tests"]}
    if reported != rows and job.status != "stopped":
        differing = sorted(name for name in {*rows, *reported} if rows.get(name) != reported.get(name))
        yield f"{job}: report and rows differ in {', '.join(differing)}"
    tally = job.body.get("tests", {})
    counted = Counter(rows.values())
    for outcome in _COUNTED:
        if int(tally.get(outcome, 0)) != counted[outcome]:
            yield f"{job} counts {tally.get(outcome, 0)} tests as {outcome}, and its rows make {counted[outcome]}"
    if job.status == "completed":
        if int(tally.get("total", 0)) != len(rows):
            yield f"{job} collected {tally.get('total', 0)} tests, and {len(rows)} have an outcome"
        if counted["failed"]:
            yield f"{job} has {counted['failed']} failed tests"


def _check_named(
    job: _Job, prefix: str, document: Mapping[str, Any], found: _Snapshot, expected: Expected, missing: Sequence[str]
) -> Iterator[str]:
    for test in [*document["tests"], *document["interrupted"]]:
        for attachment in test["attachments"]:
            href = attachment.get("href")
            key = f"{prefix}{href}"
            if href and key not in found.objects and not (href in missing and key in expected.spooled):
                yield f"{job}: its report names {href}, which is not there"


def _check_attachments(found: _Snapshot, expected: Expected) -> Iterator[str]:
    for job in found.jobs.values():
        prefix = f"reports/{job.body.get('reportDays', 30)}d/{job.project}/{job.id}/"
        for test in job.tests:
            spooled = test["body"].get("spooled", ())
            for attempt in test["body"]["attempts"]:
                for attachment in attempt["attachments"]:
                    href = attachment.get("href")
                    key = f"{prefix}{href}"
                    if href and key not in found.objects and not (href in spooled and key in expected.spooled):
                        yield f"{job}: the row of {test['id']} names {href}, which is not there"
        fence = int(job.body.get("fence", 0))
        for key in found.objects:
            if key.startswith(f"{prefix}f") and int(key.removeprefix(f"{prefix}f").partition("/")[0]) > fence:
                yield f"{job} has {key.removeprefix(prefix)}, of a fence that it never had"


def _check_statistics(found: _Snapshot) -> Iterator[str]:
    """Each ending is counted once. A job that was tried again by hand has more than one, so its project is passed over."""
    ended: dict[str, Counter[str]] = defaultdict(Counter)
    for job in found.jobs.values():
        if job.status in FINAL:
            ended[job.project][job.status] += 1
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in found.rows:
        if row["pk"]["S"].startswith("STATS#") and row["pk"]["S"].count("#") == 1:
            for name in row:
                if name.startswith("s:"):
                    counted[row["pk"]["S"].partition("#")[2]][name[2:]] += int(row[name]["N"])
    for project, statuses in ended.items():
        for status, number in statuses.items():
            if counted[project][status] < number:
                yield f"project {project} has {number} jobs {status}, and its statistics count {counted[project][status]}"


def _check_workers(found: _Snapshot, expected: Expected) -> Iterator[str]:
    if expected.alive_workers is None:
        return
    for row in found.partition("WORKERS"):
        if row["sk"]["S"] not in expected.alive_workers:
            yield f"worker {row['sk']['S']} is gone and has a row"


def _check_queues(deployment: Deployment) -> Iterator[str]:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    for name, url in deployment.queue_urls.items():
        answer = deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        visible, taken, delayed = (int(answer.get(each, "0")) for each in names)
        if visible or taken or delayed:
            yield f"queue {name} has {visible} messages, {taken} in flight, {delayed} delayed"


def _check_executions(deployment: Deployment) -> Iterator[str]:
    request = {"stateMachineArn": deployment.state_machine_arn, "statusFilter": "RUNNING"}
    while True:
        answer = deployment.stepfunctions.list_executions(**request)
        for execution in answer["executions"]:
            yield f"execution {execution['name']} still runs"
        if "nextToken" not in answer:
            return
        request["nextToken"] = answer["nextToken"]


def _check_published(found: _Snapshot, expected: Expected) -> Iterator[str]:
    if expected.published is None:
        return
    told: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for detail in expected.published:
        told[detail["jobId"]][int(detail["statusSequence"])].add(detail["status"])
    for job_id, sequences in told.items():
        for sequence, statuses in sequences.items():
            if len(statuses) > 1:
                yield f"job {job_id} was told to be {' and '.join(sorted(statuses))} as its change {sequence}"
    for job in found.jobs.values():
        yield from _check_told(job, told[job.id])


def _check_told(job: _Job, known: Mapping[int, set[str]]) -> Iterator[str]:
    sequence = int(job.body.get("statusSequence", 1))
    lacking = [number for number in range(1, sequence + 1) if number not in known]
    if lacking:
        yield f"{job}: the bus was not told of its changes {lacking}"
    if job.status not in known.get(sequence, {job.status}):
        yield f"{job}: the bus was told that it is {', '.join(known[sequence])}"
    if any(number > sequence for number in known):
        yield f"{job}: the bus was told of changes beyond its last, {sequence}"
    last = [number for number, statuses in known.items() if statuses & FINAL]
    if job.status in FINAL and len(last) > 1 and int(job.body.get("attempt", 1)) == 1:
        yield f"{job}: the bus was told of {len(last)} endings"


def _add_part(job: _Job, sort: str, row: Row) -> None:
    if sort.startswith("TEST#"):
        job.tests.append(_body(row))
    elif sort.startswith("EVENT#"):
        job.events.append(int(sort.removeprefix("EVENT#")))
    elif sort == "#PROGRESS":
        job.progress = row
    elif sort.startswith("NEXT#"):
        job.successors.append(sort.removeprefix("NEXT#"))


def _body(row: Row) -> Mapping[str, Any]:
    text = gzip.decompress(row["packed"]["B"]).decode() if "packed" in row else row["body"]["S"]
    body: Mapping[str, Any] = json.loads(text)
    return body


def _scan(deployment: Deployment) -> Iterator[Row]:
    request: dict[str, Any] = {"TableName": deployment.table, "ConsistentRead": True}
    while True:
        answer = deployment.dynamodb.scan(**request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _list(deployment: Deployment) -> Iterator[tuple[str, int]]:
    request = {"Bucket": deployment.bucket, "Prefix": "reports/"}
    while True:
        answer = deployment.s3.list_objects_v2(**request)
        yield from ((found["Key"], found["Size"]) for found in answer.get("Contents", ()))
        if not answer["IsTruncated"]:
            return
        request["ContinuationToken"] = answer["NextContinuationToken"]
