"""Which tracer makes our spans: the application's, the one `configure` made, or none."""

from opentelemetry.trace import ProxyTracerProvider, Tracer, TracerProvider, get_tracer_provider
from tollbook_schema.attributes import SCHEMA_URL

_chosen: TracerProvider | None = None
_known: tuple[TracerProvider, Tracer] | None = None


def use(provider: TracerProvider | None) -> None:
    """Make spans with this provider instead of the global one; `None` goes back to the global one."""
    global _chosen, _known
    _chosen, _known = provider, None


def chosen() -> TracerProvider | None:
    """The provider that `use` was told, if any."""
    return _chosen


def tracer() -> Tracer | None:
    """Our tracer, or `None` while nobody has set up tracing: then a call costs about a microsecond."""
    global _known  # noqa: PLW0603
    current = _chosen or get_tracer_provider()
    if _known is not None and _known[0] is current:
        return _known[1]
    if isinstance(current, ProxyTracerProvider):
        return None
    made = current.get_tracer("tollbook", _version(), SCHEMA_URL)
    _known = (current, made)
    return made


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 10 ms

    try:
        return version("tollbook")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
