"""The usual stack: a boto3 client, and the HTTP resolver of Powertools with validation. One route that keeps one item.

What it does is a small part of what ``POST /v1/jobs`` does: it checks a body by a model and writes one item. It is the least
that such a handler imports and makes, not the most.
"""

import os
import uuid
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel, Field

app = APIGatewayHttpResolver(enable_validation=True)
table = boto3.client("dynamodb")


class NewJob(BaseModel):
    """The request."""

    script: str = Field(min_length=1, max_length=200_000)
    url: str | None = None
    label: str | None = Field(default=None, max_length=200)


class Accepted(BaseModel):
    """The answer."""

    id: str
    status: str


@app.post("/v1/jobs")
def create(job: NewJob) -> Accepted:
    """Keep it."""
    accepted = Accepted(id=str(uuid.uuid4()), status="pending")
    item = {"pk": {"S": accepted.id}, "sk": {"S": "JOB"}, "body": {"S": job.model_dump_json()}}
    table.put_item(TableName=os.environ["WAINWRIGHT_TABLE"], Item=item)
    return accepted


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
