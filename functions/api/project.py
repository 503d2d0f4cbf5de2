"""Calls of a project as a whole: its queue, limits, keys and secrets."""

from datetime import timedelta
from typing import Annotated

from functions.api.context import Api
from functions.api.operations import Query, Router
from functions.api.parameters import whole_number
from wainwright.contracts.http.access import (
    CreateKey,
    KeyCreated,
    KeyList,
    KeyRecord,
    PutSecret,
    SecretAnswer,
    SecretList,
    SecretRecord,
)
from wainwright.contracts.http.jobs import QueueAnswer
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits
from wainwright.ports.access import ApiKey
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_keys import ManageKeys
from wainwright.usecases.manage_secrets import ManageSecrets
from wainwright.usecases.present_job import present_rows
from wainwright.usecases.read_queue import ReadQueue

LONG_RUNNING_MINUTES = 10
MAX_MINUTES = 10_080

route = Router()


@route("GET /queue", Scope.READ, id="queue", problems=(400,))
def read_queue(
    api: Api,
    caller: Caller,
    long_running_minutes: Annotated[
        int,
        Query(
            "minutes after which a job counts as long-running; 10 if not given", whole_number(0, MAX_MINUTES), "integer"
        ),
    ] = LONG_RUNNING_MINUTES,
) -> QueueAnswer:
    """Jobs that run, that wait, that failed lately, and that run long."""
    read = ReadQueue(api.jobs, api.clock, api.settings.limits)
    queue = read(caller, long_running=timedelta(minutes=long_running_minutes))
    now = api.clock()
    return QueueAnswer(
        queued=queue.queued,
        running=queue.running,
        limits=queue.limits,
        waiting=present_rows(queue.waiting, now),
        long_running=present_rows(queue.long_running, now),
        recent_failures=present_rows(queue.recent_failures, now),
    )


@route("GET /limits", Scope.READ)
def get_limits(api: Api, caller: Caller) -> Limits:
    """Limits and retention of the project."""
    return api.jobs.load(caller.project).limits or api.settings.limits


@route("PUT /limits", Scope.ADMIN, problems=(400,))
def put_limits(api: Api, caller: Caller, body: Limits) -> Limits:
    """Set capacity and retention of the project.

    Jobs beyond lower limits are left to end by themselves.
    """
    api.jobs.set_limits(caller.project, body)
    return body


@route("GET /keys", Scope.ADMIN)
def list_keys(api: Api, caller: Caller) -> KeyList:
    """API keys of the project, without secrets."""
    return KeyList(keys=[_key_record(key) for key in ManageKeys(api.access, api.clock).list(caller.project)])


@route("POST /keys", Scope.ADMIN, status=201, problems=(400,))
def create_key(api: Api, caller: Caller, body: CreateKey) -> KeyCreated:
    """Create an API key; its secret is in this answer alone."""
    key, secret = ManageKeys(api.access, api.clock).create(caller.project, body.scope, body.name)
    return KeyCreated(key=_key_record(key), secret=secret)


def _key_record(key: ApiKey) -> KeyRecord:
    return KeyRecord(id=key.id, name=key.name, scope=key.scope, created_at=key.created_at, revoked=key.revoked)


@route("DELETE /keys/{keyId}", Scope.ADMIN, status=204, problems=(404,))
def revoke_key(api: Api, caller: Caller, key_id: str) -> None:
    """Revoke an API key; noticed everywhere within 30 s."""
    ManageKeys(api.access, api.clock).revoke(caller.project, key_id)


@route("GET /secrets", Scope.ADMIN)
def list_secrets(api: Api, caller: Caller) -> SecretList:
    """Secrets of the project: names and times, never values."""
    updated = ManageSecrets(api.secrets, api.clock).list(caller.project)
    return SecretList(secrets=[SecretRecord(name=name, updated_at=at) for name, at in updated.items()])


@route("PUT /secrets/{name}", Scope.ADMIN, problems=(400, 404, 409, 413))
def put_secret(api: Api, caller: Caller, name: str, body: PutSecret) -> SecretAnswer:
    """Set a secret, which tests get as an environment variable."""
    updated_at = ManageSecrets(api.secrets, api.clock).put(caller.project, name, body.value)
    return SecretAnswer(secret=SecretRecord(name=name, updated_at=updated_at))


@route("DELETE /secrets/{name}", Scope.ADMIN, status=204, problems=(400, 404))
def delete_secret(api: Api, caller: Caller, name: str) -> None:
    """Delete a secret."""
    ManageSecrets(api.secrets, api.clock).delete(caller.project, name)
