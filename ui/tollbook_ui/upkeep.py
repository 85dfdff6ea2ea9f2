"""Commands that keep an installation: `tollbook keys` and `tollbook dead`."""

from dataclasses import fields
from typing import Annotated

import typer

from tollbook_ui.console import As, Data, Format, command, written

keys = typer.Typer(help="API keys: make one, list them, revoke one.", no_args_is_help=True)
dead = typer.Typer(help="Records that the store refused: list them, show one, try them again, drop them.", no_args_is_help=True)


@command(keys, "create")
def keys_create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it, such as checkout-service.")],
    *,
    scope: Annotated[list[str], typer.Option(metavar="SCOPE", help="ingest, read or admin; may be given several times.")],
    tenant: Annotated[str | None, typer.Option(help="Whose data it sends and reads.", show_default=False)] = None,
    all_tenants: Annotated[bool, typer.Option("--all-tenants", help="A key of the operator's, which reads all.")] = False,
    expires: Annotated[str | None, typer.Option(metavar="90d", help="How long it is valid: 12h, 90d, 2w.")] = None,
    data: Data = None,
) -> None:
    """Make a key. It is shown once: only a hash of it is kept."""
    from tollbook_ui import access, making_keys, place

    wish = making_keys.wish(name, scope, tenant, all_tenants, expires)
    with access.keyring(place.at(data)) as keyring:
        key = keyring.create_key(wish)
    typer.echo(key)
    for line in making_keys.told(wish, key):
        typer.echo(line, err=True)


@command(keys, "list")
def keys_list(data: Data = None, shape: As = Format.TABLE) -> None:
    """List keys, without their secrets."""
    from tollbook_ui import access, place, show
    from tollbook_ui.keyring import KeyRow

    with access.keyring(place.at(data)) as keyring:
        found = keyring.keys()
    written(shape, found, [field.name for field in fields(KeyRow)], lambda: show.keys(found))


@command(keys, "revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As keys list shows it.")], data: Data = None) -> None:
    """Revoke a key: it opens nothing from now on."""
    from tollbook_ui import access, place

    with access.keyring(place.at(data)) as keyring:
        found = keyring.revoke_key(key_id)
    typer.echo(f"Revoked {found.key_id} ({found.name}).")


@command(dead, "list")
def dead_list(data: Data = None, shape: As = Format.TABLE) -> None:
    """List records that the store refused, oldest first."""
    from tollbook_collector.dead import Letter

    from tollbook_ui import dead as letters
    from tollbook_ui import place, show

    found = letters.letters(place.at(data))
    written(shape, found, [field.name for field in fields(Letter)], lambda: show.dead(found))


@command(dead, "show")
def dead_show(name: Annotated[str, typer.Argument(metavar="NAME", help="As dead list shows it.")], data: Data = None) -> None:
    """Print what the store said about a record, and the record."""
    from tollbook_ui import dead as letters
    from tollbook_ui import place

    for line in letters.shown(place.at(data), name):
        typer.echo(line)


@command(dead, "retry")
def dead_retry(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="As dead list shows them.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    data: Data = None,
) -> None:
    """Give records to the store again, such as after an upgrade; what it refuses again comes back here."""
    from tollbook_ui import access, place
    from tollbook_ui import dead as letters

    where = place.at(data)
    count = letters.retry(where, names or (), everything)
    running = access.running(where.data) is not None
    typer.echo(f"{count} go to the store {'within seconds' if running else 'with the next: tollbook up'}.")


@command(dead, "drop")
def dead_drop(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="As dead list shows them.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    data: Data = None,
) -> None:
    """Delete records that the store refused, for good."""
    from tollbook_ui import dead as letters
    from tollbook_ui import place

    typer.echo(f"Dropped {letters.drop(place.at(data), names or (), everything)}.")
