"""The one door to this run's AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from wainwright.local.signatures import SignatureRefused, SignedRequest, verify
from wainwright.local.system import LocalSystem

REPORTS = "Reports"


def outside(
    system: LocalSystem, service: str, key: str | None = None, secret: str | None = None, url: str | None = None
) -> Any:
    """A client as another process has it: everything goes through the endpoint."""
    session: Any = boto3.session.Session()
    return session.client(
        service,
        region_name="us-east-1",
        endpoint_url=url or system.endpoint_url.replace("127.0.0.1", "localhost"),
        aws_access_key_id=key or system.credentials.access_key,
        aws_secret_access_key=secret or system.credentials.secret_key,
        config=Config(retries={"total_max_attempts": 1}, signature_version="s3v4" if service == "s3" else None),
    )


def signed(system: LocalSystem, service: str, method: str = "POST", path: str = "/", **headers: str) -> dict[str, str]:
    request = AWSRequest(method=method, url=system.endpoint_url + path, data=b"{}", headers=headers)
    SigV4Auth(system.credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def test_answers_this_runs_key(system: LocalSystem) -> None:
    sqs = outside(system, "sqs")
    url = system.template.ref("Work")
    sqs.send_message(QueueUrl=url, MessageBody="over HTTP")
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert message["Body"] == "over HTTP"
    dynamodb = outside(system, "dynamodb")
    dynamodb.put_item(TableName="Table", Item={"pk": {"S": "p"}, "sk": {"S": "ü/ +"}})
    assert dynamodb.get_item(TableName="Table", Key={"pk": {"S": "p"}, "sk": {"S": "ü/ +"}})["Item"]["pk"] == {"S": "p"}
    assert outside(system, "stepfunctions").list_state_machines()["stateMachines"][0]["name"] == "Machine"
    assert outside(system, "scheduler").list_schedule_groups()["ScheduleGroups"]
    assert outside(system, "dynamodbstreams").list_streams(TableName="Table")["Streams"]
    assert "shop" in [bus["Name"] for bus in outside(system, "events").list_event_buses()["EventBuses"]]


def test_keeps_objects_with_any_name(system: LocalSystem) -> None:
    s3 = outside(system, "s3")
    for name in ("a b/ü+?&=.txt", "plain", "trailing/"):
        s3.put_object(Bucket="bucket", Key=name, Body=b"content", ContentType="text/plain", Metadata={"by": "test"})
        answer = s3.get_object(Bucket="bucket", Key=name)
        assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (
            b"content",
            "text/plain",
            {"by": "test"},
        )
    assert s3.head_object(Bucket="bucket", Key="plain")["ContentLength"] == 7
    assert s3.get_object(Bucket="bucket", Key="plain", Range="bytes=2-4")["Body"].read() == b"nte"
    assert {"plain", "trailing/"} <= {each["Key"] for each in s3.list_objects_v2(Bucket="bucket")["Contents"]}
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="bucket", Key="missing")


@pytest.mark.parametrize("wrong", [{"key": "A" * 20}, {"secret": "wrong"}])
@pytest.mark.parametrize(
    ("service", "call"), [("sqs", "list_queues"), ("s3", "list_buckets"), ("dynamodb", "list_tables")]
)
def test_refuses_another_key(system: LocalSystem, wrong: dict[str, str], service: str, call: str) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(outside(system, service, **wrong), call)()
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/bucket"),
        ("GET", "/bucket/plain"),
        ("PUT", "/bucket/new"),
        ("DELETE", "/bucket/plain"),
        ("POST", "/moto-api/reset"),
        ("GET", "/moto-api/data.json"),
        ("POST", "/"),
        ("GET", "/latest/meta-data/iam/security-credentials/"),
        ("OPTIONS", "/bucket/plain"),
    ],
)
def test_refuses_what_is_not_signed(system: LocalSystem, method: str, path: str) -> None:
    response = httpx.request(
        method, system.endpoint_url + path, headers={"x-amz-target": "DynamoDB_20120810.ListTables"}
    )
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_a_signed_request_does_not_reach_motos_own_api(system: LocalSystem) -> None:
    path = "/moto-api/reset"
    for service in ("s3", "sqs", "dynamodb", "moto"):
        response = httpx.post(system.endpoint_url + path, headers=signed(system, service, path=path), content=b"{}")
        assert response.status_code >= 400
    assert outside(system, "dynamodb").list_tables()["TableNames"] == ["Table"]


def test_refuses_a_request_for_another_host(system: LocalSystem) -> None:
    headers = signed(system, "sqs") | {"host": "evil.example"}
    assert httpx.post(system.endpoint_url, headers=headers, content=b"{}").status_code == 421


def test_refuses_a_body_that_was_changed(system: LocalSystem) -> None:
    headers = signed(system, "dynamodb", **{"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    assert httpx.post(system.endpoint_url, headers=headers, content=b"{}").status_code == 200
    response = httpx.post(system.endpoint_url, headers=headers, content=b"[]")
    assert (response.status_code, response.text) == (403, "the signature does not match the request")


def test_refuses_a_header_that_was_added_or_changed(system: LocalSystem) -> None:
    headers = signed(system, "dynamodb", **{"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    changed = headers | {"X-Amz-Target": "DynamoDB_20120810.DeleteTable"}
    assert httpx.post(system.endpoint_url, headers=changed, content=b"{}").status_code == 403
    added = signed(system, "dynamodb") | {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
    assert httpx.post(system.endpoint_url, headers=added, content=b"{}").status_code == 403


def test_refuses_a_service_that_it_does_not_have(system: LocalSystem) -> None:
    assert httpx.post(system.endpoint_url, headers=signed(system, "ec2"), content=b"{}").status_code == 501


def test_refuses_a_signed_request_from_a_page(system: LocalSystem) -> None:
    headers = signed(system, "dynamodb", **{"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    response = httpx.post(system.endpoint_url, headers=headers | {"origin": system.api_urls[REPORTS]}, content=b"{}")
    assert response.status_code == 403


# ------------------------------------------------------------------------------------------------- presigned URLs
def presigned(system: LocalSystem, operation: str = "get_object", expires: int = 60, **params: Any) -> str:
    client = outside(system, "s3", url=system.endpoint_url)
    url: str = client.generate_presigned_url(
        operation, Params={"Bucket": "bucket", "Key": "a/b.txt", **params}, ExpiresIn=expires
    )
    return url


def tamper(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    query = urlencode([(name, changes.get(name, value)) for name, value in parse_qsl(parts.query)])
    return urlunsplit(parts._replace(query=query))


def test_presigned_urls_upload_and_download(system: LocalSystem) -> None:
    put = httpx.put(
        presigned(system, "put_object", ContentType="text/plain"),
        content=b"hello",
        headers={"content-type": "text/plain"},
    )
    assert put.status_code == 200
    got = httpx.get(presigned(system))
    assert (got.text, got.headers["content-type"], got.headers["content-length"]) == ("hello", "text/plain", "5")
    part = httpx.get(presigned(system), headers={"range": "bytes=1-2"})
    assert (part.status_code, part.text) == (206, "el")
    attachment = httpx.get(presigned(system, ResponseContentDisposition='attachment; filename="ü.txt"'))
    assert attachment.headers["content-disposition"].startswith("attachment")


def test_presigned_urls_of_a_client_in_this_process_name_the_endpoint(system: LocalSystem) -> None:
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    client.put_object(Bucket="bucket", Key="inside", Body=b"from inside")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "inside"})
    assert url.startswith(f"{system.endpoint_url}/bucket/inside?")
    assert httpx.get(url).text == "from inside"


def test_refuses_forged_presigned_urls(system: LocalSystem) -> None:
    url = presigned(system)
    assert httpx.get(tamper(url, **{"X-Amz-Expires": "600000"})).status_code == 403
    assert httpx.get(tamper(url, **{"X-Amz-Signature": "0" * 64})).status_code == 403
    assert httpx.get(url.replace("/a/b.txt", "/a/c.txt")).status_code == 403
    assert httpx.get(f"{url}&response-content-type=text/html").status_code == 403
    assert httpx.get(f"{url}&X-Amz-Expires=600000").status_code == 403
    assert httpx.put(url, content=b"changed").status_code == 403
    assert httpx.delete(url).status_code == 403


def test_refuses_a_presigned_upload_that_would_copy_another_object(system: LocalSystem) -> None:
    headers = {"x-amz-copy-source": "/bucket/plain"}
    response = httpx.put(presigned(system, "put_object"), headers=headers)
    assert (response.status_code, response.text) == (403, "the signature does not cover x-amz-copy-source")


def test_refuses_an_expired_presigned_url(system: LocalSystem) -> None:
    parts = urlsplit(presigned(system, expires=60))
    request = SignedRequest("GET", system.endpoint_url, f"{parts.path}?{parts.query}", {"host": parts.netloc}, b"")
    now = datetime.now(UTC)
    assert verify(request, system.credentials, now + timedelta(seconds=50)) == "s3"
    with pytest.raises(SignatureRefused, match="expired"):
        verify(request, system.credentials, now + timedelta(seconds=62))
    with pytest.raises(SignatureRefused, match="another key"):
        verify(request, Credentials("B" * 20, "other"), now)


def test_refuses_an_old_signature(system: LocalSystem) -> None:
    headers = {name.lower(): value for name, value in signed(system, "sqs").items()} | {
        "host": urlsplit(system.endpoint_url).netloc
    }
    request = SignedRequest("POST", system.endpoint_url, "/", headers, b"{}")
    assert verify(request, system.credentials, datetime.now(UTC)) == "sqs"
    with pytest.raises(SignatureRefused, match="too old"):
        verify(request, system.credentials, datetime.now(UTC) + timedelta(minutes=16))


def test_lets_pages_read_objects_as_the_buckets_rules_say(system: LocalSystem) -> None:
    outside(system, "s3").put_object(Bucket="bucket", Key="a/b.txt", Body=b"hello")
    good, evil = {"origin": system.api_urls[REPORTS]}, {"origin": "http://evil.example"}
    allowed = httpx.get(presigned(system), headers=good)
    assert (allowed.text, allowed.headers["access-control-allow-origin"]) == ("hello", good["origin"])
    refused = httpx.get(presigned(system), headers=evil)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    ask = {"access-control-request-method": "GET"}
    assert httpx.options(presigned(system), headers=good | ask).headers["access-control-allow-origin"] == good["origin"]
    assert httpx.options(presigned(system), headers=evil | ask).status_code == 403
    assert httpx.options(presigned(system), headers=good | {"access-control-request-method": "PUT"}).status_code == 403


# -------------------------------------------------------------------------------------------- Lambda and its kind
def test_invokes_functions_from_another_process(system: LocalSystem) -> None:
    client = outside(system, "lambda")
    answer = client.invoke(FunctionName="Echo", Payload=b'{"n": 1}')
    assert (answer["StatusCode"], json.load(answer["Payload"])["name"]) == (200, "Echo")
    failed = client.invoke(FunctionName="Finish", Payload=b'{"job": "refuse"}')
    assert (failed["FunctionError"], json.load(failed["Payload"])["errorType"]) == ("Unhandled", "Refused")
    assert client.invoke(FunctionName="Echo", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="Nowhere")
