"""The most important first: in a queue of this program's own, and in the project's queue, which everybody shares."""

import os

from wainwright.client import Client, CreateJob
from wainwright.client.patterns import JobQueue, QueueStats

SCRIPT = "def test_it(): pass\n"


def told(stats: QueueStats) -> None:
    print(f"  {stats.queued} queued, {stats.running} running, {stats.successful} + {stats.failed} ended")


with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    queue = JobQueue(client, max_concurrent=2)
    names = {}
    for name, priority in (("nightly", 0), ("release", 10), ("branch", 5)):
        names[queue.add(CreateJob(script=SCRIPT, label=name), priority)] = name
    outcomes = queue.process(on_change=told)
    started = {names[number]: client.get_job(outcome.job_id).created_at for number, outcome in outcomes.items()}
    print("created here in this order:", *sorted(started, key=lambda name: started[name]))

    job = client.create_job(CreateJob(script=SCRIPT, priority=100))
    line = client.queue()
    print(
        f"of the project: {line.running} running of {line.limits.running}, {line.queued} queued of {line.limits.queued}"
    )
    print(f"job {job.job_id} of priority {job.job.priority}: {client.jobs.wait_for(job).status}")
