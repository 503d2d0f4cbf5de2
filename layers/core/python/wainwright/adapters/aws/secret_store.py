"""Secrets in Systems Manager's Parameter Store, one SecureString each; their names and times in a row of the table.

The row is what lets the API say which secrets there are without being allowed to read any, what bounds their number, and
what tells a worker at a claim, for the price of one read, that a project has none or that those it knows are still right.
The row has every name that Parameter Store may have: it is written before a value is put and after one is deleted.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from wainwright.adapters.aws.items import expressions, key, number, project_partition, text
from wainwright.adapters.aws.outages import error_code
from wainwright.adapters.aws.table import Refusal, Table
from wainwright.contracts.names import secret_path
from wainwright.domain.errors import Conflict, InvalidInput, Unavailable
from wainwright.domain.instants import to_text
from wainwright.domain.secrets import MAX_SECRET_BYTES
from wainwright.ports.secrets import SecretIndex
from wainwright.ports.updates import retry_conflicts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SORT_KEY = "SECRETS"

PAGE = 10
"""Parameters of one page: the most that GetParametersByPath gives."""

_ENCODED = "wainwright:base64:"
"""Before a value that Parameter Store would refuse or change as it is."""


class SsmSecretStore:
    """A :class:`~wainwright.ports.secrets.SecretStore` on Parameter Store and the one table."""

    def __init__(self, ssm: Callable[[], Any], dynamodb: "DynamoDBClient", table: str, stage: str) -> None:
        """``ssm`` gives the client: few processes ever need it, and making it takes longer than a call."""
        self._ssm = ssm
        self.table = Table(dynamodb, table)
        self._stage = stage

    def index(self, project: str) -> SecretIndex:
        row = self.table.get(key(project_partition(project), SORT_KEY))
        return _index_of(row) if row else SecretIndex()

    def put(self, project: str, name: str, value: str, *, now: datetime, most: int) -> bool:
        stored = _stored(value)

        def add(names: dict[str, str]) -> bool:
            if name not in names and len(names) >= most:
                return False
            names[name] = to_text(now)
            return True

        if name not in self.index(project).updated and not self._change(project, add):
            return False
        self._call("put", self._ssm().put_parameter, Name=self._name(project, name), Value=stored, Type="SecureString",
                   Overwrite=True)  # fmt: skip
        # Noted afterwards: whoever sees the new revision gets the new value.
        return self._change(project, add)

    def delete(self, project: str, name: str) -> bool:
        self._call("deleted", self._ssm().delete_parameter, Name=self._name(project, name))
        return self._change(project, lambda names: names.pop(name, None) is not None)

    def values(self, project: str) -> Mapping[str, str]:
        path = secret_path(self._stage, project)
        found: dict[str, str] = {}
        more: dict[str, str] = {}
        while True:
            answer = self._call(
                "read", self._ssm().get_parameters_by_path, Path=path, WithDecryption=True, MaxResults=PAGE, **more
            )
            for parameter in answer["Parameters"]:
                found[parameter["Name"].rpartition("/")[2]] = _restored(parameter["Value"])
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}

    def _name(self, project: str, name: str) -> str:
        return f"{secret_path(self._stage, project)}/{name}"

    def _call(self, done: str, operation: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return operation(**arguments)
        except ClientError as error:
            code = error_code(error)
        if code == "ParameterNotFound":
            return None
        # Not `from error`: what AWS says of a parameter may quote its value.
        raise Unavailable(
            f"the secret could not be {done} ({code})",
            advice="Send the same request again; if it fails again, look at the role's permissions on Parameter Store.",
        )

    def _change(self, project: str, change: Callable[[dict[str, str]], bool]) -> bool:
        """Change the names by which a project's secrets go, against whoever does so at the same time."""

        def attempt() -> bool:
            index = self.index(project)
            names = {name: to_text(at) for name, at in index.updated.items()}
            if not change(names):
                return False
            item = key(project_partition(project), SORT_KEY) | {
                "body": text(json.dumps(names)), "revision": number(index.revision + 1),
            }  # fmt: skip
            condition = {"ConditionExpression": "attribute_not_exists(pk)"}
            if index.revision:
                condition = expressions(
                    {":revision": number(index.revision)}, ConditionExpression="revision = :revision"
                )
            try:
                self.table.commit([{"Put": {"Item": item} | condition}])
            except Refusal as refusal:
                raise Conflict("the project's secrets changed since they were read") from refusal
            return True

        return retry_conflicts(attempt, "the project's secrets")


def _index_of(row: Any) -> SecretIndex:
    names = json.loads(row["body"]["S"])
    return SecretIndex(int(row["revision"]["N"]), {name: datetime.fromisoformat(names[name]) for name in sorted(names)})


def _stored(value: str) -> str:
    """The value as Parameter Store takes it: ``{{`` it refuses, and of white space at the ends it promises nothing."""
    if "{{" not in value and value == value.strip() and not value.startswith(_ENCODED):
        return value
    encoded = _ENCODED + base64.b64encode(value.encode()).decode()
    if len(encoded) > MAX_SECRET_BYTES:
        most = (MAX_SECRET_BYTES - len(_ENCODED)) // 4 * 3
        raise InvalidInput(
            "value", f"a value with {{{{ in it, or with white space at its ends, has at most {most} bytes",
            advice="Strip it, or keep it in two secrets.",
        )  # fmt: skip
    return encoded


def _restored(stored: str) -> str:
    if not stored.startswith(_ENCODED):
        return stored
    try:
        return base64.b64decode(stored.removeprefix(_ENCODED), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return stored  # not written by us
