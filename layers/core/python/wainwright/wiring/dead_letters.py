"""The net under the work queue."""

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.usecases.give_up_work import GiveUpWork


def give_up_work() -> GiveUpWork:
    """The net under the work queue."""
    clients = Clients()
    return GiveUpWork(StepFunctionsWorkflows(lambda: clients.stepfunctions, ""))
