"""Authenticate requests: by the ``Authorization`` header, or by the ticket in an address."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wainwright.domain.errors import Unauthenticated
from wainwright.ports.access import AccessStore, ApiKey, Ticket
from wainwright.ports.clock import Clock
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_keys import digest

REMEMBER = timedelta(seconds=30)
"""Time for which a key is cached: the longest that a revoked key goes on working."""

MOST_REMEMBERED = 1_000

MAX_SECRET = 200
"""Characters of the longest secret of a ticket."""

_ADVICE = "Send the header `Authorization: Bearer <API key>`."


@dataclass
class Authenticate:
    """Authenticates requests, and caches good keys for a while; lives as long as its function."""

    access: AccessStore
    clock: Clock
    _seen: OrderedDict[str, tuple[ApiKey, datetime]] = field(default_factory=OrderedDict)

    def __call__(self, authorization: str | None) -> Caller:
        """Return the caller of a request with this header.

        Raises:
            Unauthenticated: the header is missing or malformed, or the key is unknown or revoked.
        """
        scheme, _, secret = (authorization or "").strip().partition(" ")
        if not authorization or not secret:
            raise Unauthenticated("the request has no API key", advice=_ADVICE)
        if scheme.lower() != "bearer":
            raise Unauthenticated("the Authorization header is not of the form `Bearer <API key>`", advice=_ADVICE)
        key = self._find(digest(secret.strip()))
        if key is None or key.revoked:
            raise Unauthenticated(
                "this API key is unknown or was revoked", advice="Check the key, or create a new one."
            )
        return Caller(project=key.project, key_id=key.id, name=key.name, scope=key.scope)

    def open_ticket(self, secret: str) -> Ticket:
        """Return the ticket with this secret; raise Unauthenticated if there is none, or it has expired.

        Tickets are for browsers, which cannot send a key with a link.
        """
        ticket = self.access.find_ticket(digest(secret)) if len(secret) <= MAX_SECRET else None
        if ticket is None or ticket.expires_at <= self.clock():
            raise Unauthenticated(
                "this report link is unknown or has expired",
                advice="Open the report again: `wainwright report open JOB`.",
            )
        return ticket

    def _find(self, key_digest: str) -> ApiKey | None:
        now = self.clock()
        remembered = self._seen.get(key_digest)
        if remembered and now < remembered[1]:
            return remembered[0]
        key = self.access.find_key(key_digest)
        if key is not None:
            self._seen[key_digest] = (key, now + REMEMBER)
            self._seen.move_to_end(key_digest)
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)
        return key
