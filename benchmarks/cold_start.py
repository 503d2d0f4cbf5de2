"""Import plus first call of each function, beside the usual stack; and how large what is deployed is.

Usage: python -m benchmarks.cold_start [--smoke] [--only FUNCTION ...] [--repeats N] [--json FILE]

Each figure is of a fresh Python process that imports one handler and calls it once with an event as AWS would send it. AWS is
on loopback, in another process, and answers at once with what moto answered to the same calls beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cold_start_scenes import ENVIRONMENT, RIVAL, SCENES, Scene, scenes
from benchmarks.deployed import Size, deps_layer_size, size_of
from benchmarks.measuring import Cell, Options, Result, Table, Verdict, alternately, median, run
from benchmarks.replay import Replay, replaying
from infra.deployed_files import CORE, FUNCTIONS

ROOT = Path(__file__).parents[1]
CHILD = Path(__file__).with_name("cold_start_child.py")
LIMIT = 0.85
REPEATS = 11
MOST_SECONDS = 120.0
SMOKE = ("api", "drain_dead_letters")
"""The functions that a smoke run starts: the one with the most to import, and the one with the least to do."""

PARTS = {
    "ours": ("wainwright", "functions", "benchmarks"),
    "pydantic": ("pydantic", "pydantic_core", "annotated_types", "typing_inspection", "typing_extensions"),
    "botocore": ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "jmespath", "six"),
    "Powertools": ("aws_lambda_powertools",),
    "jsonschema": ("jsonschema", "jsonschema_specifications", "referencing", "rpds", "attr", "attrs"),
}
"""Packages by their part in the breakdown; whatever else is imported is Python's own library."""


class Side:
    """One handler, started again and again. Keeps what each process measured, in seconds."""

    def __init__(self, scene: Scene, replay: Replay, environment: Mapping[str, str]) -> None:
        self.scene = scene
        self.measured: list[dict[str, Any]] = []
        self._replay = replay
        self._environment = dict(environment)

    def start(self) -> float:
        """One fresh process; import and call together."""
        measured: dict[str, Any] = json.loads(self._run().stdout)
        if _kind(measured.pop("answer")) != _kind(self.scene.outcome):
            raise SystemExit(f"{self.scene.name} did not do what it did when AWS's answers were noted")
        self.measured.append(measured)
        return float(measured["import"] + measured["call"])

    def of(self, name: str, repeats: int) -> float:
        """The median of one of the figures, of the last processes."""
        return median([each[name] for each in self.measured[-repeats:]])

    def breakdown(self) -> dict[str, float]:
        """Milliseconds that each part's modules took to run at import, theirs alone, as ``-X importtime`` tells."""
        lines = self._run("-X", "importtime").stderr.partition("---\n")[2].splitlines()
        rows = [line.partition("import time:")[2].split("|") for line in lines if line.startswith("import time:")]
        parts: Counter[str] = Counter()
        for own, _, module in rows:
            parts[_part(module.strip())] += int(own)
        return {part: microseconds / 1_000 for part, microseconds in parts.items()}

    def _run(self, *options: str) -> subprocess.CompletedProcess[str]:
        self._replay.load(self.scene.answers)
        done = subprocess.run(
            [sys.executable, *options, str(CHILD), self.scene.module], input=json.dumps(self.scene.event),
            env=self._environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.scene.name} failed:\n{done.stderr}")
        self._replay.check(self.scene.name)
        return done


def _ratio(ours: Sequence[float], usual: Sequence[float]) -> float:
    """The median of the ratios within each round: a machine whose speed changes does so between rounds, hardly within one."""
    return median([one / other for one, other in zip(ours, usual, strict=True)])


def _kind(answer: Any) -> Any:
    """Return the part of an answer that is always the same: ids and times in bodies are not."""
    return answer["statusCode"] if "statusCode" in answer else sorted(answer)


def _part(module: str) -> str:
    package = module.partition(".")[0]
    return next((part for part, packages in PARTS.items() if package in packages), "Python")


def measure(options: Options) -> Result:
    """All of it."""
    chosen = options.arguments.only or (SMOKE if options.smoke else tuple(SCENES))
    repeats = 1 if options.smoke else options.arguments.repeats
    found = scenes(chosen)
    with replaying() as replay, tempfile.TemporaryDirectory(prefix="wainwright-cold-") as scratch:
        environment = _environment(replay.address, Path(scratch))
        sides = {scene.name: Side(scene, replay, environment) for scene in found}
        # The warm-up compiles what has no .pyc yet.
        together = alternately({name: side.start for name, side in sides.items()}, repeats)
        parts = {name: side.breakdown() for name, side in sides.items()}
    ratios = {name: _ratio(each, together[RIVAL]) for name, each in together.items() if name != RIVAL}
    used = {name: [each["processor"] for each in side.measured[-repeats:]] for name, side in sides.items()}
    processor = {name: _ratio(each, used[RIVAL]) for name, each in used.items()}
    sizes, left_out = _sizes(build=not options.smoke)
    return Result(
        tables=[_starts(sides, together, repeats), _imports(parts), _sizes_table(sizes)],
        verdicts=[_verdict(name, ratio, processor[name]) for name, ratio in ratios.items()],
        notes=[*_NOTES, *left_out],
        raw={"together": together, "processes": {name: side.measured for name, side in sides.items()}, "parts": parts},
    )


_NOTES = (
    "Each process is fresh; the interpreter's own start, the same for all, is not counted. Compiled modules are on disk.",
    (
        "AWS is an HTTP server on loopback in another process, the same for every side. It answers at once, with the answers "
        "that moto gave to the same calls before; ECS's and a stale token's are written by hand. So what is measured is the "
        "handler's own work with its connections, not the network."
    ),
    "All are started once in each round. Times are medians of all rounds; a ratio is the median of the ratios within a round.",
    "The usual stack checks one small model and writes one item; each function of ours does all of its work.",
    (
        "The breakdown is of one more process with -X importtime, which makes imports slower; compare its columns, not its "
        "sums. Building models and clients at the first call is in none of them."
    ),
)


def _environment(address: str, scratch: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {
        **inherited, **ENVIRONMENT,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/core/python"), str(ROOT)]),
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(scratch / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(scratch / "none"),
    }  # fmt: skip


def _starts(sides: Mapping[str, Side], together: Mapping[str, Sequence[float]], repeats: int) -> Table:
    rows: list[list[Cell]] = []
    for name, side in sides.items():
        milliseconds = [1_000 * side.of(part, repeats) for part in ("import", "call")]
        whole, processor = 1_000 * median(together[name]), 1_000 * side.of("processor", repeats)
        ratio = _ratio(together[name], together[RIVAL])
        modules, calls = int(side.of("modules", repeats)), len(side.scene.answers)
        rows.append([name, side.scene.says, calls, modules, *milliseconds, whole, processor, ratio])
    columns = [
        "handler", "event", "AWS calls", "modules", "import ms", "first call ms", "together ms", "processor ms",
        "÷ usual stack",
    ]  # fmt: skip
    return Table(f"Import and first call, medians of {repeats}", columns, rows)


def _imports(parts: Mapping[str, Mapping[str, float]]) -> Table:
    names = [*PARTS, "Python"]
    rows = [[side, *(found.get(name, 0.0) for name in names), sum(found.values())] for side, found in parts.items()]
    title = "What is imported, in milliseconds of each package's own modules (those imported at the first call too)"
    return Table(title, ["handler", *names, "sum"], rows)


def _verdict(name: str, ratio: float, by_processor: float) -> Verdict:
    budget = f"import and first call of functions/{name} ÷ the usual stack"
    return Verdict(budget, f"≤ {LIMIT}", f"{ratio:.2f}", ratio <= LIMIT, f"{by_processor:.2f} by processor time")


def _sizes(*, build: bool) -> tuple[dict[str, Size | None], list[str]]:
    deps, reason = deps_layer_size(ROOT, build=build)
    sizes = {
        "layer of the package": size_of(ROOT / "layers/core", CORE),
        "layer of third-party packages, arm64": deps,
        "the functions' one asset": size_of(ROOT, FUNCTIONS),
    }
    sizes |= {f"of it, functions/{name}": size_of(ROOT / "functions" / name, FUNCTIONS[4:]) for name in SCENES}
    return sizes, [reason] if reason else []


def _sizes_table(sizes: Mapping[str, Size | None]) -> Table:
    rows: list[list[Cell]] = [
        [name, size.files, size.unpacked / 1_000, size.compressed / 1_000] if size else [name, None, None, None]
        for name, size in sizes.items()
    ]
    return Table("What is deployed", ["what", "files", "unpacked kB", "compressed kB"], rows)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", choices=tuple(SCENES), metavar="FUNCTION", help="these functions alone")
    parser.add_argument("--repeats", type=int, default=REPEATS)


PURPOSE = "Import plus first call of each function, in a fresh process, beside the usual stack; and the size of what is deployed."

if __name__ == "__main__":
    sys.exit(run("cold_start", PURPOSE, measure, _options))
