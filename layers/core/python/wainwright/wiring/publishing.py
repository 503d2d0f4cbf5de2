"""Changes of status for the event bus."""

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.event_bus import EventBridgeBus
from wainwright.settings import PublishSettings
from wainwright.usecases.publish_changes import PublishChanges


def publish_changes(settings: PublishSettings) -> PublishChanges:
    """Changes of status, published."""
    clients = Clients()
    return PublishChanges(EventBridgeBus(clients.events, settings.event_bus))
