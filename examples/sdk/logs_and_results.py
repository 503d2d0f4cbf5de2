"""What tests hand back: results that fit a schema, and log lines while they run."""

import os

from wainwright.client import Client, CreateJob

SCRIPT = """
def test_links(job):
    job.log_info("looking at links", pages=2)
    for page, ok in (("index.html", True), ("gone.html", False)):
        job.item(page, ok, error_message=None if ok else "404")
    job.log_error("one link is broken")
    job.result("brokenLinks", ["gone.html"])
"""
SCHEMA = {
    "type": "object",
    "properties": {"brokenLinks": {"type": "array", "items": {"type": "string"}}},
    "required": ["brokenLinks"],
}

with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    created = client.create_job(CreateJob(script=SCRIPT, output_schema=SCHEMA))
    for entry in client.jobs.logs(created, follow=True):
        print(f"{entry.timestamp:%H:%M:%S} {entry.level:5} {entry.message}")

    job = client.jobs.wait_for(created)
    print(f"{job.status}, has errors: {job.has_errors}, results: {job.results}")

    client.jobs.log_info(created, "looked at by a person", {"by": "me"})
    errors = [entry.message for entry in client.jobs.logs(created, level="ERROR", period="10m")]
    print("errors:", errors)

    wrong = client.create_job(CreateJob(script="def test_nothing(): pass\n", output_schema=SCHEMA))
    print(client.jobs.wait_for_result(wrong).error)
