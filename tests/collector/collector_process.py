"""A collector in a process of its own, for tests that kill it: `python collector_process.py DATA_DIR`. Prints its port."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from tollbook_collector import otlp_http
from tollbook_collector.collector import Collector
from tollbook_collector.connection import Connection
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store


class Server(uvicorn.Server):
    """A server that a signal ends, after which the collector is stopped; uvicorn's own would raise the signal again before."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.handle_exit, signal.SIGTERM, None)
        yield


async def main(data: Path) -> None:
    store = Store.open(data)
    store.migrate()
    collector = Collector(store, data / "spool", Settings(grpc_port=-1, segment_ms=20, stop_seconds=8))
    await collector.start()
    server = Server(
        uvicorn.Config(otlp_http.app(collector), port=0, log_level="error", lifespan="off", ws="none", http=Connection)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    sys.stdout.write(f"{server.servers[0].sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await serving
    await collector.stop()
    store.close()


asyncio.run(main(Path(sys.argv[1])))
