"""Which tracer makes our spans: the application's, the one `configure` made, or none."""

import os
from contextvars import Token
from types import TracebackType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context, attach, detach, set_value
from opentelemetry.trace import ProxyTracerProvider, Tracer, TracerProvider, get_tracer_provider
from tollbook_schema.attributes import SCHEMA_URL

_api: Final[Any] = trace
_NAMED: Final = bool(os.environ.get("OTEL_PYTHON_TRACER_PROVIDER"))
"""Whether the environment names a provider, which OpenTelemetry's API sets up when it is first asked for it."""

_chosen: TracerProvider | None = None
_known: tuple[TracerProvider, Tracer] | None = None


def use(provider: TracerProvider | None) -> None:
    """Make spans with this provider instead of the global one; `None` goes back to the global one."""
    global _chosen, _known
    _chosen, _known = provider, None


def chosen() -> TracerProvider | None:
    """The provider that `use` was told, if any."""
    return _chosen


def is_off() -> bool:
    """Whether nobody has set up tracing, asked before anything else is done: then a call costs a quarter of a microsecond.

    Looks where OpenTelemetry's API keeps its provider; where it keeps it elsewhere, `tracer` tells a little later.
    """
    return _chosen is None and _api.__dict__.get("_TRACER_PROVIDER", _api) is None and not _NAMED


def tracer() -> Tracer | None:
    """Our tracer, or `None` while nobody has set up tracing."""
    global _known  # noqa: PLW0603
    current = _chosen or get_tracer_provider()
    if _known is not None and _known[0] is current:
        return _known[1]
    if isinstance(current, ProxyTracerProvider):
        return None
    made = current.get_tracer("tollbook", _version(), SCHEMA_URL)
    _known = (current, made)
    return made


_KEYS: Final = ("suppress_instrumentation", _SUPPRESS_INSTRUMENTATION_KEY)
"""Under which instrumentations look whether they shall look away: the plain one is older."""


def is_suppressed(context: Context) -> bool:
    """Whether instrumentations shall look away."""
    return bool(context) and bool(context.get(_KEYS[0]) or context.get(_KEYS[1]))


class unseen:  # noqa: N801 - reads as a word: `with unseen():`
    """What we do ourselves is no work of the application: no instrumentation makes a span of it."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        context = None
        for key in _KEYS:
            context = set_value(key, True, context)
        self._token: Token[Context] = attach(context or Context())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        detach(self._token)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 10 ms

    try:
        return version("tollbook")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
