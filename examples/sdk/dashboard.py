"""The newest jobs at a glance, in the terminal, until Ctrl-C. `wainwright dashboard` is the same."""

import argparse
import os
from contextlib import suppress

from rich.console import Console

from wainwright.client import Client
from wainwright.client.patterns import Dashboard
from wainwright.client.patterns.display import show

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rounds", type=int, help="draw so many times, and end")
parser.add_argument("--redraw", type=float, default=5, help="seconds between two drawings")
arguments = parser.parse_args()

with (
    Client(os.environ["WAINWRIGHT_ENDPOINT"], os.environ["WAINWRIGHT_API_KEY"]) as client,
    suppress(KeyboardInterrupt),
):
    show(Dashboard(client), Console(), redraw=arguments.redraw, rounds=arguments.rounds)
