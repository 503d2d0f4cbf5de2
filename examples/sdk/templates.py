"""Tests stored by a name, with parameters that each job gives."""

import os

from wainwright.client import ApiError, Client, JobConfig, WriteTemplate

SCRIPT = """
def test_price(job):
    job.result("price", f"10.00 {job.params['currency']}")
"""
PARAMETERS = {
    "type": "object",
    "properties": {"currency": {"enum": ["EUR", "GBP"]}},
    "required": ["currency"],
}

with Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client:
    wanted = WriteTemplate(name="prices", script=SCRIPT, parameters=PARAMETERS, config=JobConfig(timeout=60_000))
    template = client.templates.create(wanted)
    print(f"template {template.id}, version {template.version}")

    for currency in ("EUR", "GBP"):
        created = client.templates.invoke(template.id, {"currency": currency, "label": f"prices in {currency}"})
        outcome = client.jobs.wait_for_result(created)
        print(f"  {currency}: {outcome.results}")

    try:
        client.templates.invoke(template.id, {"currency": "XXX"})
    except ApiError as error:
        print(f"refused with {error.status}: {error.message}")

    again = client.templates.update(template.id, wanted.model_copy(update={"name": "all prices"}))
    print(f"{again.name!r} is version {again.version}")
    print("jobs of it:", sum(1 for _ in client.jobs.find(template_id=template.id)))
    client.templates.delete(template.id)
