"""Chains in the real store's rows, where a deletion takes more than one step."""

import pytest
from botocore.exceptions import ClientError

from tests.support.aws import create_table
from tests.support.builders import PROJECT, SCRIPT, a_caller, completed
from tests.support.faults import Faults
from tests.support.system import System
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.states import JobStatus

CALLER = a_caller()


@pytest.mark.usefixtures("aws", "no_pauses")
def test_a_job_ends_though_one_that_depends_on_it_is_half_deleted(aws_clients: Clients) -> None:
    table = create_table(aws_clients.dynamodb, "chain-endings")
    system = System(jobs=DynamoJobStore(aws_clients.dynamodb, table))
    claim = system.claimed()
    after = system.submitted(CreateJob(script=SCRIPT, depends_on=(claim.job.id,)))
    system.control.stop(CALLER, after.id)
    faults = Faults(aws_clients.dynamodb, on=("BatchWriteItem",))
    faults.refuse("AccessDeniedException")
    with faults.installed(), pytest.raises(ClientError):
        system.control.delete(CALLER, after.id)

    system.claims.end(claim, completed())
    ended = system.finish(PROJECT, claim.job.id, claim.job.run)

    assert ended is not None
    assert ended.status is JobStatus.COMPLETED
    system.control.delete(CALLER, after.id)
    assert system.jobs.dependents(PROJECT, claim.job.id) == []
