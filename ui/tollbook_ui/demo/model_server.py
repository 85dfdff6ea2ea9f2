"""The model behind HTTP, a process of its own: the same Magika on the same onnxruntime as in the intake's process."""

from email.message import Message

import tollbook
from tollbook.integrations.onnxruntime import OnnxRuntimeInstrumentor
from tollbook_schema import attributes as A  # noqa: N812

from tollbook_ui.demo import loopback, model, wire


class ModelServer:
    """Answers questions about documents with a model."""

    def __init__(self) -> None:
        self.model = model.loaded()

    def answer(self, headers: Message, body: bytes) -> bytes:
        """What the document in the body is. The caller's trace, owners and age of data go on in the spans made here."""
        with tollbook.extract(headers.items()), tollbook.request(name=f"POST {wire.CLASSIFY}") as span:
            span.set(A.HTTP_REQUEST_METHOD, "POST").set(A.HTTP_ROUTE, wire.CLASSIFY)
            content = decoded(body)
            found = self.model.identify_bytes(content)
            return wire.encode_answer(str(found.output.label), found.score)


def decoded(body: bytes) -> bytes:
    """The document in a body, as a handoff of its own."""
    with tollbook.handoff("transform", network="in_process", scaffolding="transform", name="decode document") as span:
        with span.serializing():
            content = wire.decode_question(body)
        span.bytes(len(body))
    return content


def main() -> None:
    """Run as `python -m tollbook_ui.demo.model_server`."""
    tollbook.configure(service_name="model-server")
    OnnxRuntimeInstrumentor().instrument()
    loopback.serve(ModelServer().answer)
    tollbook.shutdown()


if __name__ == "__main__":
    main()
