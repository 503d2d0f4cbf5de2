"""Reading a synthesized template."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.templates import GET_ATT, template
from wainwright.local import compute, resources
from wainwright.local.errors import LocalError
from wainwright.local.template import Template

URLS = {"Api": "http://127.0.0.1:8787", "Reports": "http://127.0.0.1:8788"}


def read(document: dict[str, Any]) -> Template:
    return Template(document, URLS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Table"}, "Table"),
        ({"Ref": "Jobs"}, "https://sqs.us-east-1.amazonaws.com/123456789012/Jobs"),
        ({"Ref": "Machine"}, "arn:aws:states:us-east-1:123456789012:stateMachine:Machine"),
        ({"Ref": "Bucket"}, "bucket"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({GET_ATT: ["Jobs", "QueueName"]}, "Jobs"),
        ({GET_ATT: "Echo.Arn"}, "arn:aws:lambda:us-east-1:123456789012:function:Echo"),
        ({GET_ATT: ["Reports", "ApiEndpoint"]}, "http://127.0.0.1:8788"),
        (
            {"Fn::Sub": "arn:${AWS::Partition}:x:${Echo.Arn}/${!kept}"},
            "arn:aws:x:arn:aws:lambda:us-east-1:123456789012:function:Echo/${kept}",
        ),
        ({"Fn::Sub": ["${a}-${Table}", {"a": {"Ref": "AWS::Region"}}]}, "us-east-1-Table"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Table"}]]}, "a/Table"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "us-east-1a"),
        (
            {"Fn::Join": ["", ["https://", {"Ref": "Api"}, ".execute-api.us-east-1.amazonaws.com/v1"]]},
            "http://127.0.0.1:8787/v1",
        ),
    ],
)
def test_resolves_references(value: Any, expected: Any) -> None:
    assert read(template()).resolve(value) == expected


def test_refuses_an_unsupported_resource_type_by_name() -> None:
    document = template()
    document["Resources"]["Cache"] = {"Type": "AWS::ElastiCache::CacheCluster"}
    with pytest.raises(LocalError, match=r"AWS::ElastiCache::CacheCluster \(Cache\)"):
        read(document)


@pytest.mark.parametrize(
    ("logical_id", "name", "value"),
    [("Jobs", "FifoQueue", True), ("Api", "CorsConfiguration", {}), ("Table", "LocalSecondaryIndexes", [])],
)
def test_refuses_an_unsupported_property_by_name(logical_id: str, name: str, value: Any) -> None:
    document = template()
    document["Resources"][logical_id]["Properties"][name] = value
    with pytest.raises(LocalError, match=rf"{name} of AWS::\w+::\w+ \({logical_id}\)"):
        read(document)


def test_refuses_an_unsupported_attribute_by_name() -> None:
    with pytest.raises(LocalError, match=r"WebsiteURL of AWS::S3::Bucket \(Bucket\)"):
        read(template()).resolve({GET_ATT: ["Bucket", "WebsiteURL"]})


@pytest.mark.parametrize("name", ["Fn::ImportValue", "Fn::If"])
def test_refuses_an_unsupported_intrinsic_function(name: str) -> None:
    with pytest.raises(LocalError, match=name):
        read(template()).resolve({name: "other-stack"})


def test_refuses_a_reference_to_nothing() -> None:
    with pytest.raises(LocalError, match="Nowhere"):
        read(template()).resolve({"Ref": "Nowhere"})


def test_refuses_a_resource_with_a_condition() -> None:
    document = template()
    document["Resources"]["Jobs"]["Condition"] = "Never"
    with pytest.raises(LocalError, match="Condition of Jobs"):
        read(document)


def test_refuses_a_variable_with_two_values() -> None:
    document = template()
    document["Resources"]["Echo"]["Properties"]["Environment"] = {"Variables": {"SHOP_TABLE": "another"}}
    with pytest.raises(LocalError, match="SHOP_TABLE differs between Echo and Finish"):
        compute.shared_environment(compute.functions(read(document)))


def test_fills_in_a_definitions_placeholders() -> None:
    machine = next(read(template()).of_type("AWS::StepFunctions::StateMachine"))
    text = resources.definition(machine)
    assert '"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/Work"' in text
    assert "${" not in text


def test_refuses_a_lifecycle_rule_that_it_does_not_carry_out() -> None:
    document = template()
    rules = document["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    rules.append({"Status": "Enabled", "Transitions": []})
    bucket = next(read(document).of_type("AWS::S3::Bucket"))
    with pytest.raises(LocalError, match="Transitions in the lifecycle of Bucket"):
        resources.bucket_expiry(bucket)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("RouteId", "AuthorizationType", "JWT"), "RouteId has an authorizer"),
        (("Integration", "PayloadFormatVersion", "1.0"), "payload format 2.0"),
        (("Api", "ProtocolType", "WEBSOCKET"), "Api is no HTTP API"),
    ],
)
def test_refuses_routes_that_it_cannot_serve(change: tuple[str, str, str], message: str) -> None:
    document = template()
    logical_id, name, value = change
    document["Resources"][logical_id]["Properties"][name] = value
    with pytest.raises(LocalError, match=message):
        compute.routes(read(document), "Api")
