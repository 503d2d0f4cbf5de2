"""Run a job and wait for it, telling how far it is. Then look back at what there is."""

import os
import uuid

from wainwright.client import Client, CreateJob, JobRecord, WaitTimeout

SCRIPT = """
import time

def test_prepares(job):
    job.progress(50, "half way")
    time.sleep(0.5)

def test_counts(job):
    job.result("answer", 6 * 7)
"""


def told(job: JobRecord) -> None:
    print(f"  {job.status}, {job.progress} %")


with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    created = client.create_job(CreateJob(script=SCRIPT, label="polling"))
    print(f"job {created.job_id} is {created.status}")

    try:
        client.jobs.wait_for(created, "FINISHED", timeout=0)
    except WaitTimeout as error:
        print(f"not yet ({error.code}): {error.message}")

    outcome = client.jobs.wait_for_result(created, poll=1, on_progress=told)
    print(f"success: {outcome.success}, results: {outcome.results}, waited {outcome.total_time} ms")

    for job in client.jobs.find(status=["completed", "failed"], label="polling", limit=3):
        print(f"{job.id} {job.status} after {job.duration_ms} ms")
    print("another id:", client.jobs.find_by_id(str(uuid.uuid4())))
