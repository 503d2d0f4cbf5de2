"""A local system as ``wainwright up`` starts it, whose S3 takes nothing of the reports of some jobs: data directory, file.

The file has the ids of those jobs, one a line, and is read at each request; a job's files go up again once it is not named.
Refused is what comes over HTTP, as from S3 itself: an answer 503 SlowDown to a worker's PUT.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from wainwright.cli.up import UpOptions, serve
from wainwright.local.inprocess import HttpAnswer, InProcessAws

REFUSAL = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


def main(data_dir: Path, refused: Path) -> int:
    """Serve until told to end."""
    answer = InProcessAws.call

    def call(
        self: InProcessAws, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> HttpAnswer:
        if service == "s3" and method == "PUT" and any(job_id in target for job_id in refused.read_text().split()):
            return 503, {"content-type": "application/xml"}, REFUSAL
        return answer(self, service, method, target, headers, body)

    InProcessAws.call = call  # type: ignore[method-assign]  # where every request of a worker comes through
    os.environ["WAINWRIGHT_UPLOAD_RETRY_SECONDS"] = "2"
    return serve(UpOptions(port=0, data_dir=data_dir, workers=2))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
