"""From where the server can be reached: from other machines only if it asks who comes."""

import contextlib
import ipaddress
import logging

from tollbook_collector.settings import Settings as CollectorSettings
from tollbook_schema.environment import SettingsError

from tollbook_ui.settings import Settings

log = logging.getLogger("tollbook")


def check(settings: Settings, host: str, collector: CollectorSettings) -> None:
    """Passes, or refuses the start.

    Raises:
        SettingsError: it would listen beyond loopback without asking who comes; the message names both ways out.
    """
    doors = {"TOLLBOOK_HOST": host} | ({"TOLLBOOK_COLLECTOR_GRPC_HOST": collector.grpc_host} if collector.grpc_port >= 0 else {})
    open_doors = {name: address for name, address in doors.items() if not is_loopback(address)}
    for name, address in open_doors.items():
        if settings.auth != "required":
            raise SettingsError(
                f"{address or 'every address'} can be reached from other machines, and nobody is asked for a key: "
                f"set TOLLBOOK_AUTH=required and make keys with `tollbook keys create`, or keep {name} at 127.0.0.1"
            )
    if open_doors and not settings.tls_cert and not settings.public_url.startswith("https://"):
        log.warning("keys travel in the clear: set TOLLBOOK_TLS_CERT and TOLLBOOK_TLS_KEY, or put a proxy with TLS in front")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address. A name is taken for one that others reach, but for localhost."""
    bare = host.removeprefix("[").removesuffix("]")
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(bare).is_loopback
    return bare.lower() == "localhost"
