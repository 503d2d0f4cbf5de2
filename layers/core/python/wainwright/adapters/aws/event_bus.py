"""Changes of status on an EventBridge bus."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from wainwright.contracts.events import EVENT_SOURCE, STATUS_DETAIL_TYPE, StatusChanged
from wainwright.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

BATCH = 10
"""Entries that PutEvents takes at once."""


@dataclass(frozen=True)
class EventBridgeBus:
    """An :class:`~wainwright.ports.event_bus.EventBus`."""

    client: "EventBridgeClient"
    bus: str

    def publish(self, changes: Iterable[StatusChanged]) -> None:
        entries: Any = (
            {
                "EventBusName": self.bus, "Source": EVENT_SOURCE, "DetailType": STATUS_DETAIL_TYPE,
                "Time": change.at, "Detail": change.model_dump_json(by_alias=True),
            }
            for change in changes
        )  # fmt: skip
        while batch := list(islice(entries, BATCH)):
            answer = self.client.put_events(Entries=batch)
            if answer["FailedEntryCount"]:
                codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
                raise Unavailable(f"the event bus refused {answer['FailedEntryCount']} events: {', '.join(codes)}")
