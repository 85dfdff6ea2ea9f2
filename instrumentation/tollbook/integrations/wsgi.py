"""WSGI servers: a span for each request that comes in, of Flask, and of Django and any other application in a `Middleware`."""

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.serving import Served, http_request
from tollbook.shield import shielded
from tollbook.steps import failing

Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]

_SERVED: Final = "tollbook.served"
"""Where an environment holds the request that is told of already."""
_BENEATH: Final = ("opentelemetry.instrumentation.wsgi",)
_COUNTING: Final = shielded("count what a request of WSGI moves")


class Middleware:
    """Makes a request of every one that comes in: `application = Middleware(application)`.

    Args:
        app: the application.
        route_of: finds the template of a request's route in its environment; without it, a request is its method.
    """

    def __init__(self, app: App, route_of: Callable[[Environ], str | None] | None = None) -> None:
        self.app = app
        self._route_of = route_of

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answers a request."""
        served = _begun(environ, self._route_of)
        if served is None:
            return self.app(environ, start_response)
        return _answer(self.app, served, environ, start_response)


def _begun(environ: Environ, route_of: Callable[[Environ], str | None] | None) -> Served | None:
    with shielded("begin a request of WSGI"):
        if _SERVED in environ:
            return None
        route = route_of(environ) if route_of is not None else None
        headers = {
            name[5:].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and isinstance(value, str)
        }
        served = Served.begin(http_request(environ.get("REQUEST_METHOD", "GET"), route), headers, _BENEATH)
        environ[_SERVED] = served
        return served
    return None


def _answer(app: Any, served: Served, environ: Environ, start_response: Start) -> Iterable[bytes]:
    def start(status: str, *args: Any, **kwargs: Any) -> Any:
        with _COUNTING:
            served.answered(int(status.split(" ", 1)[0]))
        write = start_response(status, *args, **kwargs)
        return _writing(write, served) if callable(write) else write

    with _COUNTING:
        if "wsgi.input" in environ:
            environ["wsgi.input"] = Input(environ["wsgi.input"], served)
    with failing(served.end), served.handle:
        answer = app(environ, start)
    return Answer(answer, served)


def _writing(write: Any, served: Served) -> Any:
    def writing(data: bytes) -> Any:
        served.sent(len(data))
        return write(data)

    return writing


class Input:
    """A request's body, counted as it is read."""

    def __init__(self, inner: Any, served: Served) -> None:
        self._inner = inner
        self._served = served

    def read(self, *args: Any) -> bytes:
        """As the body itself."""
        data: bytes = self._counted(self._inner.read(*args))
        return data

    def readline(self, *args: Any) -> bytes:
        """As the body itself."""
        line: bytes = self._counted(self._inner.readline(*args))
        return line

    def readlines(self, *args: Any) -> list[bytes]:
        """As the body itself."""
        return [self._counted(line) for line in self._inner.readlines(*args)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._counted, self._inner)

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        return (lambda *args: self._counted(inner(*args))) if name in {"read1", "readinto"} else inner

    def _counted(self, data: Any) -> Any:
        with _COUNTING:
            self._served.received(data if isinstance(data, int) else len(data or b""))
        return data


class Answer:
    """An answer, counted as it goes; the request ends with it."""

    def __init__(self, inner: Iterable[bytes], served: Served) -> None:
        self._inner = inner
        self._served = served
        weakref.finalize(self, served.end)

    def __iter__(self) -> Iterator[bytes]:
        served, pieces = self._served, iter(self._inner)
        with failing(served.end):
            while True:
                with served.handle:
                    try:
                        piece = next(pieces)
                    except StopIteration:
                        break
                with _COUNTING:
                    served.sent(len(piece))
                yield piece
        served.end()

    def __bool__(self) -> bool:
        return bool(self._inner)

    def __len__(self) -> int:
        return len(self._inner)  # type: ignore[arg-type]  # a server asks, to say Content-Length; it takes a TypeError for no

    def close(self) -> None:
        """As the answer itself."""
        try:
            if hasattr(self._inner, "close"):
                self._inner.close()
        finally:
            self._served.end()


def _serve(wrapped: Any, application: Any, args: Any, kwargs: Any) -> Any:
    """In place of `Flask.wsgi_app`."""
    return Middleware(wrapped, lambda environ: _route_of_flask(application, environ))(*args, **kwargs)


def _route_of_flask(application: Any, environ: Environ) -> str | None:
    with shielded("find a route of Flask"), suppress(sys.modules["werkzeug.exceptions"].HTTPException):
        adapter = application.create_url_adapter(application.request_class(environ))
        rule, _arguments = adapter.match(return_rule=True)
        return str(rule.rule)
    return None


class FlaskInstrumentor(Integration):
    """Instruments applications of Flask."""

    library = "flask"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {"flask.app": {"Flask.wsgi_app": _serve}}
