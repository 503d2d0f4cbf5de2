"""How some jobs went, in numbers that the system counts."""

import os

from wainwright.client import Client, CreateJob
from wainwright.client.patterns import analyze

GOOD = "def test_passes(): pass\n"
BAD = "def test_fails(): assert False, 'on purpose'\n"

with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    jobs = [client.create_job(CreateJob(script=script)) for script in (GOOD, GOOD, BAD)]
    for job in jobs:
        client.jobs.wait_for(job)

    numbers = analyze(client, jobs)
    print(f"{numbers.completed_jobs} of {numbers.total_jobs} completed: {numbers.success_rate:.1f} %")
    print(
        f"from creation to completion: {numbers.average_duration} ms ({numbers.min_duration} to {numbers.max_duration})"
    )
    print("errors:", numbers.error_types)

    week = analyze(client)
    print(f"in the last seven days: {week.total_jobs} jobs, p95 {week.p95_duration} ms")
