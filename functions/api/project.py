"""Calls of a project as a whole: its queue, limits, keys and secrets."""

from datetime import datetime, timedelta
from typing import Annotated

from functions.api.backend import Backend
from functions.api.operations import Operation, Query, Router
from functions.api.parameters import whole_number
from wainwright.contracts.http.jobs import QueueAnswer
from wainwright.contracts.http.keys import CreateKey, KeyCreated, KeyList, KeyRecord
from wainwright.contracts.http.secrets import PutSecret, SecretAnswer, SecretList, SecretRecord
from wainwright.contracts.job_records import JobRecord
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits
from wainwright.domain.jobs import Job, JobDetail
from wainwright.ports.access import ApiKey
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_keys import ManageKeys
from wainwright.usecases.manage_limits import ManageLimits
from wainwright.usecases.manage_secrets import ManageSecrets
from wainwright.usecases.present_job import present_new
from wainwright.usecases.read_queue import ReadQueue

LONG_RUNNING_MINUTES = 10
MAX_MINUTES = 10_080

router = Router()


@router.add(Operation("GET", "/queue", Scope.READ, id="queue", problems=(400,)))
def read_queue(
    backend: Backend,
    caller: Caller,
    long_running_minutes: Annotated[
        int,
        Query("from how many minutes on a job runs long; 10 if not given", whole_number(0, MAX_MINUTES), "integer"),
    ] = LONG_RUNNING_MINUTES,
) -> QueueAnswer:
    """Jobs that run, that wait, that failed lately, and that run long."""
    read = ReadQueue(backend.jobs, backend.clock, backend.settings.limits)
    queue = read(caller, long_running=timedelta(minutes=long_running_minutes))
    now = backend.clock()
    return QueueAnswer(
        queued=queue.queued,
        running=queue.running,
        limits=queue.limits,
        waiting=_job_records(queue.waiting, now),
        long_running=_job_records(queue.long_running, now),
        recent_failures=_job_records(queue.recent_failures, now),
    )


def _job_records(jobs: list[Job], now: datetime) -> list[JobRecord]:
    return [present_new(job, JobDetail(), now) for job in jobs]


@router.add(Operation("GET", "/limits", Scope.READ))
def get_limits(backend: Backend, caller: Caller) -> Limits:
    """Capacity and retention of the project."""
    return ManageLimits(backend.jobs, backend.settings.limits).get(caller)


@router.add(Operation("PUT", "/limits", Scope.ADMIN, problems=(400,)))
def put_limits(backend: Backend, caller: Caller, body: Limits) -> Limits:
    """Set capacity and retention of the project."""
    return ManageLimits(backend.jobs, backend.settings.limits).put(caller, body)


@router.add(Operation("GET", "/keys", Scope.ADMIN))
def list_keys(backend: Backend, caller: Caller) -> KeyList:
    """API keys of the project, without secrets."""
    return KeyList(keys=[_key_record(key) for key in ManageKeys(backend.access, backend.clock).list(caller.project)])


@router.add(Operation("POST", "/keys", Scope.ADMIN, status=201, problems=(400,)))
def create_key(backend: Backend, caller: Caller, body: CreateKey) -> KeyCreated:
    """Create an API key; its secret is in this answer alone."""
    key, secret = ManageKeys(backend.access, backend.clock).create(caller.project, body.scope, body.name)
    return KeyCreated(key=_key_record(key), secret=secret)


def _key_record(key: ApiKey) -> KeyRecord:
    return KeyRecord(id=key.id, name=key.name, scope=key.scope, created_at=key.created_at, revoked=key.revoked)


@router.add(Operation("DELETE", "/keys/{keyId}", Scope.ADMIN, status=204, problems=(404,)))
def revoke_key(backend: Backend, caller: Caller, key_id: str) -> None:
    """Revoke an API key; noticed everywhere within 30 s."""
    ManageKeys(backend.access, backend.clock).revoke(caller.project, key_id)


@router.add(Operation("GET", "/secrets", Scope.ADMIN))
def list_secrets(backend: Backend, caller: Caller) -> SecretList:
    """Secrets of the project: names and times, never values."""
    updated = ManageSecrets(backend.secrets, backend.clock).list(caller.project)
    return SecretList(secrets=[SecretRecord(name=name, updated_at=at) for name, at in updated.items()])


@router.add(Operation("PUT", "/secrets/{name}", Scope.ADMIN, problems=(400, 404, 409, 413)))
def put_secret(backend: Backend, caller: Caller, name: str, body: PutSecret) -> SecretAnswer:
    """Set a secret, which tests get as an environment variable."""
    updated_at = ManageSecrets(backend.secrets, backend.clock).put(caller.project, name, body.value)
    return SecretAnswer(secret=SecretRecord(name=name, updated_at=updated_at))


@router.add(Operation("DELETE", "/secrets/{name}", Scope.ADMIN, status=204, problems=(400, 404)))
def delete_secret(backend: Backend, caller: Caller, name: str) -> None:
    """Delete a secret."""
    ManageSecrets(backend.secrets, backend.clock).delete(caller.project, name)
