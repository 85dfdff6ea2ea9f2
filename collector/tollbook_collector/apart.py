"""An export request taken apart into requests of one record each. Pure: bytes in, bytes out."""

from collections.abc import Iterator

from tollbook_collector import wire


def singles(body: bytes) -> Iterator[bytes]:
    """For every span, metric or log record of a request, a request of it alone, with its resource and scope around it."""
    for resource in wire.fields(body):
        about, scopes = _parted(body, resource)
        for scope in scopes:
            scope_about, records = _parted(body, scope)
            for record in records:
                alone = scope_about + body[record.start : record.end]
                yield wire.tagged(1, about + wire.tagged(2, alone))


def _parted(body: bytes, group: wire.Field) -> tuple[bytes, list[wire.Field]]:
    """What a resource or a scope says about itself, and its members: field 2 of both."""
    about, members = [], []
    for field in wire.fields(body, group.value, group.end):
        if field.number == 2 and field.kind == wire.BYTES:
            members.append(field)
        else:
            about.append(body[field.start : field.end])
    return b"".join(about), members
