"""What can be set, read from TOLLBOOK_COLLECTOR_* in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tollbook_schema import environment as variables

PREFIX = "TOLLBOOK_COLLECTOR_"
LEAST = {
    "grpc_port": -1,
    **dict.fromkeys(("max_body_bytes", "max_in_flight_bytes", "max_requests", "spool_max_bytes", "spool_pending_bytes"), 1),
    **dict.fromkeys(("segment_bytes", "loaders", "ack_timeout_ms", "body_timeout_ms", "seen_bodies"), 1),
}
"""Smallest value of the numbers that may not be 0, or be less."""


@dataclass(frozen=True)
class Settings:
    """How the collector takes, keeps and loads. Each field is set by TOLLBOOK_COLLECTOR_ and its name in capitals."""

    grpc_host: str = "127.0.0.1"
    """Address that OTLP/gRPC listens on. Beyond loopback it starts only with TOLLBOOK_AUTH=required."""

    grpc_port: int = 4317
    """Port of OTLP/gRPC: OpenTelemetry's own. 0 takes any free one, -1 takes none."""

    max_body_bytes: int = 64 * 1024 * 1024
    """Largest request taken, as sent and once decompressed. OTLP recommends 64 MiB."""

    max_in_flight_bytes: int = 256 * 1024 * 1024
    """Bytes of requests held in memory at a time; more are asked to come back. Bounds memory however many send."""

    max_requests: int = 1024
    """Requests in work at a time, arrived whole and not answered; more are asked to come back. Bounds the wait of each."""

    spool_max_bytes: int = 8 * 1024 * 1024 * 1024
    """Bytes on disk that wait for the store; beyond them senders are asked to come back. At 60 K spans/s about 3 minutes."""

    spool_pending_bytes: int = 64 * 1024 * 1024
    """Bytes of bodies that wait in memory for the disk; beyond them senders are asked to come back, also while a disk stalls."""

    min_free_bytes: int = 512 * 1024 * 1024
    """Bytes left free on the disk of the spool, which the store needs to merge; below them senders are asked to come back."""

    segment_bytes: int = 72_000_000
    """A segment is loaded at this size at the latest. A load takes memory of 4 times that. With 36 MB, two loads take
    0.2 GB less and a fifth more CPU."""

    segment_ms: int = 1000
    """Age at which a segment is loaded, if a loader is free: a quarter of it after a quiet time, up to twice where loads take
    long. Each load costs a tenth of a CPU second, however small."""

    loaders: int = 2
    """Segments loaded at a time. One load uses one core."""

    ack_timeout_ms: int = 4500
    """Longest wait for the disk before 503. Python's exporter drops what is not answered in 10 s."""

    body_timeout_ms: int = 20_000
    """Longest wait for a whole body to arrive. With the time to read the refusal, a slow sender is gone after 25 seconds."""

    seen_seconds: int = 4 * 3600
    """How long a body is remembered, so that one sent again is not stored again. OpenTelemetry retries for 5 minutes, a collector
    with a queue on disk for hours."""

    seen_bodies: int = 1_000_000
    """How many bodies are remembered at most: 29 bytes of memory each. At 120 K spans/s in bodies of 512, an hour's worth."""

    stop_seconds: int = 10
    """Time to load what is left when stopping; the rest is loaded at the next start."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Settings from `environment`, the process's own by default.

        Raises:
            SettingsError: a variable names no setting, or holds what cannot be.
        """
        return cls(**variables.read(cls, PREFIX, os.environ if environment is None else environment, least=LEAST))
