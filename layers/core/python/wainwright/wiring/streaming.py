"""Server-sent events."""

from dataclasses import dataclass

from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.settings import StoreSettings
from wainwright.usecases.authenticate import Authenticate
from wainwright.usecases.open_ticket import OpenTicket
from wainwright.usecases.stream_events import StreamEvents


@dataclass(frozen=True)
class EventStream:
    """What ``functions/stream_events`` does."""

    authenticate: Authenticate
    open_ticket: OpenTicket
    stream: StreamEvents


def event_stream(settings: StoreSettings) -> EventStream:
    """The server-sent events."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    access = DynamoAccessStore(clients.dynamodb, settings.table)
    return EventStream(
        authenticate=Authenticate(access, system_clock),
        open_ticket=OpenTicket(access, system_clock),
        stream=StreamEvents(jobs, system_clock),
    )
