"""Names and values that a project's secrets may have."""

import re

from wainwright.domain.errors import InvalidInput
from wainwright.domain.secret_spellings import MIN_SECRET

MAX_SECRETS = 100
"""Secrets of one project: ten pages of Parameter Store, and far below what an environment can hold."""

MAX_SECRET_BYTES = 4_096
"""Bytes of a value in UTF-8: the bound of a standard parameter of Parameter Store."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")

RESERVED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "IFS", "ENV", "BASH_ENV", "TMPDIR", "TMP", "TEMP", "TZ",
     "LANG", "LANGUAGE", "DISPLAY", "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "FONTCONFIG_PATH", "FONTCONFIG_FILE",
     "VIRTUAL_ENV", "CI"}
)  # fmt: skip
"""Names with a meaning for the test process, its interpreter or its shell."""

RESERVED_PREFIXES = (
    "WAINWRIGHT_", "AWS_", "ECS_", "LD_", "DYLD_", "LC_", "XDG_", "PYTHON", "PYTEST_", "PLAYWRIGHT_", "PW_", "PIP_", "UV_",
    "NPM_CONFIG_", "BASH_FUNC_", "GLIBC_", "MALLOC_",
)  # fmt: skip


def check_secret_name(name: str) -> str:
    """Return the name of an environment variable that has no meaning for programs; raise InvalidInput for any other."""
    if not _NAME.match(name):
        raise InvalidInput(
            "name", "a secret's name is 1 to 100 of A-Z, a-z, 0-9 and _, and does not start with a digit",
            advice="Name it as the environment variable by which the tests read it.",
        )  # fmt: skip
    upper = name.upper()
    if upper in RESERVED or upper.startswith(RESERVED_PREFIXES):
        raise InvalidInput(
            "name", f"{name} is reserved: it would change how the tests are run", advice="Choose another name."
        )
    return name


def check_secret_value(value: str) -> str:
    """Return the value of a secret. The errors never contain any of it.

    Raises:
        InvalidInput: it is too short to be redacted, too long to be stored, or no environment variable could hold it.
    """
    if len(value) < MIN_SECRET or len(value.strip()) < MIN_SECRET:
        raise InvalidInput(
            "value", f"a secret has at least {MIN_SECRET} characters besides white space around it",
            advice="Shorter ones cannot be distinguished from other text, so they could not be redacted in logs and reports.",
        )  # fmt: skip
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise InvalidInput(
            "value", "the value is not text in Unicode", advice="Encode it, for example as base64."
        ) from None
    if "\0" in value:
        raise InvalidInput("value", "the value has a NUL character, which no environment variable can hold")
    if size > MAX_SECRET_BYTES:
        raise InvalidInput("value", f"the value has {size} bytes, more than {MAX_SECRET_BYTES}")
    return value
