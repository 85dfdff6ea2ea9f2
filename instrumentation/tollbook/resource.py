"""Which service this is, and on which machine: the resource of our spans and metrics."""

import os
import socket
import sys
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from opentelemetry.sdk.resources import Resource
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema import machine_ids

_INSTANCE: Final = str(uuid.uuid4())


def resource(given: Mapping[str, str | int]) -> Resource:
    """The process's resource. What the caller gives wins over `OTEL_RESOURCE_ATTRIBUTES`, that over what is detected."""
    named = Resource.create({}, A.SCHEMA_URL)
    service = str(named.attributes.get(A.SERVICE_NAME, ""))
    if service.startswith("unknown_service"):
        given = {A.SERVICE_NAME: _script() or service, **given}
    return Resource({**detected(), **named.attributes, **given}, A.SCHEMA_URL)


def detected() -> dict[str, str | int]:
    """What can be told of this process and its machine."""
    host_type = os.environ.get("TOLLBOOK_HOST_TYPE")
    return {
        A.SERVICE_INSTANCE_ID: _INSTANCE,
        A.PROCESS_PID: os.getpid(),
        A.HOST_ID: host_id(),
        A.HOST_NAME: socket.gethostname(),
        **({A.HOST_TYPE: host_type} if host_type else {}),
    }


@cache
def host_id(machine_id: Path = Path("/etc/machine-id")) -> str:
    """Identity of the machine: a digest of its machine id, which is not to be shown as it is, or its name."""
    try:
        identity = machine_id.read_text().strip()
    except OSError:
        identity = ""
    if not identity:
        return socket.gethostname()
    return machine_ids.digest(identity)


def _script() -> str | None:
    """The program's name, for a service that nobody has named."""
    path = Path(sys.argv[0] if sys.argv else "")
    name = path.parent.name if path.stem == "__main__" else path.stem
    return None if name in {"", "-c", "-m", "-"} else name
