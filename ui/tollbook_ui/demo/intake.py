"""The document intake, a process of its own: every document in-process and through the model server, and some chats."""

import argparse
import http.client
import mimetypes
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import tollbook
from openai import OpenAI
from opentelemetry.trace import SpanKind
from tollbook.integrations.onnxruntime import OnnxRuntimeInstrumentor
from tollbook_schema import attributes as A  # noqa: N812

from tollbook_ui.demo import loopback, model, wire
from tollbook_ui.demo import plan as plans
from tollbook_ui.demo.databases import Index, Policies
from tollbook_ui.demo.plan import CHAT_OWNER, Chat, Document, Plan
from tollbook_ui.demo.processes import tell, wait_for_go
from tollbook_ui.demo.stages import look_up, put_into_index, read_staged

WORK_SECONDS = 20.0
"""The intake stops after this time, so that the demo ends within a minute on a slow machine too."""

EXCERPT_BYTES = 4 * 1024
"""A chat gets this much of its document."""


def instructions(labels: list[str]) -> str:
    """The beginning that all chats share, long as real ones are, so that the provider's cache has something to hold."""
    suffixes = mimetypes.MimeTypes(filenames=()).types_map[True]
    known = [f"{suffix}: {kind}" for suffix, kind in sorted(suffixes.items())]
    return "\n".join(["Say in two sentences what the document is for.", ", ".join(labels), *known])


class ModelClient:
    """The model server, seen from the intake: one connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    @tollbook.inference("magika", provider="model-server", operation="classify", location="remote", kind=SpanKind.INTERNAL)
    def classify(self, name: str, content: bytes) -> str:
        """What the document is. Making the body and sending it are two handoffs, so that both show."""
        return wire.decode_answer(self._post(self._encoded(name, content)))

    def _encoded(self, name: str, content: bytes) -> bytes:
        with tollbook.handoff("transform", network="in_process", scaffolding="transform", name="encode document") as span:
            with span.serializing():
                body = wire.encode_question(name, content)
            span.bytes(len(body))
        return body

    def _post(self, body: bytes) -> bytes:
        with tollbook.handoff(
            "call", source="intake", destination="model-server", network="loopback", scaffolding="glue", name="call model-server"
        ) as span:
            headers = tollbook.inject({"Content-Type": loopback.JSON})
            self._connection.request("POST", wire.CLASSIFY, body, headers)
            response = self._connection.getresponse()
            answer = response.read()
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"the model server answered {response.status}: {answer[:200]!r}")
            span.bytes(len(body) + len(answer)).set(A.SERVER_ADDRESS, "127.0.0.1")
            span.set(A.HTTP_REQUEST_BODY_SIZE, len(body)).set(A.HTTP_RESPONSE_BODY_SIZE, len(answer))
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class Intake:
    """The service: its model, its databases, its two neighbours."""

    def __init__(self, plan: Plan, model_port: int, provider_port: int) -> None:
        self.model = model.loaded()
        self.model_server = ModelClient(model_port)
        self.provider = OpenAI(base_url=f"http://127.0.0.1:{provider_port}/v1", api_key="stand-in", max_retries=0)
        self.policies = Policies(plan.policies)
        self.index = Index(plan.index)
        self.instructions = instructions([str(label) for label in self.model.get_output_content_types()])

    def in_process(self, document: Document) -> None:
        """Read, classify here, index."""
        self._take_in("intake-in-process", document, lambda content: str(self.model.identify_bytes(content).output.label))

    def remote(self, document: Document) -> None:
        """Read, have the model server classify, index."""
        name = Path(document.source).name
        self._take_in("intake-remote", document, lambda content: self.model_server.classify(name, content))

    def chat(self, chat: Chat) -> None:
        """Have the provider summarize a document. The provider is a stand-in, which every span of the call says."""
        with tollbook.request("intake-chat", **asdict(CHAT_OWNER)):
            text = read_staged(chat.document)[:EXCERPT_BYTES].decode("utf-8", errors="replace")
            self._ask(chat.model, text)

    def close(self) -> None:
        """Let go of connections and files."""
        self.model_server.close()
        self.provider.close()
        self.policies.close()
        self.index.close()

    def _take_in(self, workflow: str, document: Document, classify: Callable[[bytes], str]) -> None:
        with tollbook.request(workflow, **asdict(document.owner)):
            policy = look_up(self.policies, document.owner.customer)
            content = read_staged(document)
            put_into_index(self.index, document, classify(content), policy, content)

    def _ask(self, model: str, text: str) -> None:
        with tollbook.inference(model, provider="openai", operation="chat", location="remote", simulated=True) as span:
            answer = self.provider.chat.completions.create(
                model=model,
                messages=[{"role": "system", "content": self.instructions}, {"role": "user", "content": text}],
            )
            if answer.usage is not None:
                details = answer.usage.prompt_tokens_details
                span.usage(
                    answer.usage.prompt_tokens,
                    answer.usage.completion_tokens,
                    cache_read_tokens=details.cached_tokens if details else None,
                    response_model=answer.model,
                    response_id=answer.id,
                )


def work(intake: Intake, plan: Plan) -> Iterator[None]:
    """All requests of the plan, one at a time. The two ways take turns at being first, so neither finds a warmer cache."""
    for chat in plan.chats:
        intake.chat(chat)
        yield
    for number, document in enumerate(plan.documents):
        ways = (intake.in_process, intake.remote) if number % 2 else (intake.remote, intake.in_process)
        for _ in range(2 if document.repeated else 1):
            for way in ways:
                way(document)
                yield


def within(seconds: float, requests: Iterator[None]) -> Iterator[None]:
    """The requests until the time is up, the one that runs then included."""
    deadline = time.monotonic() + seconds
    for request in requests:
        yield request
        if time.monotonic() > deadline:
            return


def main() -> None:
    """Run as `python -m tollbook_ui.demo.intake PLAN MODEL_PORT PROVIDER_PORT`; gets ready and waits to be told to begin."""
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("model_port", type=int)
    parser.add_argument("provider_port", type=int)
    arguments = parser.parse_args()
    tollbook.configure(service_name="document-intake")
    OnnxRuntimeInstrumentor().instrument()
    plan = plans.load(arguments.plan)
    intake = Intake(plan, arguments.model_port, arguments.provider_port)
    tell(ready=True)
    wait_for_go()
    for number, _ in enumerate(within(WORK_SECONDS, work(intake, plan)), start=1):
        tell(done=number)
    intake.close()
    tollbook.shutdown()


if __name__ == "__main__":
    main()
