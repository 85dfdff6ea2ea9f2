"""The one place where a fault of ours is swallowed, so that it never becomes a fault of the application."""

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, TypeVar, cast

_log = logging.getLogger("tollbook")

faults: Final[Counter[str]] = Counter()
"""How often each step has failed in this process, by the step's name."""


class shielded:  # noqa: N801 - reads as a word: `with shielded("count tokens"):`
    """Keep a fault of ours away from the application.

    What fails inside is counted in `faults` and logged once for each step. Under `TOLLBOOK_STRICT=1` it is raised.
    `KeyboardInterrupt`, `SystemExit` and `GeneratorExit` always pass, they are not faults.
    """

    __slots__ = ("step",)

    def __init__(self, step: str) -> None:
        self.step = step

    def __enter__(self) -> None:
        """Nothing to prepare, so that the shield costs next to nothing."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        return isinstance(error, Exception) and _swallow(self.step, error)


Hook = TypeVar("Hook", bound=Callable[..., None])


def sheltered(step: str) -> Callable[[Hook], Hook]:
    """The same for a whole hook of a span processor: a quarter of what the block costs, as every span passes there."""

    def sheltering(hook: Hook) -> Hook:
        @functools.wraps(hook)
        def shelter(self: Any, span: Any, parent_context: Any = None) -> None:
            try:
                hook(self, span, parent_context)
            except Exception as error:
                if not _swallow(step, error):
                    raise

        return cast(Hook, shelter)

    return sheltering


def _swallow(step: str, error: Exception) -> bool:
    if strict():
        return False
    faults[step] += 1
    if faults[step] == 1:
        # The message may hold content of the request: it goes to the debug log only.
        _log.warning("tollbook could not %s (%s); the application is not affected", step, type(error).__name__)
        _log.debug("tollbook could not %s", step, exc_info=error)
    return True


def strict() -> bool:
    """Whether our own faults are raised instead of counted."""
    return os.environ.get("TOLLBOOK_STRICT", "").lower() in {"1", "true", "yes"}
