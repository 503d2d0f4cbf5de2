"""boto3 clients: made when first used, from one shared session, because making them is slow."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=30)
_DYNAMODB_CONFIG = _CONFIG.merge(Config(read_timeout=5))
"""The table answers in milliseconds; four tries that it does not answer shall end within the 29 s of a call of the API."""

_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))
_S3_ONCE_CONFIG = _S3_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


class Clients:
    """Clients of one process. Which AWS they talk to is the environment's business (``AWS_ENDPOINT_URL``)."""

    def __init__(self, session: boto3.session.Session | None = None) -> None:
        self._session = session or boto3.session.Session()

    def _client(self, service: str, config: Config = _CONFIG) -> Any:
        client: Any = self._session.client  # the stubs know each service by its literal name alone
        return client(service, config=config)

    @cached_property
    def cloudformation(self) -> Any:
        """CloudFormation; only to look up a deployed stack."""
        return self._client("cloudformation")

    @cached_property
    def ssm(self) -> Any:
        """Systems Manager; only for Parameter Store."""
        return self._client("ssm")

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client: DynamoDBClient = self._client("dynamodb", _DYNAMODB_CONFIG)
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        client: SQSClient = self._client("sqs")
        return client

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """Step Functions."""
        client: SFNClient = self._client("stepfunctions")
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        client: EventBridgeClient = self._client("events")
        return client

    @cached_property
    def ecs(self) -> "ECSClient":
        """ECS."""
        client: ECSClient = self._client("ecs")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        client: S3Client = self._client("s3", _S3_CONFIG)
        return client

    @cached_property
    def s3_once(self) -> "S3Client":
        """S3 for those who try again themselves, and know when there is no time for it: each call is one request."""
        client: S3Client = self._client("s3", _S3_ONCE_CONFIG)
        return client
