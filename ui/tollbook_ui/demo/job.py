"""The main job from start to end: a server, the workload in processes of its own, the bill."""

import asyncio
import os
import secrets
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tollbook_attribution import rates
from tollbook_collector.settings import Settings as CollectorSettings
from tollbook_schema.store import StoreError

from tollbook_ui import answers
from tollbook_ui.demo import bill, corpus, folder, own_server, plan
from tollbook_ui.demo.databases import Policies
from tollbook_ui.demo.plan import Plan
from tollbook_ui.demo.processes import Child, ChildFailedError
from tollbook_ui.opening import Opening, Options, ServeError
from tollbook_ui.periods import week_of
from tollbook_ui.server import Addresses, serve

USD_PER_VCPU_HOUR = Decimal("0.05")
"""What the demo assumes its machine to cost: a round figure near what clouds ask for a general purpose vCPU."""

ENVIRONMENT = "demo"

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


ENDINGS = (
    folder.FolderError,
    corpus.NoFilesError,
    ServeError,
    StoreError,
    ChildFailedError,
    own_server.OwnServerError,
)
"""What ends the demo with a line to the person who started it."""


def run(console: Console, place: Path, documents: int, stay: bool) -> int:
    """The demo in the folder `place`; see `tollbook_ui.demo.run`."""
    try:
        folder.prepare(place)
        options = Options(data=place, any_port=True)
        with Opening(options) as opening:
            return asyncio.run(_serve_and_work(Job(console, place, documents), opening, options, stay))
    except ENDINGS as error:
        console.print(f"[red]The demo cannot go on:[/] {error}", highlight=False, soft_wrap=True)
        return 1


class Job:
    """What is done while the server runs."""

    def __init__(self, console: Console, place: Path, documents: int) -> None:
        self.console = console
        self.place = place
        self.documents = documents
        self._children: list[Child] = []
        self._stopped = threading.Event()

    def plan(self) -> Plan:
        """The plan for this machine's files, with all that it needs on disk."""
        made = plan.make(self.place / "files", corpus.select(self.documents, corpus.roots()))
        plan.save(made)
        Policies.make(made.policies)
        return made

    def work(self, addresses: Addresses, made: Plan) -> None:
        """The whole job once the server is up: rate, workload, settlement, bill, report. Takes a thread of its own."""
        found = answers.current()
        self._introduce(addresses)
        self._set_rate(found)
        self._say("Work", f"{self._documents_of(made)}: {made.requests} requests")
        self._run_workload(made, addresses.url)
        with self.console.status("Settling"):
            own_server.wait_until_stored(addresses.url)
            own_server.settle(addresses.url)
        bill.show(self.console, found)
        with self.console.status("Rendering the weekly report"):
            written = self._report(found)
        self._say("Weekly report", written)
        self._say("Dashboard", addresses.url)
        self._say("More", f"tollbook receipt TRACE --data {self.place}, and tollbook --help")

    def stop(self) -> None:
        """Break off: the children are killed, so that `work` ends soon, with an error."""
        self._stopped.set()
        for child in self._children:
            child.kill()

    def _introduce(self, addresses: Addresses) -> None:
        for sentence in addresses.moved:
            self.console.print(f"[yellow]{sentence}[/]", highlight=False)
        self._say("Server", f"{addresses.url} (OTLP over HTTP, API, dashboard), gRPC on port {addresses.grpc_port}")
        self._say("Data", f"{self.place} (the demo's own folder, emptied at each start)")

    def _set_rate(self, found: answers.Answers) -> None:
        usd_per_hour = USD_PER_VCPU_HOUR * cpus()
        rates.set_rate(found.store, machine(), usd_per_hour, cpus(), source="assumption of the demo, not a bill")
        self._say(
            "Machine", f"{machine()}, assumed to cost ${usd_per_hour} an hour (${USD_PER_VCPU_HOUR} for each of {cpus()} CPUs)"
        )

    def _documents_of(self, made: Plan) -> str:
        places = " and ".join(str(root.path) for root in corpus.roots())
        fewer = "" if len(made.documents) == self.documents else f", not {self.documents} as this machine has no more that fit"
        return f"{len(made.documents)} files of {places}{fewer}"

    def _run_workload(self, made: Plan, url: str) -> None:
        """Servers and intake get ready while the sync job copies."""
        path = str(Path(made.folder, "plan.json"))
        with ExitStack() as stack, self._progress() as progress:
            sync = stack.enter_context(self._child("sync", url, path))
            servers = [stack.enter_context(self._child(name, url)) for name in ("model_server", "provider")]
            ports = [str(server.first()["port"]) for server in servers]
            intake = stack.enter_context(self._child("intake", url, path, *ports))
            self._follow(progress, sync, "Sync job copies to staging", len(made.documents))
            intake.first()
            intake.go()
            self._follow(progress, intake, "Intake, in-process and remote, and chats", made.requests - len(made.documents))

    def _report(self, found: answers.Answers) -> Path:
        """The week of the newest request as HTML, Markdown and JSON; gives the path of the HTML."""
        from tollbook_ui import report  # noqa: PLC0415 - matplotlib takes 2 s that the start need not wait for

        newest = found.extent().last_request
        if newest is None:
            raise own_server.OwnServerError("nothing is settled, so there is no week to report on")
        return report.render(found, week_of(newest)).write(self.place / "report", report.FORMATS)[0]

    def _child(self, module: str, url: str, *arguments: str) -> Child:
        if self._stopped.is_set():
            raise ChildFailedError("stopped")
        child = Child(module, *arguments, environment=environment(url), logs=self.place / "logs")
        self._children.append(child)
        return child

    def _follow(self, progress: Progress, child: Child, title: str, total: int) -> None:
        task = progress.add_task(title, total=total)
        done = 0
        for message in child.messages():
            done = message["done"]
            progress.update(task, completed=done)
        child.finish()
        if done < total:
            progress.console.print(f"Time is up: {done} of {total} are done, and the bill is of these.")

    def _progress(self) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console)

    def _say(self, name: str, text: object) -> None:
        self.console.print(f"[bold]{name:14}[/] {text}", highlight=False, soft_wrap=True)


def machine() -> str:
    """The instance type that the demo's machine is given."""
    return f"demo-{cpus()}vcpu"


def cpus() -> int:
    """CPUs of this machine."""
    return os.cpu_count() or 1


def environment(url: str) -> Mapping[str, str]:
    """What one of the demo's processes is told of telemetry.

    Each has a digest key of its own: that a document goes both ways is the comparison, and not an inference repeated.
    """
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={ENVIRONMENT}",
        "TOLLBOOK_HOST_TYPE": machine(),
        "TOLLBOOK_DIGEST_KEY": secrets.token_hex(16),
    }


async def _serve_and_work(job: Job, opening: Opening, options: Options, stay: bool) -> int:
    """The server in this thread, the job in another; whichever ends first ends the other, unless the server is to stay."""
    ready: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    planning = asyncio.create_task(asyncio.to_thread(job.plan))
    serving = asyncio.create_task(serve(opening, options, CollectorSettings(), ready.set_result))
    await _first(serving, ready)
    await asyncio.wait({planning})
    if serving.done():
        await serving
        return INTERRUPTED
    working = asyncio.create_task(asyncio.to_thread(job.work, ready.result(), await planning))
    await _first(serving, working)
    if not working.done():
        return await _broken_off(job, working, serving)
    if working.exception() is None and stay:
        job.console.print("Stays up until Ctrl-C.")
        await serving
    _stop_server()
    await serving
    await working
    return 0


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _broken_off(job: Job, working: "asyncio.Task[None]", serving: "asyncio.Task[None]") -> int:
    """The server has ended first: by Ctrl-C, or by an error, which is raised."""
    job.stop()
    await asyncio.wait({working})
    working.exception()  # it lost its server; that it failed is no news
    await serving
    job.console.print("Stopped.")
    return INTERRUPTED


def _stop_server() -> None:
    """As Ctrl-C does, while the server listens for it."""
    if callable(signal.getsignal(signal.SIGTERM)):
        signal.raise_signal(signal.SIGTERM)
