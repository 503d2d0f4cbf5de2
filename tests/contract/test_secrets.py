"""Every SecretStore, in memory and on AWS."""

from datetime import timedelta

import pytest
from moto.ssm.models import ssm_backends

from tests.support.aws import ACCOUNT_ID, REGION
from tests.support.builders import PROJECT, START
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.secret_store import SsmSecretStore
from wainwright.domain.errors import InvalidInput, Unavailable
from wainwright.ports.secrets import SecretStore

MOST = 100


def put(store: SecretStore, name: str, value: str = "a value", project: str = PROJECT, most: int = MOST) -> bool:
    return store.put(project, name, value, now=START, most=most)


def test_a_project_without_secrets_has_an_empty_index_and_no_values(secrets: SecretStore) -> None:
    assert (secrets.index(PROJECT).revision, secrets.index(PROJECT).updated) == (0, {})
    assert secrets.values(PROJECT) == {}


@pytest.mark.parametrize(
    "value",
    ["plain", " spaces at both ends\n", "{{mustache}}", 'pä"ss\n\\two €😀', "wainwright:base64:AAAA", "x" * 4_096],
    ids=["plain", "spaces", "braces", "unicode", "marker", "longest"],
)
def test_gives_a_value_back_as_it_was_set(secrets: SecretStore, value: str) -> None:
    assert put(secrets, "TOKEN", value)

    assert secrets.values(PROJECT) == {"TOKEN": value}


def test_tells_names_and_times_and_raises_the_revision_with_every_change(secrets: SecretStore) -> None:
    put(secrets, "FIRST")
    one = secrets.index(PROJECT)
    later = START + timedelta(hours=1)
    secrets.put(PROJECT, "FIRST", "another", now=later, most=MOST)
    put(secrets, "SECOND")
    two = secrets.index(PROJECT)
    secrets.delete(PROJECT, "SECOND")
    three = secrets.index(PROJECT)

    assert one.updated == {"FIRST": START}
    assert two.updated == {"FIRST": later, "SECOND": START}
    assert three.updated == {"FIRST": later}
    assert 0 < one.revision < two.revision < three.revision
    assert secrets.values(PROJECT) == {"FIRST": "another"}


def test_gives_all_of_many_secrets(secrets: SecretStore) -> None:
    values = {f"SECRET_{number:03}": f"value {number}" for number in range(23)}
    for name, value in values.items():
        put(secrets, name, value)

    assert secrets.values(PROJECT) == values


def test_takes_no_more_than_the_most_but_changes_those_it_has(secrets: SecretStore) -> None:
    assert put(secrets, "ONE", most=2)
    assert put(secrets, "TWO", most=2)

    assert not put(secrets, "THREE", most=2)
    assert put(secrets, "ONE", "changed", most=2)
    assert secrets.values(PROJECT) == {"ONE": "changed", "TWO": "a value"}


def test_deletes_once(secrets: SecretStore) -> None:
    put(secrets, "TOKEN")

    assert secrets.delete(PROJECT, "TOKEN")
    assert not secrets.delete(PROJECT, "TOKEN")
    assert (secrets.index(PROJECT).updated, secrets.values(PROJECT)) == ({}, {})


def test_keeps_projects_apart(secrets: SecretStore) -> None:
    put(secrets, "TOKEN", "of one", project="shop")
    put(secrets, "TOKEN", "of another", project="shop-two")
    secrets.delete("shop-two", "TOKEN")

    assert secrets.values("shop") == {"TOKEN": "of one"}
    assert secrets.values("shop-two") == {}


class TestOnParameterStore:
    def test_keeps_secure_strings_below_stage_and_project(self, ssm_secrets: SsmSecretStore) -> None:
        put(ssm_secrets, "TOKEN")

        (parameter,) = ssm_backends[ACCOUNT_ID][REGION].get_parameters([f"/wainwright/dev/{PROJECT}/TOKEN"]).values()
        assert parameter.parameter_type == "SecureString"

    def test_the_row_has_names_and_no_values(
        self, ssm_secrets: SsmSecretStore, aws_clients: Clients, table: str
    ) -> None:
        put(ssm_secrets, "TOKEN", "planted-value")

        rows = aws_clients.dynamodb.scan(TableName=table)["Items"]
        assert "TOKEN" in repr(rows)
        assert "planted-value" not in repr(rows)

    def test_a_value_that_cannot_be_kept_as_it_is_has_a_smaller_bound(self, ssm_secrets: SsmSecretStore) -> None:
        with pytest.raises(InvalidInput, match="at most 3057 bytes") as raised:
            put(ssm_secrets, "TOKEN", "{{" + "x" * 4_094)
        assert "xxx" not in str(raised.value)
        assert put(ssm_secrets, "TOKEN", "{{" + "x" * 3_055)

    def test_what_parameter_store_says_of_a_value_goes_no_further(
        self, ssm_secrets: SsmSecretStore, aws_clients: Clients, table: str
    ) -> None:
        class Quoting:
            def put_parameter(self, **arguments: str) -> None:
                aws_clients.ssm.put_parameter(
                    Name="aws-no-such-name", Value=arguments["Value"], Type=arguments["Value"]
                )

        store = SsmSecretStore(Quoting, aws_clients.dynamodb, table, "dev")
        with pytest.raises(Unavailable) as raised:
            put(store, "TOKEN", "planted-value")

        assert "planted-value" not in f"{raised.value} {raised.value.advice}"
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
