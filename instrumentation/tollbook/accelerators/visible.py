"""Which device a program means by `cuda:0`: device ids for inference spans, the same as on samples.

`CUDA_VISIBLE_DEVICES` renumbers the devices of a process, `NVIDIA_VISIBLE_DEVICES` says which a container has. Where it cannot
be told with certainty which device a number means, the answer is unknown, not a guess.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache

from tollbook.accelerators.readings import Device, Unavailable
from tollbook.shield import shielded

ENDS = ("", "-1", "none", "void", "NoDevFiles")
"""What hides this device and all that follow it."""


def cuda_device(index: int = 0) -> Device | None:
    """The device that CUDA calls by this number in this process; None where it is not known. Cheap after the first call."""
    with shielded("find out which device is in use"):
        return device(index, os.environ, _devices())
    return None


def device(index: int, environment: Mapping[str, str], devices: Sequence[Device]) -> Device | None:
    """As `cuda_device`, of any environment, and of all devices in the driver's order."""
    wholes = [found for found in devices if not found.parent]
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        chosen = environment.get("ROCR_VISIBLE_DEVICES", environment.get("HIP_VISIBLE_DEVICES"))
    if chosen is None:
        first = _first_slice(wholes, devices) if index == 0 else None
        return first or _in_order(index, environment, wholes)
    words = _until_hidden(chosen)
    if not 0 <= index < len(words):
        return None
    word = words[index]
    if word.isdigit():
        return _in_order(int(word), environment, wholes)
    return _by_id(word, devices)


def allowed(environment: Mapping[str, str], devices: Sequence[Device]) -> tuple[Device, ...]:
    """The devices that this container was given, where `NVIDIA_VISIBLE_DEVICES` names them by id; else all."""
    words = environment.get("NVIDIA_VISIBLE_DEVICES", "all").split(",")
    ids = [word.strip() for word in words if word.strip().startswith(("GPU-", "MIG-"))]
    if not ids:
        return tuple(devices)
    return tuple(found for found in devices if any(word in (found.id, found.parent) or found.id.startswith(word) for word in ids))


def _until_hidden(chosen: str) -> list[str]:
    words: list[str] = []
    for word in (part.strip() for part in chosen.split(",")):
        if word in ENDS:
            break
        words.append(word)
    return words


def _in_order(index: int, environment: Mapping[str, str], wholes: Sequence[Device]) -> Device | None:
    """By PCI address; CUDA itself puts the fastest first unless told otherwise, which is the same where all are of one model."""
    alike = len({found.model for found in wholes}) <= 1
    if not alike and environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        return None
    return wholes[index] if 0 <= index < len(wholes) else None


def _first_slice(wholes: Sequence[Device], devices: Sequence[Device]) -> Device | None:
    """CUDA sees one MIG instance only: which, is known where there is but one."""
    slices = [found for found in devices if found.parent]
    return slices[0] if len(slices) == 1 and len(wholes) == 1 else None


def _by_id(word: str, devices: Sequence[Device]) -> Device | None:
    """By an id or the beginning of one; an id that the driver does not list is one all the same."""
    whole = word.split("/", maxsplit=1)[0].removeprefix("MIG-") if word.startswith("MIG-GPU-") else word
    found = [candidate for candidate in devices if candidate.id.startswith((word, whole))]
    if len(found) == 1 or (found and found[0].id == word):
        return found[0]
    return Device(word, vendor="NVIDIA", parent=whole if whole != word else "") if not found and len(word) >= 40 else None


@cache
def _devices() -> tuple[Device, ...]:
    """What this container has, asked once; none without a driver."""
    from tollbook.accelerators.nvml import Nvml  # noqa: PLC0415

    try:
        reader = Nvml()
    except Unavailable:
        return ()
    try:
        return allowed(os.environ, reader.devices)
    finally:
        reader.close()
