"""`tollbook keys create`: what was asked for, and what is said of the key that came of it."""

from collections.abc import Iterator, Sequence

from tollbook_ui.keyring import KeyWish
from tollbook_ui.periods import BadQuestionError, parse_length


def wish(name: str, scopes: Sequence[str], tenant: str | None, all_tenants: bool, expires: str | None) -> KeyWish:
    """The key that the options describe.

    Raises:
        BadQuestionError: they describe none.
    """
    if (tenant is None) != all_tenants:
        raise BadQuestionError("say whose data it is for: --tenant NAME, or --all-tenants for the operator's own")
    hours = None if expires is None else int(parse_length(expires).total_seconds() // 3600)
    return KeyWish(name, tuple(scopes), tenant, hours)


def told(wish: KeyWish, key: str) -> Iterator[str]:
    """Lines that go with a key; it stands alone on standard output, for scripts."""
    yield "This is the only time that it is shown. Give it to:"
    if "ingest" in wish.scopes:
        yield f"  an OpenTelemetry SDK   OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{key}"
    if "read" in wish.scopes:
        yield "  a person               who pastes it at /login"
    yield f"  anything else          as the header: authorization: Bearer {key[:15]}_..."
