"""ASGI servers: a span for each request that comes in, of FastAPI, of Starlette, and of any application in a `Middleware`."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, ClassVar, Final

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.serving import Served, http_request
from tollbook.shield import shielded
from tollbook.steps import Steps, failing

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BENEATH: Final = tuple(f"opentelemetry.instrumentation.{name}" for name in ("asgi", "fastapi", "starlette", "litestar", "quart"))
_COUNTING: Final = shielded("count what a request of ASGI moves")
_SEEN: Final = "tollbook.seen"
"""Where a scope says that the request is told of already, by a middleware further out."""


class Middleware:
    """Makes a request of every HTTP request that comes in: `app = Middleware(app)`. Lifespan and websockets pass untouched.

    Owners and ages of inputs are taken from the headers of whoever calls: put no such service where strangers reach it without a
    proxy in front that takes the `baggage` header away.

    Args:
        app: the application.
        routes: where its routes are found, for those that keep them as Starlette does.
    """

    def __init__(self, app: App, routes: Any = None) -> None:
        self.app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        served = self._begun(scope) if scope["type"] == "http" else None
        if served is None:
            await self.app(scope, receive, send)
            return
        with failing(served.end):
            body: Any = self.app(scope, _receiving(served, receive), _sending(served, send))
            await Steps(body if hasattr(body, "send") else _awaiting(body), served.handle)
        served.end()

    def _begun(self, scope: Scope) -> Served | None:
        with shielded("begin a request of ASGI"):
            if _SEEN in scope:
                return None
            scope[_SEEN] = True
            route = route_of(self._routes, scope) if self._routes is not None else None
            return Served.begin(http_request(scope["method"], route), scope["headers"], BENEATH)
        return None


async def _awaiting(body: Any) -> None:
    await body


def _receiving(served: Served, receive: Receive) -> Receive:
    async def receiving() -> Message:
        message = await receive()
        with _COUNTING:
            if message["type"] == "http.request":
                served.received(len(message.get("body") or b""))
        return message

    return receiving


def _sending(served: Served, send: Send) -> Send:
    async def sending(message: Message) -> None:
        with _COUNTING:
            if message["type"] == "http.response.start":
                served.answered(message["status"])
            elif message["type"] == "http.response.body":
                served.sent(len(message.get("body") or b""))
                if not message.get("more_body"):
                    served.over()
        await send(message)

    return sending


def route_of(routes: Any, scope: Scope) -> str | None:
    """The template of the route that a request will take, such as `/orders/{id}`, mounts included."""
    with shielded("find a route"):
        for route in _flat(routes.routes if hasattr(routes, "routes") else routes):
            match, child = route.matches(scope)
            if match.name != "FULL":
                continue
            path = getattr(route, "path", None)
            inner = getattr(route, "routes", None)
            if not inner:
                return path if isinstance(path, str) and (path or not inner) else None
            below = route_of(inner, {**scope, **child})
            return f"{path or ''}{below}" if below is not None else None
    return None


def _flat(routes: Iterable[Any]) -> Iterable[Any]:
    """The routes; those that newer versions of FastAPI keep in groups, one by one."""
    for route in routes:
        if hasattr(route, "effective_route_contexts"):
            yield from route.effective_route_contexts()
        else:
            yield route


def _build(wrapped: Any, app: Any, args: Any, kwargs: Any) -> Any:
    """In place of what builds an application's stack: inside its outermost layer, where other instrumentations let us in."""
    stack = wrapped(*args, **kwargs)
    with shielded("instrument an application"):
        if hasattr(stack, "app") and not isinstance(stack.app, Middleware):
            stack.app = Middleware(stack.app, app)
    return stack


class FastApiInstrumentor(Integration):
    """Instruments applications of FastAPI that have not served yet."""

    library = "fastapi"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {"fastapi.applications": {"FastAPI.build_middleware_stack": _build}}


class StarletteInstrumentor(Integration):
    """Instruments applications of Starlette that have not served yet."""

    library = "starlette"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "starlette.applications": {"Starlette.build_middleware_stack": _build}
    }
