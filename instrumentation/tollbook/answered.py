"""Which span has which provider's answer, so that a score can name the answer alone."""

import threading
from collections import OrderedDict
from typing import Final

from opentelemetry.trace import SpanContext

ANSWERS_KEPT: Final = 8192
"""Answers of this process, the newest ones; a score of any other one has to name its trace."""

_answers: OrderedDict[str, tuple[int, int]] = OrderedDict()
_lock = threading.Lock()


def remember(response_id: str, context: SpanContext) -> None:
    """Note whose the answer is."""
    with _lock:
        _answers[response_id] = (context.trace_id, context.span_id)
        if len(_answers) > ANSWERS_KEPT:
            _answers.popitem(last=False)


def place(response_id: str) -> tuple[int, int]:
    """Trace and span of the answer; zeros if it is not known here."""
    with _lock:
        return _answers.get(response_id, (0, 0))
