"""Which hosts are ours: owners and ages of inputs are sent to these and to nobody else. Asks no name server."""

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

VARIABLE: Final = "TOLLBOOK_OWN_HOSTS"

PROVIDERS: Final = (
    "ai21.com", "aleph-alpha.com", "anthropic.com", "anyscale.com", "baseten.co", "bedrock-runtime.*.amazonaws.com",
    "bedrock-runtime-fips.*.amazonaws.com", "*.bedrock-runtime.*.vpce.amazonaws.com", "cerebras.ai", "cohere.ai", "cohere.com",
    "cognitiveservices.azure.com", "dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "deepinfra.com", "deepseek.com",
    "endpoints.huggingface.cloud", "fireworks.ai", "generativelanguage.googleapis.com", "groq.com", "huggingface.co",
    "inference.ai.azure.com", "integrate.api.nvidia.com", "jina.ai", "minimax.io", "mistral.ai", "models.ai.azure.com",
    "moonshot.ai", "moonshot.cn", "openai.azure.com", "openai.com", "openrouter.ai", "perplexity.ai", "replicate.com",
    "sagemaker-runtime.*.amazonaws.com", "sambanova.ai", "services.ai.azure.com", "stability.ai", "together.ai", "together.xyz",
    "voyageai.com", "x.ai", "aiplatform.googleapis.com", "*-aiplatform.googleapis.com",
)  # fmt: skip
"""Hosts of providers of models. They are never ours, whatever a pattern says."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hosts that a pattern names: `*.internal`, `svc.cluster.local`, `10.0.0.0/8`, `[fd00::/8]:443`, `!proxy.internal`."""

    name: str
    """With `*`, a shape of names; without, a name and all names below it."""
    network: IPv4Network | IPv6Network | None
    """Addresses, where the pattern is an address or a range of them."""
    port: int | None
    """The one port it is about; all if none."""
    excluded: bool
    """Whether it says which hosts are not ours."""

    @classmethod
    def read(cls, text: str) -> "Pattern":
        """A pattern as people write it.

        Raises:
            ValueError: if it is no pattern of hosts.
        """
        rest = text.strip().lower()
        excluded = rest.startswith("!")
        rest, port = _split(rest.removeprefix("!"))
        if not rest or any(character in rest for character in " @/" if character != "/" or not _network(rest)):
            raise ValueError(f"{text!r} names no host: give a name, a pattern such as *.internal, or a range such as 10.0.0.0/8")
        return cls(rest.removeprefix(".").rstrip("."), _network(rest), port, excluded)

    def matches(self, host: str, address: IPv4Address | IPv6Address | None, port: int | None) -> bool:
        """Whether a host is meant, by its name in lower case, and its address where the name is one."""
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            return address is not None and address.version == self.network.version and address in self.network
        return (address is None and _is_named(host, self.name)) or (self.name == "*" and address is not None)


def declare(patterns: Sequence[str] | None) -> None:
    """Say which hosts are ours, beside those of this machine; none given is what the environment says.

    Raises:
        ValueError: if one of them is no pattern of hosts; then nothing but this machine is ours.
    """
    global _declared  # noqa: PLW0603
    _declared = ()
    is_ours.cache_clear()
    _declared = None if patterns is None else tuple(Pattern.read(text) for text in patterns)


@lru_cache(1024)
def is_ours(host: str, port: int | None = None) -> bool:
    """Whether owners and ages may be sent there. What nobody has declared is not ours, private addresses included."""
    name = host.strip().strip("[]").rstrip(".").lower()
    address = _address(name)
    if not name or any(_is_named(name, provider) for provider in PROVIDERS):
        return False
    matching = [pattern for pattern in _patterns() if pattern.matches(name, address, port)]
    if matching:
        return not any(pattern.excluded for pattern in matching)
    return is_this_machine(name)


def is_this_machine(host: str) -> bool:
    """Whether a name or an address always leads to this machine: loopback, the machine's own name, a socket's path."""
    name = host.strip("[]").rstrip(".").lower()
    address = _address(name)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return name == "localhost" or name.endswith(".localhost") or name.startswith("/") or name == _own_name()


_declared: tuple[Pattern, ...] | None = None


def _patterns() -> Iterable[Pattern]:
    if _declared is not None:
        return _declared
    return _of_environment(os.environ.get(VARIABLE, ""))


@lru_cache(4)
def _of_environment(text: str) -> tuple[Pattern, ...]:
    return tuple(Pattern.read(part) for part in text.split(",") if part.strip())


@lru_cache(1)
def _own_name() -> str:
    return socket.gethostname().lower()


def _split(text: str) -> tuple[str, int | None]:
    """A host and its port: `a:80`, `[::1]:80`, `10.0.0.0/8:80`; a bare IPv6 address has none."""
    if text.startswith("["):
        host, _bracket, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else None
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon and ":" not in host and port.isdecimal() else (text, None)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_named(host: str, pattern: str) -> bool:
    return fnmatchcase(host, pattern) if "*" in pattern else host == pattern or host.endswith(f".{pattern}")
