"""Settings in, stack out: synthesizes CloudFormation for one stage, without network, credentials or an account.

Run by the CDK's command line (``cdk.json``) or by itself; either way the template is the same.
"""

import json
import os
import sys
from pathlib import Path

from aws_cdk import App

from infra.stack import WainwrightStack
from infra.stages import DEFAULT_STAGE, UnknownStage, stage_named

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Synthesize the chosen stage into the CDK's output folder, ``cdk.out`` if none is named."""
    app = App(
        outdir=os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out")),
        context=json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"],
        analytics_reporting=False,
        tree_metadata=False,
    )
    name = app.node.try_get_context("stage") or os.environ.get("WAINWRIGHT_STAGE", DEFAULT_STAGE)
    try:
        WainwrightStack(app, stage_named(name), ROOT)
    except UnknownStage as unknown:
        sys.exit(f"wainwright: {unknown}")
    app.synth()


if __name__ == "__main__":
    main()
