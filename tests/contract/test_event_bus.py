"""Every EventBus, in memory and on AWS."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.conftest import Bus
from tests.support.builders import PROJECT, START, job_id
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.event_bus import EventBridgeBus
from wainwright.contracts.events import StatusChanged
from wainwright.domain.errors import Unavailable


def change(number: int) -> StatusChanged:
    return StatusChanged(
        project=PROJECT, job_id=job_id(number), status="failed", previous="running", status_sequence=number,
        label="Zoë", attempt=1, failure_category="assertion", at=START + timedelta(seconds=number),
    )  # fmt: skip


def test_publishes_each_change_as_it_is(bus: Bus) -> None:
    bus.bus.publish([change(1)])

    assert bus.arrived() == [change(1)]


def test_publishes_more_than_the_platform_takes_at_once(bus: Bus) -> None:
    changes = [change(number) for number in range(1, 26)]

    bus.bus.publish(iter(changes))

    assert sorted(bus.arrived(), key=lambda change: change.status_sequence) == changes


def test_publishes_nothing_of_nothing(bus: Bus) -> None:
    bus.bus.publish([])

    assert bus.arrived() == []


def test_tells_when_eventbridge_did_not_take_all(
    aws: None, aws_clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_taken(**_: Any) -> Any:
        return {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]}

    monkeypatch.setattr(aws_clients.events, "put_events", half_taken)

    with pytest.raises(Unavailable, match="ThrottlingException"):
        EventBridgeBus(aws_clients.events, "bus").publish([change(1), change(2)])
