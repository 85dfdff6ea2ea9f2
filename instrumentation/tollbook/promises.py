"""What is known of a span that another instrumentation is about to make: it is told when it starts."""

from typing import Any, Final

from opentelemetry.context import Context, create_key, set_value
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan

from tollbook.contexts import get_current
from tollbook.handle import Handle
from tollbook.inputs import opened

_KEY: Final = create_key("tollbook-promise")


class Promise(NonRecordingSpan):
    """Stands in for the next span of a scope, and keeps its attributes.

    Args:
        scope: name of the instrumentation that will make the span.
    """

    def __init__(self, scope: str) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self.scope = scope
        self.attributes: dict[str, Any] = {}
        self.kept = False

    def set_attribute(self, key: str, value: Any) -> None:
        """For the span that comes."""
        self.attributes[key] = value

    def set_attributes(self, attributes: Any) -> None:
        """For the span that comes."""
        self.attributes.update(attributes)


class Promised(Handle):
    """The handle of a span that will be made by another instrumentation, inside the context that this one makes current."""

    __slots__ = ()

    def __init__(self, scope: str, context: Context, operation: str) -> None:
        promise = Promise(scope)
        super().__init__(promise, context, opened(context), operation, measures_cpu=False)
        self._context = set_value(_KEY, promise, context)

    def end(self, error: BaseException | None = None) -> None:
        """Whoever makes the span ends it."""


def kept(scope: str | None) -> dict[str, Any]:
    """What was promised to the first span of the scope that starts in the current context, whatever its parent is."""
    promise = get_current().get(_KEY)
    if isinstance(promise, Promise) and promise.scope == scope and not promise.kept:
        promise.kept = True
        return promise.attributes
    return {}
