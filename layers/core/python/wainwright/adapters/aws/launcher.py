"""Workers as Fargate tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from wainwright.ports.workers import LaunchRefused

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

CONTAINER = "worker"
"""The name of the one container in the task definition."""

_NO_ROOM = ("capacity", "RESOURCE:")


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
        """See :meth:`wainwright.ports.workers.WorkerLauncher.launch`."""
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
