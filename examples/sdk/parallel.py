"""Several jobs at a time, from asyncio, and what became of each."""

import asyncio
import os

from wainwright.client import AsyncClient, CreateJob, JobRecord
from wainwright.client.patterns import run_parallel

SCRIPT = """
def test_page(job):
    assert job.params["page"] != "faulty.html", "this page is known to be faulty"
"""
PAGES = ["index.html", "cart.html", "faulty.html"]


def told(number: int, job: JobRecord) -> None:
    print(f"  {PAGES[number]}: {job.status}")


async def main() -> None:
    async with AsyncClient(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
        jobs = [CreateJob(script=SCRIPT, params={"page": page}) for page in PAGES]
        outcome = await run_parallel(client, jobs, on_progress=told)
    print(f"{len(outcome.successful)} of {len(outcome.all)} completed")
    for failed in outcome.failed:
        print(f"  {failed.job_id}: {failed.error}")


asyncio.run(main())
