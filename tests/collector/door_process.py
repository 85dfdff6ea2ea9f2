"""Both doors of a collector in a process of its own, over a store that keeps nothing: what the process holds is theirs.

Arguments: the spool's folder, what the seconds of patience are multiplied by, and the most connections. Prints the ports of HTTP
and gRPC; ends with its standard input.
"""

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tollbook_collector import connection, otlp_http
from tollbook_collector.collector import Collector
from tollbook_collector.settings import Settings


class Nowhere:
    """A store without memory."""

    embedded = True

    def load(self, *_: Any) -> None:
        """Takes a segment."""

    def ping(self) -> bool:
        """It is always there."""
        return True


async def large(_request: Request) -> Response:
    """An answer that fits no buffer."""
    return Response(bytes(16_000_000))


async def main(spool: Path, patience: float, connections: int) -> None:
    connection.MAX_CONNECTIONS = connections
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "LINGER_SECONDS", "READ_SECONDS", "SWEEP_SECONDS"):
        setattr(connection, name, getattr(connection, name) * patience)
    settings = Settings(grpc_port=0, body_timeout_ms=int(Settings.body_timeout_ms * patience), stop_seconds=2)
    connection.allow_files()
    connection.keep_freed_memory()
    collector = Collector(Nowhere(), spool, settings)  # type: ignore[arg-type]
    await collector.start()
    app = Starlette(routes=[*otlp_http.routes(collector), Route("/large", large)])
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none", http=connection.Connection)
    server = uvicorn.Server(config)

    def wait_for_the_end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    sys.stdout.write(f"{server.servers[0].sockets[0].getsockname()[1]} {collector.grpc_port}\n")
    sys.stdout.flush()
    await serving
    await collector.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
