"""`tollbook up` from the command line: its settings, its log, what it says."""

import gc
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import typer
from tollbook_collector.settings import Settings as CollectorSettings

from tollbook_ui import reach
from tollbook_ui.opening import Opening, Options, ServeError
from tollbook_ui.place import Place

if TYPE_CHECKING:
    from tollbook_ui.server import Addresses


def up(
    where: Place,
    *,
    host: str | None,
    port: int | None,
    grpc_port: int | None,
    any_port: bool,
    dashboard: bool,
    collect_only: bool = False,
) -> None:
    """Serves until it is told to stop; options go before settings.

    Raises:
        SettingsError, StoreError, Exit: it cannot start, or not like this.
    """
    gc.disable()  # the objects of a thousand modules stay: to look through them for garbage took a seventh of a start
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    collector = CollectorSettings.from_environment()
    if grpc_port is not None:
        collector = replace(collector, grpc_port=grpc_port)
    options = Options(
        data=where.data,
        clickhouse_url=where.settings.clickhouse_url,
        clickhouse_cluster=where.settings.clickhouse_cluster,
        collect_only=collect_only,
        host=host or where.settings.host,
        port=where.settings.port if port is None else port,
        any_port=any_port,
        dashboard=dashboard,
        settle_seconds=where.settings.settle_seconds,
        settings=where.settings,
    )
    reach.check(options.settings, options.host, collector)
    try:
        with Opening(options) as opening:
            from tollbook_ui import server  # noqa: PLC0415 - meanwhile the store is opened

            server.run(opening, options, collector, _say_collecting if collect_only else partial(_say, where))
    except ServeError as error:
        typer.echo(f"tollbook: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo("Stopped. What was acknowledged is kept.")


def _say(where: Place, up: "Addresses") -> None:
    grpc = f"{up.grpc_host}:{up.grpc_port}" if up.grpc_port else "switched off"
    lines = (
        *up.moved,
        f"Tollbook is up: send OTLP to {up.url} (HTTP) or {grpc} (gRPC).",
        f"  Dashboard  {up.dashboard}",
        f"  API        {up.url}/api/v1/openapi.json",
        f"  Data       {up.data}",
        *_first_key(where),
        "Ctrl-C stops it.",
    )
    typer.echo("\n".join(lines))


def _say_collecting(up: "Addresses") -> None:
    grpc = f"{up.grpc_host}:{up.grpc_port}" if up.grpc_port else "switched off"
    lines = (
        *up.moved,
        f"Collecting: send OTLP to {up.url} (HTTP) or {grpc} (gRPC).",
        f"  Spool  {up.data / 'spool'}",
        "Ctrl-C stops it.",
    )
    typer.echo("\n".join(lines))


def _first_key(where: Place) -> tuple[str, ...]:
    """What whoever asks for keys has to do next."""
    if where.settings.auth != "required":
        return ()
    return ("  Keys       tollbook keys create NAME --tenant T --scope ingest --scope read",)
