"""Put tests into quarantine, and take them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wainwright.domain.errors import NotFound, Refused
from wainwright.domain.instants import cut
from wainwright.domain.quarantine import MAX_QUARANTINED, Quarantine, check_until
from wainwright.ports.clock import Clock
from wainwright.ports.quarantine import QuarantineStore
from wainwright.usecases.caller import Caller


@dataclass(frozen=True)
class ManageQuarantine:
    """The quarantines of projects."""

    store: QuarantineStore
    clock: Clock

    def list(self, caller: Caller) -> Sequence[Quarantine]:
        """Return all of the project, by test id; expired ones for a week more."""
        return self.store.list(caller.project)

    def put(self, caller: Caller, test_id: str, until: date, reason: str) -> Quarantine:
        """Put a test into quarantine, or change until when; workers know within a minute.

        Raises:
            InvalidInput: ``until`` is over, or more than 90 days ahead.
            Refused: the project has as many as it may.
        """
        now = cut(self.clock())
        check_until(until, now)
        entry = Quarantine(test_id=test_id, until=until, reason=reason, added_at=now, by=caller.name)
        others = [each for each in self.store.list(caller.project) if each.test_id != test_id]
        if sum(each.holds(now) for each in others) >= MAX_QUARANTINED:
            raise Refused(
                f"the project has {MAX_QUARANTINED} tests in quarantine, which is the maximum",
                advice="Repair some of them, and take them out of quarantine.",
            )
        self.store.put(caller.project, entry)
        return entry

    def remove(self, caller: Caller, test_id: str) -> None:
        """Take a test out: within a minute, its failures count. Raises NotFound if it is not in quarantine."""
        if not self.store.remove(caller.project, test_id):
            raise NotFound("this test is not in quarantine", advice="GET /v1/quarantine lists the tests in quarantine.")
