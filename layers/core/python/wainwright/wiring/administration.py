"""Keys and secrets."""

from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.secret_store import SsmSecretStore
from wainwright.adapters.aws.stacks import table_of_stage
from wainwright.adapters.clock import system_clock
from wainwright.settings import StoreSettings
from wainwright.usecases.manage_keys import ManageKeys
from wainwright.usecases.manage_secrets import ManageSecrets


def manage_secrets(clients: Clients, settings: StoreSettings) -> ManageSecrets:
    """Secrets of a stage's projects."""
    return ManageSecrets(secret_store(clients, settings), system_clock)


def secret_store(clients: Clients, settings: StoreSettings) -> SsmSecretStore:
    """Return the store of secrets."""
    return SsmSecretStore(lambda: clients.ssm, clients.dynamodb, settings.table, settings.stage)


def manage_keys_of_stage(stage: str) -> ManageKeys:
    """API keys of a deployed stage, found by its name. Raises as :func:`table_of_stage`."""
    clients = Clients()
    return manage_keys(clients, table_of_stage(clients.cloudformation, stage))


def manage_keys(clients: Clients, table: str) -> ManageKeys:
    """API keys of a stage's table."""
    return ManageKeys(DynamoAccessStore(clients.dynamodb, table), system_clock)
