"""What every integration shares: its library is wrapped once it is imported, and unwrapped again; and the span of a handoff."""

import importlib.util
from collections.abc import Callable, Collection, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

import wrapt
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # its file opts out
from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.contexts import SPAN_KEY, get_current
from tollbook.handle import INERT, Handle, Value
from tollbook.inputs import opened
from tollbook.promises import Promised
from tollbook.runtime import is_off, is_suppressed
from tollbook.shield import shielded
from tollbook.work import Kind, Work

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""Called in place of a function with it, the object it is bound to, its arguments and its keyword arguments."""

_BEGINNING = shielded("begin a handoff")


class Integration(BaseInstrumentor):  # type: ignore[misc]
    """Instruments one library. A subclass names what it wraps; importing the library is left to the application.

    A name that this version of the library lacks is left out, and counted as a fault.
    """

    library: ClassVar[str]
    """Module that must be installed."""
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]]
    """By module, then by name inside it, such as `Session.send`."""

    def __init__(self) -> None:
        super().__init__()
        if not hasattr(self, "_wrapped"):  # one object for each class, however often it is asked for
            self._wrapped: dict[str, tuple[ModuleType, list[str]]] = {}
            self._wanted = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """None by name: one library comes in several distributions, and what it lacks is left out."""
        return ()

    def wrappers_of(self, module: ModuleType) -> Mapping[str, Wrapper]:
        """What is wrapped of a module; a subclass may look into it first."""
        return self.wrappers[module.__name__]

    def _instrument(self, **_: Any) -> None:
        if importlib.util.find_spec(self.library) is None:
            raise ModuleNotFoundError(f"{self.library} is not installed", name=self.library)
        self._wanted = True
        for module in self.wrappers:
            wrapt.register_post_import_hook(self._wrap, module)  # importing it takes time that may never be needed

    def _uninstrument(self, **_: Any) -> None:
        self._wanted = False
        for module, names in self._wrapped.values():
            for name in names:
                owner, _dot, method = name.rpartition(".")
                _unwrap(_found(module, owner), method)
        self._wrapped.clear()

    def _wrap(self, module: ModuleType) -> None:
        if not self._wanted or module.__name__ in self._wrapped:
            return
        names = self._wrapped[module.__name__] = (module, [])
        for name, wrapper in self.wrappers_of(module).items():
            with shielded(f"instrument {module.__name__}.{name}"):
                wrapt.wrap_function_wrapper(module, name, wrapper)
                names[1].append(name)


def _unwrap(owner: Any, name: str) -> None:
    """Put back what was wrapped. Of a class, out of its own dictionary: asked for, a class method comes bound to that class."""
    wrapper = vars(owner).get(name)
    if isinstance(wrapper, wrapt.FunctionWrapper):
        setattr(owner, name, wrapper.__wrapped__)


def _found(module: ModuleType, owner: str) -> Any:
    found: Any = module
    for step in filter(None, owner.split(".")):
        found = getattr(found, step)
    return found


class Handover:
    """A kind of handoff that an integration sees: what all of its spans say.

    Args:
        operation: what is done with the data, as `tollbook.handoff` takes it.
        beneath: scopes of other instrumentations of the same library. Where one of theirs has made the current span, that
            span is told what it lacks, and no second one is made.
        kind: OpenTelemetry's span kind.
        attributes: what each span says.
        is_inference: whether what is handed over is a question to a model, which then is an inference and no handoff.
    """

    def __init__(
        self,
        operation: str,
        *,
        beneath: Sequence[str] = (),
        kind: SpanKind = SpanKind.CLIENT,
        attributes: Mapping[str, Value | None] | None = None,
        is_inference: bool = False,
    ) -> None:
        self._beneath = tuple(beneath)
        self._operation = operation
        self._is_inference = is_inference
        does: Kind = "inference" if is_inference else "handoff"
        said = {A.TOLLBOOK_HANDOFF_OPERATION: None if is_inference else operation, **(attributes or {})}
        self._attributes: dict[str, Value] = {A.TOLLBOOK_KIND: does}
        self._attributes.update({key: value for key, value in said.items() if value is not None})
        self._work = Work(does, None, said, operation=operation, span_kind=kind)

    def begin(self, name: str, said: Mapping[str, Value | None] | None = None, *, measures_cpu: bool = True) -> Handle:
        """The handle of a span, not yet current; `INERT` while nothing is recorded or instrumentation is suppressed.

        Args:
            name: the span's name, where it is ours.
            said: what this span says beside what all of them say.
            measures_cpu: off where the work ends on another thread or task than it began on.
        """
        if is_off():
            return INERT
        with _BEGINNING:
            if is_suppressed(get_current()):
                return INERT
            handle = self._joined() or self._work.begin(name, measures_cpu)
            if said and handle is not INERT:
                handle.span.set_attributes({key: value for key, value in said.items() if value is not None})
            return handle
        return INERT

    def promise(self, scope: str, said: Mapping[str, Value | None]) -> Handle:
        """The handle of a span that the instrumentation of this scope is about to make, inside the context the handle makes."""
        if is_off():
            return INERT
        with _BEGINNING:
            if is_suppressed(get_current()):
                return INERT
            handle = Promised(scope, get_current(), self._operation)
            handle.span.set_attributes({**self._attributes, **{key: value for key, value in said.items() if value is not None}})
            return handle
        return INERT

    def _joined(self) -> Handle | None:
        """The current span, if another instrumentation has made it of this very call."""
        if not self._beneath:
            return None
        context = get_current()
        span: Any = context.get(SPAN_KEY)
        if span is None:
            return None
        scope = getattr(getattr(span, "instrumentation_scope", None), "name", None)
        if scope not in self._beneath or not span.is_recording():
            return None
        inputs = opened(context)
        span.set_attributes({**self._attributes, **inputs.taken()} if self._is_inference else self._attributes)
        return Joined(span, context, inputs, self._operation, measures_cpu=False)


class Joined(Handle):
    """The handle of a span that another instrumentation makes and ends."""

    __slots__ = ()

    def end(self, error: BaseException | None = None) -> None:
        """Whoever made the span ends it, and says how."""
