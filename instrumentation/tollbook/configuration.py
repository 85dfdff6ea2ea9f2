"""`configure`, `flush` and `shutdown`: where spans and metrics go. The OpenTelemetry SDK is imported only here."""

import _thread
import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from opentelemetry import trace
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import carriers, exporters, hosts, owners, runtime
from tollbook.shield import shielded

if TYPE_CHECKING:
    from re import Pattern

    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from tollbook.accelerators.sampler import Sampler

METRICS_EVERY_S: Final = 5.0
EXIT_TIMEOUT_S: Final = 3.0
"""What the end of a program waits for a collector that does not answer."""


class _Sending:
    """What is kept and what may be sent, as `configure` was told."""

    def __init__(
        self,
        sample: float | None = None,
        content: bool | None = None,
        redact: "bool | Sequence[str | Pattern[str]]" = True,
        routes: "Mapping[str, bool | Mapping[str, bool]] | None" = None,
        keep: Sequence[str] | None = None,
    ) -> None:
        self._sample = sample
        self._rules = keep
        self._privacy = content, redact, routes

    def sampler(self, usual: Any) -> Any:
        """What decides at their beginning which traces are kept; where that is decided at their end, the usual does."""
        from tollbook import sampling  # noqa: PLC0415

        with shielded("sample a share of traces"):
            return sampling.sampler(None if self.keep() else self._sample, usual)
        return sampling.sampler(None, usual)

    def keep(self) -> Any:
        """Which traces are kept by how they went; `None` where that does not matter."""
        if self._rules is None and not os.environ.get("TOLLBOOK_KEEP"):
            return None
        from tollbook import tail  # noqa: PLC0415 - for those who ask

        with shielded("keep traces by how they went"):
            return tail.wanted(self._rules, self._sample)
        return None

    def privacy(self) -> Any:
        """What may leave the process; what is told wrongly is left out."""
        from tollbook.redaction import Privacy  # noqa: PLC0415

        with shielded("say what may be sent"):
            return Privacy.of(*self._privacy)
        return Privacy.of()


_WORKERS: Final = ("multiprocessing", "billiard")
"""Packages whose forked workers end in a way of their own; celery's is the second."""


class _State:
    """What this process has set up."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tracer_provider: TracerProvider | None = None
        self.meter_provider: MeterProvider | None = None
        self.sampler: Sampler | None = None
        self.made: WeakSet[Any] = WeakSet()
        """Tracer providers of our own making, this one and those that were shut down."""
        self.sending = _Sending()
        self.joined: WeakSet[Any] = WeakSet()
        """Providers of the application that have our span processor, or report our metrics."""
        self.stops = False
        """Whether this process is sending what it has before it ends."""
        self.afterwards: Callable[[], None] | None = None
        """What a signal wants done after that."""
        self._watches_ends = False
        self._watched: set[str] = set()

    def at_ends(self) -> None:
        """Be called when the program ends, and in its forked children."""
        if not self._watches_ends:
            self._watches_ends = True
            atexit.register(_stop)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(before=self._before_fork, after_in_child=_after_fork)
        for name in _WORKERS:
            process = sys.modules.get(f"{name}.process")
            if process is not None and getattr(process.current_process(), "_parent_pid", None) is not None:
                sys.modules[f"{name}.util"].Finalize(None, _stop, exitpriority=0)  # configured in a worker

    def _before_fork(self) -> None:
        """Workers of `multiprocessing` end without running what `atexit` holds, only what its own registry holds."""
        for name in _WORKERS:
            util = sys.modules.get(f"{name}.util")
            if util is not None and name not in self._watched:
                self._watched.add(name)
                util.register_after_fork(self, partial(_at_end_of_worker, util))


def _at_end_of_worker(util: Any, _state: Any) -> None:
    util.Finalize(None, _stop, exitpriority=0)


_state = _State()


def configure(
    service_name: str | None = None,
    endpoint: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    team: str | None = None,
    project: str | None = None,
    feature: str | None = None,
    customer: str | None = None,
    site: str | None = None,
    tier: str | None = None,
    host_type: str | None = None,
    attributes: Mapping[str, str] | None = None,
    metrics: bool = True,
    accelerators: bool | None = None,
    buffer: str | None = None,
    own_hosts: Sequence[str] | None = None,
    sample: float | None = None,
    content: bool | None = None,
    redact: "bool | Sequence[str | Pattern[str]]" = True,
    routes: "Mapping[str, bool | Mapping[str, bool]] | None" = None,
    keep: Sequence[str] | None = None,
    tracer_provider: "TracerProvider | None" = None,
) -> None:
    """Send this process's spans and metrics to Tollbook. The first call counts, later ones change nothing.

    Where the application has set up OpenTelemetry tracing already (in code or by `opentelemetry-instrument`), its
    provider is used: it gets our span processor, and an exporter only if `endpoint` is given. `OTEL_SDK_DISABLED`,
    `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_*`, `OTEL_BSP_*` and `OTEL_TRACES_SAMPLER`
    hold as everywhere.

    Args:
        service_name: by default `OTEL_SERVICE_NAME`, then the program's name.
        endpoint: base URL of OTLP over HTTP, by default `OTEL_EXPORTER_OTLP_ENDPOINT`, then http://127.0.0.1:4318.
        headers: sent with each export, such as an API key.
        service_version: version of the service.
        environment: such as `production`.
        team: team that owns what this process does unless a request says otherwise; likewise the next three.
        project: project or budget line.
        feature: product feature.
        customer: on whose behalf it runs, where one service serves one.
        site: place this process runs at.
        tier: `hyperscale`, `regional` or `edge`.
        host_type: type of the machine, which its rate is listed under; by default `TOLLBOOK_HOST_TYPE`.
        attributes: further resource attributes.
        metrics: also send CPU time and memory of the process every 5 s.
        accelerators: also sample the machine's accelerators every 5 s, one process a machine; by default
            `TOLLBOOK_ACCELERATORS`, then as `metrics`. Without one it is said once, and all goes on.
        buffer: folder in which spans wait that cannot be delivered, by default `TOLLBOOK_BUFFER`; without one, memory.
        own_hosts: hosts that may be told owners and ages of inputs, such as `["*.internal"]`, by default `TOLLBOOK_OWN_HOSTS`.
        sample: share of traces that are kept, 0 to 1, by default `OTEL_TRACES_SAMPLER`; a caller's decision holds. What the
            others used is counted all the same, and exported with `metrics`.
        keep: keep traces by how they went: `["errors", "slower=2", "costlier=0.05", "tokens=50000"]` (s, USD, tokens of a
            request), by default `TOLLBOOK_KEEP`; of others `sample`, by default none. Decided when what began a trace here ends.
        content: also send prompts, answers and other content that instrumentations put on spans, by default
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, then not.
        redact: further regular expressions to take out of what is sent, or `"phone"`; False leaves even secrets, e-mail addresses
            and card numbers in.
        routes: what holds inside a route or a span, by path or name: `{"/health": False, "/chat": {"content": True}}`.
        tracer_provider: use this provider instead of the global one.

    A wrong setting is logged, counted and left out, under `TOLLBOOK_STRICT` raised.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return
    given = {
        A.SERVICE_NAME: service_name,
        A.SERVICE_VERSION: service_version,
        A.TOLLBOOK_SITE: site,
        A.TOLLBOOK_TIER: tier,
        A.HOST_TYPE: host_type,
        **owners.keyed(team=team, project=project, feature=feature, customer=customer, environment=environment),
        **(attributes or {}),
    }
    sending = _Sending(sample, content, redact, routes, keep)
    _begin(given, endpoint, headers, metrics, tracer_provider, buffer, own_hosts, sending, accelerators)


def _begin(  # noqa: PLR0917 - what `configure` was told
    given: Mapping[str, str | None],
    endpoint: str | None,
    headers: Mapping[str, str] | None,
    metrics: bool,
    chosen: "TracerProvider | None",
    buffer: str | None,
    own_hosts: Sequence[str] | None,
    sending: _Sending,
    accelerators: bool | None,
) -> None:
    """Set up what is not set up yet."""
    with _state.lock, shielded("configure"), runtime.unseen():
        if _state.tracer_provider is None:
            said = {key: value for key, value in given.items() if value is not None}
            if buffer is not None:
                os.environ[exporters.BUFFER_VARIABLE] = buffer  # for the processes that this one starts, too
            _keep_private(own_hosts)
            _state.sending = sending
            _set_up(said, endpoint, headers, metrics, chosen, accelerators=accelerators)


def _keep_private(own_hosts: Sequence[str] | None) -> None:
    with shielded("say which hosts are ours"):
        carriers.keep_private()
        hosts.declare(own_hosts)


def flush(timeout_s: float = 10.0) -> bool:
    """Send what has ended so far, and say whether all of it was delivered in time."""
    delivered: list[bool] = []
    if _state.tracer_provider is None and _state.meter_provider is None:
        return True
    with shielded("flush"):
        # The SDK's own flush takes a timeout and does not keep it, so somebody else has to wait for it.
        sender = threading.Thread(target=lambda: delivered.append(_flushed()), name="tollbook-flush", daemon=True)
        sender.start()
        sender.join(timeout_s)
    return delivered == [True]


def _flushed() -> bool:
    with shielded("flush"):
        lost = _lost()
        spans, metrics = _state.tracer_provider, _state.meter_provider
        answers = [provider.force_flush() for provider in (spans, metrics) if provider is not None]
        return all(answers) and _lost() == lost
    return False


def flush_from_signal(first: Callable[[], None], afterwards: Callable[[], None], timeout_s: float = EXIT_TIMEOUT_S) -> None:
    """Send what has ended, called by a handler of signals.

    The thread that the handler interrupts may hold any lock, ours too: so another one does the work, and is waited for no
    longer than a while. Nothing of `threading` is used here, which has locks of its own. Where the process is about to stop
    and sends what it has, the handler leaves it to that.

    Args:
        first: what is done before.
        afterwards: what is done in the end.
        timeout_s: how long to wait.
    """
    if _state.stops:
        _state.afterwards = afterwards
        return
    done = _thread.allocate_lock()

    def work() -> None:
        first()
        _flushed()
        done.release()

    done.acquire()
    _thread.start_new_thread(work, ())
    done.acquire(timeout=timeout_s)
    afterwards()


def shutdown(timeout_s: float = EXIT_TIMEOUT_S) -> None:
    """Send what has ended, then stop what `configure` started. An application's own provider stays up.

    Runs by itself when the program ends.
    """
    if _state.tracer_provider is not None and _state.tracer_provider not in _state.made:
        flush(timeout_s)
    _stop(timeout_s)


def _stop(timeout_s: float = EXIT_TIMEOUT_S) -> None:
    _state.stops = True
    try:
        _stop_all(time.monotonic() + timeout_s)
    finally:
        _state.stops = False
        if _state.afterwards is not None:
            _state.afterwards()


def _stop_all(ends: float) -> None:
    with _state.lock, shielded("shut down"):
        spans, metrics, sampler = _state.tracer_provider, _state.meter_provider, _state.sampler
        _state.tracer_provider = _state.meter_provider = _state.sampler = None
        if sampler is not None:
            sampler.stop()
        runtime.use(None)
        if spans is not None and spans in _state.made:
            spans.shutdown()
        if metrics is not None:
            metrics.shutdown(timeout_millis=max(0.2, ends - time.monotonic()) * 1000)
        if spans is not None or metrics is not None:
            from tollbook.sending import losses  # noqa: PLC0415

            losses.settle(wait_s=0.5)


def _lost() -> int:
    """Batches that could not be delivered so far."""
    from tollbook.sending import losses  # noqa: PLC0415

    return losses.batches


def _set_up(
    said: Mapping[str, str],
    endpoint: str | None,
    headers: Mapping[str, str] | None,
    metrics: bool,
    chosen: "TracerProvider | None",
    *,
    accelerators: bool | None,
) -> None:
    from tollbook.counting import counts  # noqa: PLC0415

    existing = chosen or trace.get_tracer_provider()
    if hasattr(existing, "add_span_processor") and existing not in _state.made:
        _join(existing, said, endpoint, headers)
    else:
        _make(said, endpoint, headers)
    if chosen is not None:
        runtime.use(chosen)
    provider = _state.tracer_provider
    if metrics and provider is not None:
        _state.meter_provider = _metered(provider, endpoint, headers, accelerators)
    counts.counts_sampled = _state.meter_provider is not None
    _state.at_ends()


def _make(said: Mapping[str, str], endpoint: str | None, headers: Mapping[str, str] | None) -> None:
    """A provider of our own, made the global one."""
    from tollbook.lean import LeanTracerProvider  # noqa: PLC0415
    from tollbook.resource import resource  # noqa: PLC0415

    provider = LeanTracerProvider(resource=resource(said), shutdown_on_exit=False)
    provider.sampler = _state.sending.sampler(provider.sampler)
    _add_processor(provider, endpoint, headers, {}, measures_cpu=True)
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(provider)
    else:  # an earlier one of ours, shut down: OpenTelemetry lets nobody replace it
        runtime.use(provider)
    _state.made.add(provider)
    _state.tracer_provider = provider


def _join(provider: Any, said: Mapping[str, str], endpoint: str | None, headers: Mapping[str, str] | None) -> None:
    """The application's provider: adds what its spans lack."""
    from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor  # noqa: PLC0415

    if provider not in _state.joined:
        completed = _complete_resource(provider, said)
        on_pool = isinstance(getattr(provider, "_active_span_processor", None), ConcurrentMultiSpanProcessor)
        defaults = {} if completed else {key: value for key, value in said.items() if key in owners.OWNER_KEYS}
        if endpoint is not None:
            _add_processor(provider, endpoint, headers, defaults, measures_cpu=not on_pool)
        else:
            from tollbook.processor import LabelSpanProcessor  # noqa: PLC0415

            provider.add_span_processor(LabelSpanProcessor(defaults, measures_cpu=not on_pool, counts_calls=True))
        if hasattr(provider, "sampler"):
            provider.sampler = _state.sending.sampler(provider.sampler)
        _state.joined.add(provider)
    _state.tracer_provider = provider


def _complete_resource(provider: Any, said: Mapping[str, str]) -> bool:
    """Say which machine and process the application's spans come from, which its resource seldom does.

    The SDK has no public way to; where its private one is gone, the owners go onto each span instead.
    """
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    from tollbook.resource import detected  # noqa: PLC0415

    known = getattr(getattr(provider, "resource", None), "attributes", None)
    with shielded("complete the application's resource"):
        if known is not None and hasattr(provider, "_update_resource"):
            provider._update_resource(Resource({**detected(), **known, **said}))
            return True
    return False


def _add_processor(
    provider: Any, endpoint: str | None, headers: Mapping[str, str] | None, defaults: Mapping[str, str], *, measures_cpu: bool
) -> None:
    """What labels a provider's spans and sends them, as the environment wants them sent."""
    from tollbook.processor import LabelSpanProcessor, TollbookSpanProcessor  # noqa: PLC0415

    off, grpc = exporters.are_off(endpoint), exporters.speaks_grpc(endpoint)
    if not off and not grpc:
        kind: Callable[..., TollbookSpanProcessor] = TollbookSpanProcessor
        keep = _state.sending.keep()
        if keep is not None:
            from tollbook.tail import KeepingSpanProcessor  # noqa: PLC0415 - for those who ask

            kind = partial(KeepingSpanProcessor, keep)
        provider.add_span_processor(
            kind(endpoint, headers, defaults=defaults, measures_cpu=measures_cpu, privacy=_state.sending.privacy())
        )
        return
    provider.add_span_processor(LabelSpanProcessor(defaults, measures_cpu, counts_calls=True))
    if not off:
        from tollbook.sending import PromptBatchSpanProcessor  # noqa: PLC0415

        provider.add_span_processor(PromptBatchSpanProcessor(exporters.grpc_exporter(headers)))


def _metered(
    spans: "TracerProvider", endpoint: str | None, headers: Mapping[str, str] | None, accelerators: bool | None
) -> "MeterProvider | None":
    """Report this process and the accelerators: through the application's metrics if it has any, else through our own."""
    from opentelemetry import metrics  # noqa: PLC0415

    ours = spans in _state.made or endpoint is not None
    existing = metrics.get_meter_provider()
    if not ours and hasattr(existing, "force_flush"):
        if existing not in _state.joined:
            _observe(existing.get_meter("tollbook", schema_url=A.SCHEMA_URL), accelerators)
            _observe_unsampled(existing)
            _state.joined.add(existing)
        return None
    if not ours and not exporters.is_in_environment("metrics"):
        return None  # nobody has said where they should go
    provider = _meter_provider(spans.resource, endpoint, headers)
    if provider is not None:
        _observe(provider.get_meter("tollbook", schema_url=A.SCHEMA_URL), accelerators)
        if not hasattr(existing, "force_flush"):
            metrics.set_meter_provider(provider)
    return provider


def _observe(meter: "Meter", accelerators: bool | None) -> None:
    """What a meter reports: this process, and what accelerators the machine has."""
    from tollbook.accelerators.sampler import Readers, Sampler, chosen, usual  # noqa: PLC0415
    from tollbook.process_metrics import observe  # noqa: PLC0415

    observe(meter)
    with shielded("sample accelerators"):
        choice = chosen(accelerators)
        if choice is not False:
            _state.sampler = Sampler(Readers(usual(choice)))
            _state.sampler.observe(meter)
            _state.sampler.start()


def _observe_unsampled(provider: Any) -> None:
    from tollbook import counting  # noqa: PLC0415

    counting.observe(provider)


def _meter_provider(resource: "Resource", endpoint: str | None, headers: Mapping[str, str] | None) -> "MeterProvider | None":
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415

    exporter = exporters.metric_exporter(endpoint, headers)
    if exporter is None:
        return None
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=METRICS_EVERY_S * 1000)
    return MeterProvider([reader], resource, shutdown_on_exit=False)


def _after_fork() -> None:
    """A forked child is a process of its own; OpenTelemetry itself renews the instance id only."""
    _state.lock = threading.Lock()
    with shielded("renew the resource after a fork"):
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        from tollbook.sending import losses  # noqa: PLC0415

        losses.forget()
        for provider in (_state.tracer_provider, _state.meter_provider):
            if provider is not None and hasattr(provider, "_update_resource"):
                provider._update_resource(Resource({A.PROCESS_PID: os.getpid()}))
        if _state.sampler is not None:
            _state.sampler.after_fork()
