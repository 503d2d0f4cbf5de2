"""Turn changes of job rows into events on the bus."""

from collections.abc import Iterable
from dataclasses import dataclass

from wainwright.contracts.events import StatusChanged
from wainwright.domain.jobs import Job
from wainwright.ports.event_bus import EventBus


@dataclass(frozen=True)
class PublishChanges:
    """Publishes every change of status once for each time the stream tells of it."""

    bus: EventBus

    def __call__(self, changes: Iterable[tuple[Job | None, Job]]) -> int:
        """Publish (before, after) pairs in which the status differs; returns how many.

        Raises:
            Unavailable: the bus did not take them all.
        """
        events = [
            StatusChanged(
                project=after.project, job_id=after.id, status=after.status, previous=before.status if before else None,
                status_sequence=after.status_sequence, label=after.label, attempt=after.attempt,
                failure_category=after.failure.category if after.failure else None, at=after.updated_at,
            )
            for before, after in changes
            if before is None or before.status_sequence != after.status_sequence
        ]  # fmt: skip
        if events:
            self.bus.publish(events)
        return len(events)
