"""A synthesized CloudFormation template, with every reference made concrete."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wainwright.local.catalog import INERT_TYPES, RESOURCE_KEYS, SUPPORTED
from wainwright.local.errors import LocalError

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
STREAM_LABEL = "2000-01-01T00:00:00.000"
"""The label of every table's stream, so that a stream's ARN is known before its table exists."""


def arn(service: str, resource: str) -> str:
    """The ARN of a resource here."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}"


_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_IDENTITIES: Mapping[str, tuple[str, str]] = {
    "AWS::DynamoDB::Table": ("TableName", arn("dynamodb", "table/{}")),
    "AWS::ECS::Cluster": ("ClusterName", arn("ecs", "cluster/{}")),
    "AWS::ECS::TaskDefinition": ("Family", arn("ecs", "task-definition/{}:1")),
    "AWS::Events::EventBus": ("Name", arn("events", "event-bus/{}")),
    "AWS::Events::Rule": ("Name", arn("events", "rule/{}")),
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT_ID}:role/{{}}"),
    "AWS::Lambda::Function": ("FunctionName", arn("lambda", "function:{}")),
    "AWS::Lambda::LayerVersion": ("", arn("lambda", "layer:{}:1")),
    "AWS::Logs::LogGroup": ("LogGroupName", arn("logs", "log-group:{}:*")),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{}"),
    "AWS::SQS::Queue": ("QueueName", arn("sqs", "{}")),
    "AWS::Scheduler::ScheduleGroup": ("Name", arn("scheduler", "schedule-group/{}")),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", arn("states", "stateMachine:{}")),
}
"""The property with a resource's name, and its ARN."""
_REF_IS_ARN = frozenset({"AWS::StepFunctions::StateMachine", "AWS::ECS::TaskDefinition", "AWS::Lambda::LayerVersion"})


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource with its physical name and concrete properties."""

    logical_id: str
    name: str
    properties: Mapping[str, Any]


class Template:
    """Resources of a template whose references are resolved. `api_urls` has the URL of each HTTP API by its logical id.

    Physical names are the same at every start, since the journal knows resources by name.
    """

    def __init__(self, document: Mapping[str, Any], api_urls: Mapping[str, str]) -> None:
        self._document = document
        self._declared: Mapping[str, Any] = document.get("Resources", {})
        self._api_urls = api_urls
        self._check()

    @staticmethod
    def api_ids(document: Mapping[str, Any]) -> list[str]:
        """The logical ids of the template's HTTP APIs, as they come."""
        resources = document.get("Resources", {})
        return [name for name, each in resources.items() if each.get("Type") == "AWS::ApiGatewayV2::Api"]

    def of_type(self, kind: str) -> Iterator[Resource]:
        """The resources of a type, resolved. Raises LocalError if a property of one cannot be resolved."""
        for logical_id, declared in self._declared.items():
            if declared["Type"] == kind:
                yield Resource(logical_id, self.name(logical_id), self.resolve(declared.get("Properties", {})))

    def name(self, logical_id: str) -> str:
        """The physical name of a resource: the template's own, or the logical id."""
        declared = self._declared[logical_id]
        kind = declared["Type"]
        given = declared.get("Properties", {}).get(_IDENTITIES[kind][0]) if kind in _IDENTITIES else None
        if given is not None:
            return str(self.resolve(given))
        return logical_id.lower() if kind in ("AWS::S3::Bucket", "AWS::ApiGatewayV2::Api") else logical_id

    def ref(self, logical_id: str) -> str:
        """The value of `Ref` for a resource."""
        kind, name = self._declared[logical_id]["Type"], self.name(logical_id)
        if kind in _REF_IS_ARN:
            return self.attribute(logical_id, "Arn")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}"
        return name

    def attribute(self, logical_id: str, attribute: str) -> str:
        """The value of `Fn::GetAtt` for a resource. Raises LocalError if the local system does not know this attribute."""
        kind, name = self._declared[logical_id]["Type"], self.name(logical_id)
        if kind in _IDENTITIES and attribute in ("Arn", "TaskDefinitionArn", "LayerVersionArn", "StreamArn"):
            return _IDENTITIES[kind][1].format(name) + (f"/stream/{STREAM_LABEL}" if attribute == "StreamArn" else "")
        known: dict[tuple[str, str], Callable[[], str]] = {
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint"): lambda: self._api_urls[logical_id],
            ("AWS::ApiGatewayV2::Api", "ApiId"): lambda: name,
            ("AWS::Events::EventBus", "Name"): lambda: name,
            ("AWS::S3::Bucket", "RegionalDomainName"): lambda: f"{name}.s3.{REGION}.amazonaws.com",
            ("AWS::SQS::Queue", "QueueName"): lambda: name,
            ("AWS::SQS::Queue", "QueueUrl"): lambda: self.ref(logical_id),
            ("AWS::StepFunctions::StateMachine", "Name"): lambda: name,
        }
        if (kind, attribute) in known:
            return known[kind, attribute]()
        if kind in INERT_TYPES:
            return f"{name}-{attribute}".lower()
        raise _unsupported(f"the attribute {attribute} of {kind} ({logical_id})")

    def resolve(self, value: Any) -> Any:
        """A value with every intrinsic function in it carried out."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if isinstance(value, str):
            return self._with_local_urls(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                result = self._call(name, argument)
                return self._with_local_urls(result) if isinstance(result, str) else result
        return {key: self.resolve(each) for key, each in value.items()}

    def _check(self) -> None:
        for logical_id, declared in self._declared.items():
            kind = declared["Type"]
            if surplus := set(declared) - RESOURCE_KEYS:
                raise _unsupported(f"{min(surplus)} of {logical_id} ({kind})")
            if kind in INERT_TYPES:
                continue
            if kind not in SUPPORTED:
                raise _unsupported(f"the resource type {kind} ({logical_id})")
            if surplus := set(declared.get("Properties", {})) - SUPPORTED[kind]:
                raise _unsupported(f"the property {min(surplus)} of {kind} ({logical_id})")

    def _with_local_urls(self, text: str) -> str:
        for logical_id, url in self._api_urls.items():
            host = f"{self.ref(logical_id)}.execute-api.{REGION}.amazonaws.com"
            text = text.replace(f"https://{host}", url).replace(host, url.removeprefix("http://"))
        return text

    def _call(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": lambda a: str(a[0]).join(str(each) for each in self.resolve(a[1])),
            "Fn::Sub": self._sub,
            "Fn::Select": lambda a: self.resolve(a[1])[int(self.resolve(a[0]))],
            "Fn::Split": lambda a: str(self.resolve(a[1])).split(str(a[0])),
            "Fn::GetAZs": lambda _: [f"{REGION}{zone}" for zone in "abc"],
        }
        if name not in functions:
            raise _unsupported(f"the function {name}")
        return functions[name](argument)

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "wainwright-local",
            "AWS::StackId": arn("cloudformation", "stack/wainwright-local/local"),
        }
        if name in pseudo:
            return pseudo[name]
        if name in self._declared:
            return self.ref(name)
        parameter = self._document.get("Parameters", {}).get(name, {})
        if "Default" not in parameter:
            raise _undeclared(name)
        return parameter["Default"]

    def _get_att(self, argument: str | list[str]) -> str:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        if logical_id not in self._declared:
            raise _undeclared(logical_id)
        return self.attribute(logical_id, attribute)

    def _sub(self, argument: Any) -> str:
        text, values = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return str(self.resolve(values[name]))
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _PLACEHOLDER.sub(value, text)


def _undeclared(name: str) -> LocalError:
    return LocalError(f"the template refers to {name}, which it does not declare with a value: synthesize it again")


def _unsupported(what: str) -> LocalError:
    return LocalError(
        f"the infrastructure uses {what}, which the local system does not support: "
        "add it to wainwright.local, or list it in wainwright.local.catalog with the reason why it may be left alone"
    )
