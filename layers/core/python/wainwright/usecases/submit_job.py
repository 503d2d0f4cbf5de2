"""Accept a job: check it, make a bundle of a script, write it into the waiting line, wake dispatch."""

import ast
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from wainwright.contracts.bundles import pack_files
from wainwright.contracts.http import CreateJob
from wainwright.contracts.names import bundle_key, new_job_id
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import IdempotencyConflict, InvalidInput
from wainwright.domain.jobs import CHECK_AFTER, Job, JobDetail
from wainwright.ports import Artifacts, Clock, Idempotency, JobStore, JobView, Progress, WakeUps
from wainwright.usecases.caller import Caller

IDEMPOTENCY_LASTS = timedelta(hours=24)
SCRIPT_NAME = "test_script.py"


@dataclass(frozen=True)
class SubmitJob:
    """Accepts jobs. ``default_timeout_ms`` bounds a job that names no timeout."""

    jobs: JobStore
    artifacts: Artifacts
    wakeups: WakeUps
    clock: Clock
    default_limits: Limits
    default_timeout_ms: int

    def __call__(self, caller: Caller, request: CreateJob, idempotency_key: str | None = None) -> JobView:
        """Accept a job, or find the one that the same request made before.

        Raises:
            InvalidInput: the script does not compile, or the bundle was never uploaded.
            IdempotencyConflict: the key came with another request before.
            CapacityExceeded: the project's line is full.
        """
        fingerprint = hashlib.sha256(json.dumps(request.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
        if idempotency_key and (earlier := self._earlier(caller.project, idempotency_key, fingerprint)):
            return earlier
        job, detail = self._job(caller, request)
        limits = self.jobs.load(caller.project).limits or self.default_limits
        idempotency = (
            Idempotency(key=idempotency_key, digest=fingerprint, until=job.created_at + IDEMPOTENCY_LASTS)
            if idempotency_key
            else None
        )
        try:
            written = self.jobs.write(None, job, limits=limits, detail=detail, idempotency=idempotency)
        except IdempotencyConflict:
            # The same request arrived twice at once, and the other one won.
            earlier = self._earlier(caller.project, idempotency_key or "", fingerprint)
            if earlier is None:
                raise
            return earlier
        self.wakeups.send(caller.project)
        return JobView(job=written, detail=detail, progress=Progress())

    def _earlier(self, project: str, key: str, fingerprint: str) -> JobView | None:
        found = self.jobs.get_idempotent(project, key)
        if found is None:
            return None
        job_id, digest = found
        if digest != fingerprint:
            raise IdempotencyConflict(
                "this Idempotency-Key was used for another request",
                advice="Send another key with a new request, and the same key only with the same request.",
            )
        return self.jobs.view(project, job_id)

    def _job(self, caller: Caller, request: CreateJob) -> tuple[Job, JobDetail]:
        now = self.clock()
        job = Job(
            project=caller.project, id=new_job_id(), label=request.label, priority=request.priority,
            low_priority=request.low_priority, url=request.url, bundle_id=self._bundle(caller.project, request),
            run_by=caller.run_by, timeout_ms=request.config.timeout or self.default_timeout_ms, retry=request.retry,
            created_at=now, updated_at=now, due_at=now + CHECK_AFTER,
        )  # fmt: skip
        config = request.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        return job, JobDetail(params=request.params, config=config)

    def _bundle(self, project: str, request: CreateJob) -> str:
        if request.script is not None:
            check_script(request.script)
            archive = pack_files({SCRIPT_NAME: request.script.encode()})
            digest = hashlib.sha256(archive).hexdigest()
            self.artifacts.put(bundle_key(project, digest), archive, "application/gzip")
            return digest
        digest = request.bundle_id or ""
        if self.artifacts.size_and_age(bundle_key(project, digest)) is None:
            raise InvalidInput(
                "bundleId", f"no bundle {digest} has been uploaded to this project, or it has expired",
                advice="Announce it by POST /v1/bundles and upload it to the address given there.",
            )  # fmt: skip
        return digest


def check_script(script: str) -> None:
    """Refuse a script that cannot even be compiled (requirement D3).

    Raises:
        InvalidInput: with ``line`` and ``column``, both from 1.
    """
    try:
        ast.parse(script, filename=SCRIPT_NAME)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested beyond the parser
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        reason = getattr(error, "msg", None) or str(error) or "too deeply nested"
        raise InvalidInput(
            "script", f"line {line}, column {column}: {reason}", extra={"line": line, "column": column},
            advice="Mend the script; it was not queued.",
        ) from error  # fmt: skip
