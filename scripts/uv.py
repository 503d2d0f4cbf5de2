"""uv as this checkout runs it: this virtual environment, the system's certificates, pip's settings of index and CA.

`python -m scripts.uv pip compile …` runs uv with that environment.
"""

import os
import ssl
import sys
from pathlib import Path

VENV = Path(__file__).resolve().parent.parent / ".venv"
UV = VENV / "bin" / "uv"


def _has_system_certificates() -> bool:
    trusted = ssl.get_default_verify_paths()
    return bool(trusted.cafile) or (Path(trusted.capath).is_dir() and any(Path(trusted.capath).iterdir()))


def environment() -> dict[str, str]:
    """Return the environment for uv.

    uv trusts its own list of certificates by default, which fails behind a proxy that the system trusts, and it reads
    none of pip's settings. What is set for uv itself wins.
    """
    variables = {**os.environ, "VIRTUAL_ENV": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    if _has_system_certificates():
        variables.setdefault("UV_SYSTEM_CERTS", "1")
    for pip_name, uv_name in {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_CERT": "SSL_CERT_FILE"}.items():
        if pip_name in os.environ:
            variables.setdefault(uv_name, os.environ[pip_name])
    return variables


if __name__ == "__main__":
    os.execve(UV, [str(UV), *sys.argv[1:]], environment())  # noqa: S606 - uv takes this process's place, no shell
