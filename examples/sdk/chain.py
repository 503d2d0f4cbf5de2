"""Jobs in a row: each begins where the one before ended. First run from here, then by the system."""

import argparse
import os

from wainwright.client import Client, CreateJob, JobFailed
from wainwright.client.patterns import JobChain

LOG_IN = """
def test_log_in(job):
    job.result("finalUrl", job.url + "account.html")
"""
LOOK = """
def test_is_logged_in(job):
    assert job.url.endswith("account.html"), job.url
"""
BROKEN = "def test_is_broken(): assert False, 'on purpose'\n"

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--base-url", default="https://shop.example/", help="where the chain begins")
base_url = parser.parse_args().base_url

with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    log_in, look, broken = (CreateJob(script=script) for script in (LOG_IN, LOOK, BROKEN))

    chain = JobChain(client).add(log_in).add(look)
    for outcome in chain.execute(base_url, on_step=lambda step, of: print(f"step {step} of {of}")):
        print(f"  {outcome.job_id} completed with {outcome.results}")

    try:
        JobChain(client).add(broken).add(look).execute(base_url)
    except JobFailed as error:
        print(f"{error.message} (job {error.job_id})")

    first = client.create_job(log_in.model_copy(update={"url": base_url}))
    second = client.create_job(look.model_copy(update={"depends_on": (first.job_id,)}))
    ended = client.jobs.wait_for(second)
    print(f"by the system: {ended.status} at {ended.url}")
