"""The table of prices."""

import re

import pytest

from wainwright.domain.costs import Capacity
from wainwright.domain.prices import price, price_table


def test_says_where_and_when_its_prices_were_published() -> None:
    table = price_table()

    assert (table.region, table.source) == ("us-east-1", "AWS price list, us-east-1")
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", table.as_of)


@pytest.mark.parametrize("name", sorted(price_table().prices))
def test_each_price_has_a_unit_and_says_what_is_billed(name: str) -> None:
    found = price(name)

    assert found.name == name
    assert found.per > 0
    assert found.usd >= 0
    assert found.unit
    assert found.what


def test_prices_an_amount() -> None:
    assert price("dynamodb.write").of(1_000_000) == pytest.approx(0.625)
    assert price("stepfunctions.transition").of(3_000) == pytest.approx(0.075)
    assert price("ssm.parameter").of(1_000) == 0


@pytest.mark.parametrize("capacity", [each.value for each in Capacity])
def test_has_both_prices_of_every_kind_of_worker(capacity: str) -> None:
    assert price(f"fargate.{capacity}.vcpu").usd > price(f"fargate.{capacity}.memory").usd > 0


def test_knows_no_other_names() -> None:
    with pytest.raises(KeyError):
        price("dynamodb.dreams")
