"""A local system as ``wainwright up`` starts it, with keys of further projects: data directory, workers, projects' names."""

import json
import os
import sys
from pathlib import Path

from wainwright.adapters.aws.clients import Clients
from wainwright.cli.up import UpOptions, local_access, serve
from wainwright.contracts.scopes import Scope
from wainwright.settings import StoreSettings
from wainwright.wiring import administration


def main(data_dir: Path, workers: int, *projects: str) -> int:
    """Serve until told to end; the keys are in ``keys.json`` of the data directory."""

    def access() -> str:
        keys = administration.manage_keys(Clients(), StoreSettings.read(os.environ).table)
        secrets = {project: keys.create(project, Scope.ADMIN, "a test's")[1] for project in projects}
        (data_dir / "keys.json").write_text(json.dumps(secrets))
        return local_access()

    return serve(UpOptions(port=0, data_dir=data_dir, workers=workers), access=access)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
