"""Open a ticket."""

from dataclasses import dataclass

from wainwright.domain.errors import Unauthenticated
from wainwright.ports.access import AccessStore, Ticket
from wainwright.ports.clock import Clock
from wainwright.usecases.manage_keys import digest

MAX_SECRET = 200
"""Characters of the longest secret of a ticket."""


@dataclass(frozen=True)
class OpenTicket:
    """Reads tickets: short-lived secrets in addresses, for browsers, which cannot send a key with a link."""

    access: AccessStore
    clock: Clock

    def __call__(self, secret: str) -> Ticket:
        """Return the ticket with this secret; raise Unauthenticated if there is none, or it has expired."""
        ticket = self.access.find_ticket(digest(secret)) if len(secret) <= MAX_SECRET else None
        if ticket is None or ticket.expires_at <= self.clock():
            raise Unauthenticated(
                "this address of a report is unknown or has expired",
                advice="Open the report anew: `wainwright report open JOB`.",
            )
        return ticket
