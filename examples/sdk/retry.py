"""Trying again: the system tries one and the same job again, or this program makes a new job for each try."""

import os

from wainwright.client import Client, CreateJob, JobFailed, RetryPolicy
from wainwright.client.patterns import run_with_retry

FLAKY = """
def test_needs_a_second_try(job):
    assert job.attempt > 1
"""
BROKEN = "def test_never_passes(): assert False, 'on purpose'\n"


def told(attempt: int, error: str | None) -> None:
    print(f"  try {attempt}: {error or 'begins'}")


with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    policy = RetryPolicy(max_attempts=3, delay_ms=200, backoff_multiplier=2)
    job = client.jobs.wait_for(client.create_job(CreateJob(script=FLAKY, retry=policy)))
    print(f"one job: {job.status} at attempt {job.attempt}")

    try:
        run_with_retry(client, CreateJob(script=BROKEN), max_retries=2, delay=0.5, on_attempt=told)
    except JobFailed as error:
        print(error.message)
