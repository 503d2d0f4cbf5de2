"""Queues that lose nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from wainwright.local.patches import Patches
from wainwright.local.sqs import SafeSQS

REGION = "us-east-1"


@pytest.fixture
def sqs() -> Iterator[SafeSQS]:
    with mock_aws(), Patches() as patches:
        safe = SafeSQS()
        safe.install(patches)
        yield safe


def new_queue(visibility: int = 30) -> tuple[Any, str]:
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="work", Attributes={"VisibilityTimeout": str(visibility)})["QueueUrl"]
    return client, url


def test_hands_out_every_message_once_under_threads(sqs: SafeSQS) -> None:
    _, url = new_queue()
    senders, each = 4, 60
    received: list[str] = []
    sent = threading.Event()

    def send(number: int) -> None:
        client = boto3.session.Session().client("sqs", region_name=REGION)
        for index in range(each):
            client.send_message(QueueUrl=url, MessageBody=f"{number}-{index}")

    def receive() -> None:
        client = boto3.session.Session().client("sqs", region_name=REGION)
        while True:
            finished = sent.is_set()
            messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
                "Messages", []
            )
            for message in messages:
                received.append(message["Body"])
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if finished and not messages:
                return

    sending = [threading.Thread(target=send, args=(number,)) for number in range(senders)]
    receiving = [threading.Thread(target=receive) for _ in range(4)]
    for thread in sending + receiving:
        thread.start()
    for thread in sending:
        thread.join()
    sent.set()
    for thread in receiving:
        thread.join()
    assert sorted(received) == sorted(f"{number}-{index}" for number in range(senders) for index in range(each))


def test_a_waiting_receiver_gets_a_message_when_it_is_sent(sqs: SafeSQS) -> None:
    client, url = new_queue()
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(client.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages"))
    )
    waiting.start()
    client.send_message(QueueUrl=url, MessageBody="here")
    waiting.join(15)
    assert [message["Body"] for message in answers[0]] == ["here"]


def test_a_hidden_message_is_received_again_after_its_visibility_timeout(sqs: SafeSQS) -> None:
    client, url = new_queue(visibility=1)
    client.send_message(QueueUrl=url, MessageBody="again")
    client.receive_message(QueueUrl=url)
    assert "Messages" not in client.receive_message(QueueUrl=url)
    again = client.receive_message(QueueUrl=url, WaitTimeSeconds=15, AttributeNames=["All"])["Messages"][0]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_message_that_is_made_visible_wakes_a_receiver(sqs: SafeSQS) -> None:
    client, url = new_queue(visibility=600)
    client.send_message(QueueUrl=url, MessageBody="back")
    handle = client.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(client.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages"))
    )
    waiting.start()
    client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    waiting.join(15)
    assert [message["Body"] for message in answers[0]] == ["back"]


def test_stopping_ends_every_wait(sqs: SafeSQS) -> None:
    client, url = new_queue()
    waiting = threading.Thread(target=lambda: client.receive_message(QueueUrl=url, WaitTimeSeconds=20))
    waiting.start()
    begun = time.monotonic()
    sqs.stop()
    waiting.join(15)
    assert time.monotonic() - begun < 15
    assert not waiting.is_alive()
