"""A synthesized CloudFormation template, with every reference made concrete."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wainwright.local.catalog import INERT_TYPES, RESOURCE_KEYS, SUPPORTED
from wainwright.local.errors import LocalError

STREAM_LABEL = "2000-01-01T00:00:00.000"
"""The label of every table's stream, so that a stream's ARN is known before its table exists."""

_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
_HANDLER = re.compile(r"functions\.\w+(\.\w+)+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template is deployed."""

    account_id: str = "123456789012"
    region: str = "us-east-1"
    partition: str = "aws"
    stack_name: str = "wainwright-local"

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """The ARN of a resource here."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account_id}:{resource}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource with concrete properties."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]


class Template:
    """Resources of a template whose references are resolved.

    Args:
        document: the template as CloudFormation reads it.
        place: account, region and so on, for pseudo parameters and ARNs.
        api_urls: the URL on which each HTTP API will answer, by its logical id.
    """

    def __init__(self, document: Mapping[str, Any], place: Place, api_urls: Mapping[str, str]) -> None:
        self.place = place
        self._document = document
        self._declared: Mapping[str, Any] = document.get("Resources", {})
        self._api_urls = api_urls
        self._identities = Identities(place, api_urls, self._name_of)
        self._check()

    @staticmethod
    def api_ids(document: Mapping[str, Any]) -> list[str]:
        """The logical ids of the template's HTTP APIs, as they come."""
        resources = document.get("Resources", {})
        return [name for name, each in resources.items() if each.get("Type") == "AWS::ApiGatewayV2::Api"]

    def of_type(self, kind: str) -> Iterator[Resource]:
        """The resources of a type, resolved.

        Raises:
            LocalError: a property of one cannot be resolved.
        """
        for logical_id, declared in self._declared.items():
            if declared["Type"] == kind and self._exists(declared) and not _is_provider(declared):
                yield Resource(logical_id, kind, self.resolve(declared.get("Properties", {})))

    def ref(self, logical_id: str) -> str:
        """What `Ref` gives for a resource."""
        return self._identities.ref(logical_id, self._declared[logical_id]["Type"])

    def attribute(self, logical_id: str, name: str) -> str:
        """What `Fn::GetAtt` gives for a resource."""
        return self._identities.attribute(logical_id, self._declared[logical_id]["Type"], name)

    def resolve(self, value: Any) -> Any:
        """A value with every intrinsic function in it carried out."""
        if isinstance(value, list):
            return [item for each in value if (item := self.resolve(each)) is not _NO_VALUE]
        if isinstance(value, str):
            return self._with_local_urls(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                result = self._call(name, argument)
                return self._with_local_urls(result) if isinstance(result, str) else result
        return {key: item for key, each in value.items() if (item := self.resolve(each)) is not _NO_VALUE}

    # -------------------------------------------------------------------------------------------------- checks
    def _check(self) -> None:
        for logical_id, declared in self._declared.items():
            kind = declared["Type"]
            if surplus := set(declared) - RESOURCE_KEYS:
                raise _unsupported(f"{min(surplus)} of {logical_id} ({kind})")
            if not self._exists(declared) or kind in INERT_TYPES or _is_provider(declared):
                continue
            if kind not in SUPPORTED:
                raise _unsupported(f"the resource type {kind} ({logical_id})")
            known = SUPPORTED[kind].used | set(SUPPORTED[kind].inert)
            if surplus := set(declared.get("Properties", {})) - known:
                raise _unsupported(f"the property {min(surplus)} of {kind} ({logical_id})")

    def _exists(self, declared: Mapping[str, Any]) -> bool:
        return "Condition" not in declared or self._condition(declared["Condition"])

    def _name_of(self, logical_id: str, property_name: str) -> str | None:
        name = self._declared[logical_id].get("Properties", {}).get(property_name)
        return None if name is None else str(self.resolve(name))

    def _with_local_urls(self, text: str) -> str:
        for logical_id, url in self._api_urls.items():
            host = f"{self.ref(logical_id)}.execute-api.{self.place.region}.amazonaws.com"
            text = text.replace(f"https://{host}", url).replace(host, url.removeprefix("http://"))
        return text

    # ---------------------------------------------------------------------------------------------- intrinsics
    def _call(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self._condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": lambda a: str(a[0]).join(str(part) for part in self.resolve(a[1])),
            "Fn::Sub": self._sub,
            "Fn::Select": lambda a: self.resolve(a[1])[int(self.resolve(a[0]))],
            "Fn::Split": lambda a: str(self.resolve(a[1])).split(str(a[0])),
            "Fn::GetAZs": lambda _: [f"{self.place.region}{zone}" for zone in "abc"],
            "Fn::If": lambda a: self.resolve(a[1] if self._condition(a[0]) else a[2]),
            "Fn::Equals": lambda a: self.resolve(a[0]) == self.resolve(a[1]),
            "Fn::And": lambda a: all(self.resolve(each) for each in a),
            "Fn::Or": lambda a: any(self.resolve(each) for each in a),
            "Fn::Not": lambda a: not self.resolve(a[0]),
            "Fn::FindInMap": self._find_in_map,
        }
        if name not in functions:
            raise _unsupported(f"the function {name}")
        return functions[name](argument)

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": self.place.account_id,
            "AWS::Region": self.place.region,
            "AWS::Partition": self.place.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.place.stack_name,
            "AWS::StackId": self.place.arn("cloudformation", f"stack/{self.place.stack_name}/local"),
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self._declared:
            return self.ref(name)
        parameter = self._document.get("Parameters", {}).get(name)
        if parameter is None or "Default" not in parameter:
            raise LocalError(
                f"the template refers to {name}, which it does not declare with a value: synthesize it again"
            )
        return parameter["Default"]

    def _get_att(self, argument: Any) -> str:
        logical_id, _, attribute = (
            argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        )
        if logical_id not in self._declared:
            raise LocalError(f"the template refers to {logical_id}, which it does not declare: synthesize it again")
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

    def _condition(self, name: str) -> bool:
        conditions = self._document.get("Conditions", {})
        if name not in conditions:
            raise LocalError(
                f"the template refers to the condition {name}, which it does not declare: synthesize it again"
            )
        return bool(self.resolve(conditions[name]))

    def _find_in_map(self, argument: list[Any]) -> Any:
        mapping, first, second = (self.resolve(each) for each in argument)
        return self._document["Mappings"][mapping][first][second]


class Identities:
    """Physical names, ARNs and other attributes; the same at every start, since the journal knows resources by name."""

    def __init__(self, place: Place, api_urls: Mapping[str, str], name_of: Callable[[str, str], str | None]) -> None:
        self._place = place
        self._api_urls = api_urls
        self._name_of = name_of

    def name(self, logical_id: str, kind: str) -> str:
        """The physical name: the template's own, or the logical id."""
        property_name = _NAME_PROPERTIES.get(kind)
        given = self._name_of(logical_id, property_name) if property_name else None
        if given is not None:
            return given
        return logical_id.lower() if kind in ("AWS::S3::Bucket", "AWS::ApiGatewayV2::Api") else logical_id

    def ref(self, logical_id: str, kind: str) -> str:
        """What `Ref` gives."""
        name = self.name(logical_id, kind)
        if kind in ("AWS::StepFunctions::StateMachine", "AWS::ECS::TaskDefinition", "AWS::Lambda::LayerVersion"):
            return self.attribute(logical_id, kind, "Arn")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self._place.region}.amazonaws.com/{self._place.account_id}/{name}"
        return name

    def attribute(self, logical_id: str, kind: str, attribute: str) -> str:
        """What `Fn::GetAtt` gives.

        Raises:
            LocalError: the local system does not know this attribute.
        """
        name = self.name(logical_id, kind)
        if attribute in ("Arn", "TaskDefinitionArn", "LayerVersionArn") and (arn := self._arn(name, kind)) is not None:
            return arn
        special = {
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint"): lambda: self._api_urls[logical_id],
            ("AWS::ApiGatewayV2::Api", "ApiId"): lambda: name,
            ("AWS::DynamoDB::Table", "StreamArn"): lambda: f"{self._arn(name, kind)}/stream/{STREAM_LABEL}",
            ("AWS::Events::EventBus", "Name"): lambda: name,
            ("AWS::S3::Bucket", "RegionalDomainName"): lambda: f"{name}.s3.{self._place.region}.amazonaws.com",
            ("AWS::S3::Bucket", "DomainName"): lambda: f"{name}.s3.amazonaws.com",
            ("AWS::SQS::Queue", "QueueName"): lambda: name,
            ("AWS::SQS::Queue", "QueueUrl"): lambda: self.ref(logical_id, kind),
            ("AWS::StepFunctions::StateMachine", "Name"): lambda: name,
        }
        if (kind, attribute) in special:
            return special[kind, attribute]()
        if kind in INERT_TYPES:
            return f"{name}-{attribute}".lower()
        raise _unsupported(f"the attribute {attribute} of {kind} ({logical_id})")

    def _arn(self, name: str, kind: str) -> str | None:
        place = self._place
        shapes = {
            "AWS::DynamoDB::Table": ("dynamodb", f"table/{name}"),
            "AWS::ECS::Cluster": ("ecs", f"cluster/{name}"),
            "AWS::ECS::TaskDefinition": ("ecs", f"task-definition/{name}:1"),
            "AWS::Events::EventBus": ("events", f"event-bus/{name}"),
            "AWS::Events::Rule": ("events", f"rule/{name}"),
            "AWS::Lambda::Function": ("lambda", f"function:{name}"),
            "AWS::Lambda::LayerVersion": ("lambda", f"layer:{name}:1"),
            "AWS::Logs::LogGroup": ("logs", f"log-group:{name}:*"),
            "AWS::SQS::Queue": ("sqs", name),
            "AWS::Scheduler::ScheduleGroup": ("scheduler", f"schedule-group/{name}"),
            "AWS::StepFunctions::StateMachine": ("states", f"stateMachine:{name}"),
        }
        if kind == "AWS::S3::Bucket":
            return f"arn:{place.partition}:s3:::{name}"
        if kind == "AWS::IAM::Role":
            return place.arn("iam", f"role/{name}", region=False)
        if kind in shapes:
            return place.arn(*shapes[kind])
        return place.arn("cloudformation", f"inert/{name}") if kind in INERT_TYPES else None


def _is_provider(declared: Mapping[str, Any]) -> bool:
    """Whether this is a function of the CDK's own, which acts when a stack is deployed or deleted and never else."""
    properties = declared.get("Properties", {})
    return (
        declared["Type"] == "AWS::Lambda::Function"
        and str(properties.get("Runtime", "")).startswith("nodejs")
        and not _HANDLER.fullmatch(str(properties.get("Handler", "")))
    )


def _unsupported(what: str) -> LocalError:
    return LocalError(
        f"the infrastructure uses {what}, which the local system does not support: "
        "add it to wainwright.local, or list it in wainwright.local.catalog with the reason why it may be left alone"
    )
