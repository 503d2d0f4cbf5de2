"""Work that was handed out again and again without coming to an end: its run ends."""

from dataclasses import dataclass

from wainwright.contracts.messages import WorkMessage
from wainwright.ports.workflows import Workflows

ERROR = "WorkUndeliverable"


@dataclass(frozen=True)
class GiveUpWork:
    """Ends the token of a message that the work queue gave up; the workflow's Finish does the rest."""

    workflows: Workflows

    def __call__(self, message: WorkMessage) -> None:
        """End the run that the message stands for, unless it has ended; a lane's message stands for none."""
        if message.task_token is None:
            return
        cause = "the run was handed to workers as often as the work queue allows, and none of them ended it"
        self.workflows.fail(message.token, error=ERROR, cause=cause)
