"""Workers: their rows in DynamoDB, and their Fargate tasks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from wainwright.adapters.aws.items import Item, key, text
from wainwright.adapters.aws.table import Refusal, TableStore
from wainwright.domain.workers import WorkerRecord
from wainwright.ports.workers import LaunchRefused, WorkerStore

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

CONTAINER = "worker"
"""The name of the one container in the task definition."""

_NO_ROOM = ("capacity", "RESOURCE:")


class DynamoWorkerStore(TableStore, WorkerStore):
    """A :class:`~wainwright.ports.workers.WorkerStore` on the one table."""

    def put(self, worker: WorkerRecord) -> None:
        self.table.commit([{"Put": {"Item": _row(worker)}}])

    def add(self, worker: WorkerRecord) -> bool:
        try:
            self.table.commit([{"Put": {"Item": _row(worker), "ConditionExpression": "attribute_not_exists(pk)"}}])
        except Refusal:
            return False
        return True

    def list(self) -> Sequence[WorkerRecord]:
        return [WorkerRecord.model_validate_json(row["body"]["S"]) for row in self.table.partition("WORKERS")]

    def remove(self, worker_id: str) -> None:
        self.table.remove(key("WORKERS", worker_id))


def _row(worker: WorkerRecord) -> Item:
    return key("WORKERS", worker.id) | {"body": text(worker.model_dump_json(by_alias=True))}


@dataclass(frozen=True)
class FargateLauncher:
    """A :class:`~wainwright.ports.workers.WorkerLauncher`: one task for each worker, Spot unless ``on_demand``.

    ``ecs`` gives the client: most wake-ups launch nothing, and making it takes longer than a call.
    """

    ecs: Callable[[], "ECSClient"]
    cluster: str
    task_definition: str
    subnets: tuple[str, ...]
    security_group: str

    def launch(self, worker_id: str, *, on_demand: bool) -> str:
        request: Any = {
            "cluster": self.cluster,
            "taskDefinition": self.task_definition,
            # A second request with another provider must not be taken for the first one's repetition.
            "clientToken": f"{worker_id}-{'d' if on_demand else 's'}",
            "startedBy": worker_id,
            "capacityProviderStrategy": [{"capacityProvider": "FARGATE" if on_demand else "FARGATE_SPOT", "weight": 1}],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(self.subnets), "securityGroups": [self.security_group], "assignPublicIp": "ENABLED",
                }
            },
            "overrides": {
                "containerOverrides": [
                    {"name": CONTAINER, "environment": [{"name": "WAINWRIGHT_WORKER_ID", "value": worker_id}]}
                ]
            },
        }  # fmt: skip
        try:
            answer = self.ecs().run_task(**request)
        except ClientError as error:
            raise LaunchRefused(str(error), capacity="capacity" in str(error).lower()) from error
        for failure in answer.get("failures", []):
            reason = f"{failure.get('reason', '')} {failure.get('detail', '')}".strip()
            raise LaunchRefused(reason, capacity=any(word.lower() in reason.lower() for word in _NO_ROOM))
        return answer["tasks"][0]["taskArn"]
