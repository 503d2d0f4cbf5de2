"""Clients of AWS: made when first used, from one shared session, because making them is slow.

They are botocore's own, which are what boto3's are too. What boto3 adds - resources, and transfers in threads - is not used
here, and importing it takes a tenth of a second of every cold start.
"""

import gzip
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore import handlers
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session
from pydantic_core import from_json

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


_SERVICES = ("cloudformation", "dynamodb", "ecs", "events", "s3", "sqs", "ssm", "stepfunctions")
"""Those that are used here, as clients are made by."""

_CREDENTIALS = ("signin", "sso", "sso-oidc", "sts")
"""Those that botocore itself calls where a profile's credentials come from a role or a sign-in."""

_NAMES_IN_EVENTS = frozenset({*_SERVICES, *_CREDENTIALS, "eventbridge", "sfn"})
"""Botocore's events name Step Functions and EventBridge otherwise than its clients."""


class _Files(JSONFileLoader):
    """Botocore's documents, a megabyte each, read by a parser that takes half the time of the one that botocore uses."""

    def load_file(self, file_path: str) -> Any:
        """The document of this path, to which a suffix is added; None where there is none."""
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return from_json(plain.read_bytes())
        return from_json(gzip.decompress(packed.read_bytes())) if packed.is_file() else None


class _Loader(Loader):
    """Botocore's models, without what costs most and is not needed for the services that are used here.

    By default botocore lists the folders of all four hundred services before it opens that of one, and reads a document of
    1.2 MB on where each service is in each region. But where services are is said by each one's own rules; of that document
    a client only takes how its region's partition is named, which is in a small one too.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """Those that are used here, whatever is asked for."""
        return [*_SERVICES, *_CREDENTIALS]

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """The document of this name, and where it is."""
        if name != "endpoints":
            return super().load_data_with_path(name)
        found, path = super().load_data_with_path("partitions")
        return {"version": 3, "partitions": [_partition(each) for each in found["partitions"]]}, path


_GLOBAL_SERVICES = {
    "aws": {
        "s3": {
            "partitionEndpoint": "aws-global",
            "endpoints": {"aws-global": {"credentialScope": {"region": "us-east-1"}, "hostname": "s3.amazonaws.com"}},
        }
    }
}
"""By partition, those that botocore takes for global: S3 in us-east-1, of the services that are used here."""


def _partition(found: Mapping[str, Any]) -> dict[str, Any]:
    """A partition of botocore's ``partitions``, in the form of its ``endpoints``."""
    return {
        "partition": found["id"],
        "dnsSuffix": found["outputs"]["dnsSuffix"],
        "regionRegex": found["regionRegex"],
        "regions": found["regions"],
        "services": _GLOBAL_SERVICES.get(found["id"], {}),
        "defaults": {"hostname": "{service}.{region}.{dnsSuffix}", "protocols": ["https"], "signatureVersions": ["v4"]},
    }


def _session() -> Session:
    session = Session(include_builtin_handlers=False)
    session.register_component("data_loader", _Loader(file_loader=_Files()))
    _register_handlers(session.get_component("event_emitter"))
    return session


def _register_handlers(events: Any) -> None:
    """Botocore's own handlers of events, without those of other services and of generated documentation.

    That is two thirds of them, each of which is registered slowly, and copied for every client.
    """
    register = {
        None: events.register,
        handlers.REGISTER_FIRST: events.register_first,
        handlers.REGISTER_LAST: events.register_last,
    }
    for name, handler, *place in handlers.BUILTIN_HANDLERS:
        if _may_happen(name):
            register[place[0] if place else None](name, handler)


def _may_happen(event: str) -> bool:
    """Return True if an event, such as ``before-call.s3.DeleteObjects``, may be of a service that is used here."""
    kind, _, rest = event.partition(".")
    service = rest.partition(".")[0]
    return kind != "docs" and (service in ("", "*") or service in _NAMES_IN_EVENTS)


def _client(service: str, config: Config = _CONFIG) -> Any:
    """A client that is made when it is first used."""

    def make(clients: "Clients") -> Any:
        create: Any = clients.session.create_client  # the stubs know each service by its literal name alone
        return create(service, config=config)

    return cached_property(make)


class Clients:
    """Clients of one process. Which AWS they talk to is the environment's business (``AWS_ENDPOINT_URL``).

    ``s3_once`` is for those who try again themselves, and know when there is no time for it: each call is one request.
    """

    cloudformation: Any = _client("cloudformation")
    ssm: Any = _client("ssm")
    dynamodb: "DynamoDBClient" = _client("dynamodb", _DYNAMODB_CONFIG)
    sqs: "SQSClient" = _client("sqs")
    stepfunctions: "SFNClient" = _client("stepfunctions")
    events: "EventBridgeClient" = _client("events")
    ecs: "ECSClient" = _client("ecs")
    s3: "S3Client" = _client("s3", _S3_CONFIG)
    s3_once: "S3Client" = _client("s3", _S3_ONCE_CONFIG)

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or _session()
