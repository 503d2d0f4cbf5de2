"""Accept a job: check it, make a bundle of scripts, write it into the waiting line, wake dispatch."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wainwright.contracts.names import check_job_id, new_job_id
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, IdempotencyConflict, InvalidInput, Refused
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.job_requests import JobRequest
from wainwright.domain.jobs import CHECK_AFTER, Job, JobDetail, Outcome
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import FINAL, JobStatus
from wainwright.domain.templates import Template
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import Idempotency, JobStore, JobView, Progress
from wainwright.ports.queues import WakeUps
from wainwright.ports.updates import retry_conflicts
from wainwright.usecases.caller import Caller
from wainwright.usecases.check_schemas import check_schema, check_size
from wainwright.usecases.end_job import find_final_url
from wainwright.usecases.fill_parameters import fill_parameters
from wainwright.usecases.keep_bundles import KeepBundles

IDEMPOTENCY_LASTS = timedelta(hours=24)

NO_PLANNER = "instructions cannot be run yet: use a script or a bundle"


@dataclass(frozen=True)
class SubmitJob:
    """Accepts jobs. ``default_timeout_ms`` bounds a job that names no timeout."""

    jobs: JobStore
    artifacts: Artifacts
    wakeups: WakeUps
    clock: Clock
    default_limits: Limits
    default_timeout_ms: int

    def __call__(
        self,
        caller: Caller,
        request: JobRequest,
        idempotency_key: str | None = None,
        *,
        template: Template | None = None,
    ) -> JobView:
        """Accept a job, or find the one that the same request made before. ``template`` is the one it names.

        Raises:
            InvalidInput: a script does not compile, the bundle was never uploaded, a schema or parameter is wrong, or
                there is no job of an id in ``dependsOn``.
            Refused: a job in ``dependsOn`` has ended otherwise than well.
            TooLarge: params, config, schema and instructions are together too large.
            IdempotencyConflict: the key came with another request before, or its job was deleted.
            CapacityExceeded: the project has as many jobs queued as it may.
        """
        if request.template_id != (template.id if template else None):
            raise ValueError("the template given is not the one that the request names")
        fingerprint = _fingerprint(request)
        if idempotency_key and (earlier := self._earlier(caller.project, idempotency_key, fingerprint)):
            return earlier
        limits = self.jobs.load(caller.project).limits or self.default_limits
        detail = _detail(request, template)
        job = self._job(caller, request, template, detail, limits)
        try:
            written = self._write(job, request, detail, limits, idempotency_key, fingerprint)
        except (IdempotencyConflict, CapacityExceeded):
            # The same request may have arrived twice at once, and the other one won.
            earlier = self._earlier(caller.project, idempotency_key or "", fingerprint) if idempotency_key else None
            if earlier is None:
                raise
            return earlier
        if written.waiting:
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
        view = self.jobs.view(project, job_id)
        if view is None:
            raise IdempotencyConflict(
                f"this Idempotency-Key belongs to the job {job_id}, which was deleted",
                advice="Send a new key to create another job.",
            )
        return view

    def _write(
        self, job: Job, request: JobRequest, detail: JobDetail, limits: Limits, key: str | None, fingerprint: str
    ) -> Job:
        idempotency = (
            Idempotency(key=key, digest=fingerprint, until=job.created_at + IDEMPOTENCY_LASTS) if key else None
        )

        def attempt() -> Job:
            predecessors = self._predecessors(job.project, request.depends_on)
            blockers = [each for each in predecessors if each.status is not JobStatus.COMPLETED]
            ready = job.model_copy(
                update={
                    "depends_on": tuple(each.id for each in predecessors),
                    "url": job.url or self._final_url(predecessors),
                }
            )
            if blockers and not job.is_final:
                ready = ready.wait_for(tuple(each.id for each in blockers), job.created_at)
            told = [(each, each.gain_dependent(self.clock())) for each in blockers if each.is_leaf]
            # What blocks must still be going on, and look for the new job when it ends: else nobody would start that.
            return self.jobs.write(
                None, ready, limits=limits, detail=detail, idempotency=idempotency, also=told,
                unchanged=[each for each in blockers if not each.is_leaf],
            )  # fmt: skip

        # Only those that it depends on can have changed meanwhile.
        return retry_conflicts(attempt, "a job that depends on others") if request.depends_on else attempt()

    def _predecessors(self, project: str, ids: Sequence[str]) -> list[Job]:
        found: dict[str, Job] = {}
        for number, job_id in enumerate(ids):
            field = f"dependsOn.{number}"
            try:
                job = self.jobs.get(project, check_job_id(job_id))
            except InvalidInput as error:
                raise InvalidInput(field, f"{field}: {error.message}", advice=error.advice) from error
            if job is None or job.has_expired(self.clock()):
                raise InvalidInput(field, f"this project has no job {job_id}", advice="Name jobs that exist.")
            if job.status in FINAL and job.status is not JobStatus.COMPLETED:
                raise Refused(
                    f"the job {job_id} is {job.status}, so a job that depends on it would never run",
                    advice="Retry that job first, or leave it out of dependsOn.",
                )
            found[job_id] = job
        return [*found.values()]

    def _final_url(self, predecessors: Sequence[Job]) -> str | None:
        """The address that the first completed predecessor ended at, of those that say so (requirement A9)."""
        completed = (job for job in predecessors if job.status is JobStatus.COMPLETED)
        return next((url for job in completed if (url := find_final_url(self.jobs, job))), None)

    def _job(
        self, caller: Caller, request: JobRequest, template: Template | None, detail: JobDetail, limits: Limits
    ) -> Job:
        now = self.clock()
        job = Job(
            project=caller.project, id=new_job_id(), label=request.label, priority=request.priority,
            low_priority=request.low_priority, url=request.url or (template.url if template else None),
            bundle_id=self._bundle(caller.project, request, template),
            template_id=template.id if template else None, template_version=template.version if template else None,
            run_by=caller.run_by, timeout_ms=detail.config.get("timeout") or self.default_timeout_ms,
            retry=request.retry or (template.retry if template else None) or RetryPolicy(),
            lanes=_lanes(request, template, limits), report_days=limits.retention.report_days,
            created_at=now, updated_at=now, due_at=now + CHECK_AFTER, is_leaf=True,
        )  # fmt: skip
        if detail.instructions is None:
            return job
        failure = Failure.of(FailureCategory.INSTRUCTIONS, NO_PLANNER)
        ended = job.finish(Outcome(status=JobStatus.FAILED, fence=0, failure=failure), now)
        return ended.model_copy(update={"expires_at": now + timedelta(days=limits.retention.job_days)})

    def _bundle(self, project: str, request: JobRequest, template: Template | None) -> str | None:
        keep = KeepBundles(self.artifacts, self.clock)
        if template is None:
            return keep.for_job(project, request)
        if template.bundle_id is not None:
            keep.bring_back(project, template.id, template.bundle_id)
        return template.bundle_id


def _lanes(request: JobRequest, template: Template | None, limits: Limits) -> int:
    """Return the number of the job's lanes. Raises InvalidInput: more than the project may ever have running."""
    lanes = request.parallelism or (template.parallelism if template else None) or 1
    if lanes > limits.running:
        raise InvalidInput(
            "parallelism", f"parallelism is {lanes}, and the project may have {limits.running} lanes running",
            advice=f"Ask for at most {limits.running}, or have the project's administrator raise the limit.",
        )  # fmt: skip
    return lanes


def _fingerprint(request: JobRequest) -> str:
    return hashlib.sha256(json.dumps(request.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _detail(request: JobRequest, template: Template | None) -> JobDetail:
    """Return the job's detail: the template's, overridden by the request's."""
    config: dict[str, Any] = request.config.model_dump(mode="json", by_alias=True, exclude_none=True)
    params, schema, instructions = request.params, request.output_schema, request.instructions
    if schema is not None:
        check_schema("outputSchema", schema)
    if template is not None:
        config = template.config | config
        params = fill_parameters(template, params)
        schema = template.output_schema if schema is None else schema
        instructions = template.instructions
    check_size(params=params, config=config, outputSchema=schema, instructions=instructions)
    return JobDetail(params=params, config=config, output_schema=schema, instructions=instructions)
