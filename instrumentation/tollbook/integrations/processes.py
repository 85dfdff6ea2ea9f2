"""Processes go on with trace, owners and ages of whoever started them, tasks of a pool with those of whoever submitted them."""

import os
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any, ClassVar, Final

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import get_current_span

from tollbook.carriers import received, told
from tollbook.inputs import read_there
from tollbook.integrations.base import Integration
from tollbook.shield import shielded

_CROSSING: Final = shielded("carry a context to a process")
_ENV: Final = 10
"""Place of `env` among the arguments of `Popen`."""


class Task:
    """A function that goes on, in whichever process it is called, with the trace, owners and ages of its maker.

    Args:
        function: what is called.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._carried: dict[str, str] = {}
        with _CROSSING:
            self._carried = told(ours=True)
            update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function in that context; a worker's own is that of whoever happened to start it."""
        tokens = []
        with _CROSSING:
            tokens.append(attach(Context()))
            read_there(None)
            tokens.append(attach(received(self._carried)))
        try:
            return self._function(*args, **kwargs)
        finally:
            with _CROSSING:
                for token in reversed(tokens):
                    detach(token)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle; what `update_wrapper` copied is the function's."""
        return (_again, (self._function, self._carried))


def _again(function: Callable[..., Any], carried: dict[str, str]) -> Task:
    task = Task(function)
    task._carried = carried
    return task


def _submitted(wrapped: Callable[..., Any], _pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Whatever takes the function to call first, or as `func`."""
    if args:
        return wrapped(Task(args[0]), *args[1:], **kwargs)
    return wrapped(**({**kwargs, "func": Task(kwargs["func"])} if "func" in kwargs else kwargs))


def _started(wrapped: Callable[..., Any], process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _CROSSING:
        process._tollbook_carried = told(ours=True)  # travels with the object where the process is not forked
    return wrapped(*args, **kwargs)


def _ran(wrapped: Callable[..., Any], process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _CROSSING:
        carried = getattr(process, "_tollbook_carried", None)
        if carried and not get_current_span().get_span_context().is_valid:  # a forked one has it already
            attach(received(carried))
    return wrapped(*args, **kwargs)


def _opened(wrapped: Callable[..., Any], _popen: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Another program finds them in its environment, as OpenTelemetry's specification says."""
    with _CROSSING:
        if get_current_span().get_span_context().is_valid:
            given = args[_ENV] if len(args) > _ENV else kwargs.get("env")
            environment = _told_to(os.environ if given is None else given)
            if len(args) > _ENV:
                args = (*args[:_ENV], environment, *args[_ENV + 1 :])
            else:
                kwargs = {**kwargs, "env": environment}
    return wrapped(*args, **kwargs)


def _told_to(environment: Mapping[Any, Any]) -> dict[Any, Any]:
    ours = {name.upper(): value for name, value in told(ours=True).items()}
    if any(isinstance(name, bytes) for name in environment):
        return {**environment, **{name.encode(): value.encode() for name, value in ours.items()}}
    return {**environment, **ours}


class ProcessesInstrumentor(Integration):
    """Instruments `multiprocessing` and process pools."""

    library = "multiprocessing"
    wrappers: ClassVar = {
        "multiprocessing.process": {"BaseProcess.start": _started, "BaseProcess._bootstrap": _ran},
        "multiprocessing.pool": {
            "Pool.apply_async": _submitted,
            "Pool._map_async": _submitted,
            "Pool.imap": _submitted,
            "Pool.imap_unordered": _submitted,
        },
        "concurrent.futures.process": {"ProcessPoolExecutor.submit": _submitted},
    }


class SubprocessInstrumentor(Integration):
    """Instruments `subprocess`: other programs."""

    library = "subprocess"
    wrappers: ClassVar = {"subprocess": {"Popen.__init__": _opened}}
