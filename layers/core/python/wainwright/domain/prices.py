"""Public prices of the AWS services that a job uses, from the table beside this module."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

GIGABYTE = 2**30
"""Bytes that AWS bills as a GB of storage and of logs."""

SECONDS_OF_AN_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Price:
    """``usd`` US dollars for ``per`` of ``unit``; ``what`` is billed so, as AWS names it."""

    name: str
    usd: float
    per: float
    unit: str
    what: str

    def of(self, amount: float) -> float:
        """US dollars for an amount in the price's unit."""
        return amount * self.usd / self.per


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices of one region, their source, and the month of their publication."""

    region: str
    as_of: str
    source: str
    prices: Mapping[str, Price]


@cache
def price_table() -> PriceTable:
    """Read the table, once."""
    table = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
    prices = {name: Price(name=name, **price) for name, price in table["prices"].items()}
    return PriceTable(table["region"], table["asOf"], table["source"], MappingProxyType(prices))


def price(name: str) -> Price:
    """Return one price, such as ``dynamodb.write``. Raises KeyError if there is none of this name."""
    return price_table().prices[name]
