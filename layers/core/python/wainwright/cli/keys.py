"""``wainwright keys``: API keys of a deployed stage, made with AWS credentials, since the first key has no key before it."""

import sys

from wainwright.cli.failures import ExitCode, PlatformProblem
from wainwright.cli.terminal import note
from wainwright.contracts.scopes import Scope


def create_key(stage: str, project: str, scope: Scope, name: str) -> int:
    """Create a key and print its secret, once, alone on standard output.

    Raises:
        InvalidInput: the project's name has the wrong form.
        NotFound, Unavailable: the stage is not deployed, or AWS does not let us.
    """
    try:
        from wainwright import wiring
    except ModuleNotFoundError as error:
        raise PlatformProblem(
            f"this needs the package {error.name}", advice="Run `pip install 'wainwright[aws]'`."
        ) from error
    key, secret = wiring.manage_keys_of_stage(stage).create(project, scope, name)
    note(f"key {key.id} of project {project} may {scope}; it is shown this once:")
    sys.stdout.write(secret + "\n")
    return ExitCode.PASSED
