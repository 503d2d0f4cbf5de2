"""Small Python and Node packages, made on the spot, so that installing them takes no network."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any


def wheel(folder: Path, name: str, version: str = "1.0", requires: tuple[str, ...] = (), **files: str) -> Path:
    """A pure wheel with one module of its name, which says its version, and further files by module name."""
    info = f"{name}-{version}.dist-info"
    contents = {f"{name}.py": f"version = {version!r}\n"} | {f"{module}.py": text for module, text in files.items()}
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents[f"{info}/RECORD"] = ""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in contents.items():
            archive.writestr(each, text)
    return path


def npm_package(bundle: Path, name: str, manifest: dict[str, Any] | None = None) -> None:
    """A package.json and its lock, which ask for a package whose tarball lies in the bundle."""
    inner = {"name": name, "version": "1.0.0", "main": "index.js", **(manifest or {})}
    files = {"package.json": json.dumps(inner), "index.js": f"module.exports = {name!r};\n"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for file, text in files.items():
            member = tarfile.TarInfo(f"package/{file}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    content = buffer.getvalue()
    tarball = f"file:{name}-1.0.0.tgz"
    (bundle / tarball.removeprefix("file:")).write_bytes(content)
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    own = {"name": "suite", "version": "1.0.0", "dependencies": {name: tarball}}
    (bundle / "package.json").write_text(json.dumps({**own, "scripts": {"postinstall": "exit 1"}}))
    script = {"hasInstallScript": True} if "scripts" in inner else {}
    locked = {"version": "1.0.0", "resolved": tarball, "integrity": integrity, **script}
    lock = {"name": "suite", "version": "1.0.0", "lockfileVersion": 3, "requires": True}
    lock["packages"] = {"": own, f"node_modules/{name}": locked}
    (bundle / "package-lock.json").write_text(json.dumps(lock))
