"""`tollbook-sampler`: samples of a node's accelerators to a collector, from drivers or exporters. Needs no service."""

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from tollbook.accelerators.host import HostLock
from tollbook.accelerators.readings import Histogram, Sample
from tollbook.accelerators.sampler import Readers, said
from tollbook.accelerators.scrape import Target
from tollbook.delivery import Outcome

_log = logging.getLogger("tollbook")

EPILOG = """
Without --scrape the node's own accelerators are read: NVIDIA's through NVML (pip install 'tollbook[accelerators]')
or nvidia-smi, AMD's through amdsmi, and processors. With --scrape, exporters are read instead: DCGM, HAMi, Triton,
vLLM, SGLang, TGI, AMD's, nvidia_gpu_exporter and node_exporter are understood. OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME hold.
"""


class Source(Protocol):
    """What is read each time."""

    def read(self) -> list[Sample]:
        """What it tells at present."""

    def close(self) -> None:
        """Frees what it holds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status: 1 where there was nothing to read, or nobody took it."""
    asked = parser().parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if asked.verbose else logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        sources: list[Any] = [Target(url) for url in asked.scrape]
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 2
    readers = None if sources and not asked.local else Readers()
    if readers is not None:
        sources.append(readers)
    try:
        return _once(sources, readers, asked) if asked.once or asked.print else _forever(sources, readers, asked)
    finally:
        for source in sources:
            source.close()


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(
        prog="tollbook-sampler", description="Sends samples of this node's accelerators to a collector.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    found.add_argument("--scrape", action="append", default=[], metavar="URL", help="read an exporter; may be given again")
    found.add_argument("--local", action="store_true", help="read the node's own accelerators too, beside --scrape")
    found.add_argument("--every", type=_seconds, default=5.0, metavar="S", help="seconds between readings; 5 if not given")
    found.add_argument("--endpoint", metavar="URL", help="collector's address, such as http://127.0.0.1:4318")
    found.add_argument("--once", action="store_true", help="read and send once")
    found.add_argument("--print", action="store_true", help="read once and print, send nothing")
    found.add_argument("--verbose", action="store_true", help="say more")
    return found


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"between 0.1 and 3600 s, not {text}")
    return seconds


def _once(sources: Iterable[Source], readers: Readers | None, asked: argparse.Namespace) -> int:
    samples = _read(sources)
    if readers is not None:
        _log.info(said(readers))
    if asked.print:
        for sample in samples:
            print(_line(sample))  # noqa: T201 - a command
        return 0 if samples else 1
    if not samples:
        _log.error("nothing was read")
        return 1
    return 0 if _sent(samples, asked) else 1


def _sent(samples: Sequence[Sample], asked: argparse.Namespace) -> bool:
    from tollbook.accelerators.otlp import outbound, samples_as_otlp  # noqa: PLC0415

    out = outbound(asked.endpoint)
    try:
        answer = out.send(samples_as_otlp(samples, _resource(), time.time_ns()))
    finally:
        out.close()
    if answer.outcome is not Outcome.DELIVERED:
        _log.error("the collector did not take %d samples: %s", len(samples), answer.detail)
    return answer.outcome is Outcome.DELIVERED


def _forever(sources: Sequence[Source], readers: Readers | None, asked: argparse.Namespace) -> int:
    """Until it is told to end. Where another process of the host samples already, only what is scraped is sent."""
    from tollbook.accelerators.otlp import outbound, samples_as_otlp  # noqa: PLC0415

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    out, lock, resource = outbound(asked.endpoint), HostLock(), _resource()
    trouble, spoken = "", False
    next_at = time.monotonic()
    while not ended.is_set():
        present = [source for source in sources if source is not readers or lock.taken()]
        samples = _read(present)
        if readers is not None and readers in present and not spoken:
            spoken = True
            _log.info(said(readers))
        if samples:
            answer = out.send(samples_as_otlp(samples, resource, time.time_ns()))
            wrong = "" if answer.outcome is Outcome.DELIVERED else answer.detail
            if bool(wrong) != bool(trouble):
                _log.warning("the collector takes no samples: %s; they wait", wrong) if wrong else _log.info(
                    "it takes them again"
                )
            trouble = wrong
        next_at = max(next_at + asked.every, time.monotonic())
        ended.wait(next_at - time.monotonic())
    lock.release()
    out.close()
    return 0


def _read(sources: Iterable[Source]) -> list[Sample]:
    return [sample for source in sources for sample in source.read()]


def _resource() -> dict[str, str | int]:
    """The node, under a service's name of its own unless the environment has another."""
    import os  # noqa: PLC0415

    from tollbook_schema import attributes as A  # noqa: N812, PLC0415

    from tollbook.resource import resource  # noqa: PLC0415

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {A.SERVICE_NAME: "tollbook-sampler"}
    found = resource(named).attributes
    return {key: value for key, value in found.items() if isinstance(value, str | int)}


def _line(sample: Sample) -> str:
    """A sample as a line for people."""
    told = ",".join(f'{key}="{value}"' for key, value in sorted(sample.attributes.items()))
    value = sample.value
    shown = f"count={sum(value.counts)} sum={value.total:g}" if isinstance(value, Histogram) else f"{value:.12g}"
    return f"{sample.name}{{{told}}} {shown}"
