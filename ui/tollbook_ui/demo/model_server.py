"""The model behind HTTP, a process of its own: the same Magika on the same onnxruntime as in the intake's process."""

import socket
import threading

import tollbook
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from magika import Magika

from tollbook_ui.demo import wire
from tollbook_ui.demo.processes import tell, wait_for_parent


def application(model: Magika) -> FastAPI:
    """The server's app: one route."""
    app = FastAPI(openapi_url=None)

    @app.post(wire.CLASSIFY)
    async def classify(request: Request) -> Response:
        body = await request.body()
        with tollbook.extract(request.headers):
            answer = await run_in_threadpool(_classified, model, body)
        return Response(answer, media_type=wire.JSON)

    return app


def _classified(model: Magika, body: bytes) -> bytes:
    """The answer to a question. FastAPI makes the server's span; the caller's owners and its data's age go on here."""
    with tollbook.request(name="serve classify"):
        content = _decoded(body)
        found = model.identify_bytes(content)
        return wire.encode_answer(str(found.output.label), found.score)


def _decoded(body: bytes) -> bytes:
    with tollbook.handoff("transform", network="in_process", scaffolding="transform", name="decode document") as span:
        with span.serializing():
            content = wire.decode_question(body)
        span.bytes(len(body))
    return content


def main() -> None:
    """Run as `python -m tollbook_ui.demo.model_server`; tells its port and serves until its standard input closes."""
    tollbook.configure(service_name="model-server")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(Magika()), log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    tell(port=listening.getsockname()[1])
    wait_for_parent()
    server.should_exit = True
    thread.join()
    tollbook.shutdown()


if __name__ == "__main__":
    main()
