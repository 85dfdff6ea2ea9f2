"""Who may send: every request at either door shows its key here, before a byte of its body is read."""

from tollbook_schema.keys import ANYBODY, Keys, Principal, Scope, presented

from tollbook_collector.errors import ForbiddenError, UnauthenticatedError

UNKNOWN = "this server takes nothing without a valid key: Authorization: Bearer tb_..., or x-api-key: tb_..."


class Door:
    """Lets in whoever has a key to send with; everybody, where no keys are asked for."""

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys

    def admit(self, authorization: str, x_api_key: str) -> Principal:
        """Who sends this, by the two headers that can hold a key.

        Raises:
            UnauthenticatedError: there is no valid key.
            ForbiddenError: the key is not one to send with.
        """
        if self._keys is None:
            return ANYBODY
        return may_send(self._keys.verify(presented(authorization, x_api_key)))


def may_send(principal: Principal | None) -> Principal:
    """The principal, if it may send.

    Raises:
        UnauthenticatedError: it is nobody.
        ForbiddenError: it is somebody who only reads.
    """
    if principal is None:
        raise UnauthenticatedError(UNKNOWN)
    if Scope.INGEST not in principal.scopes:
        raise ForbiddenError("this key is not one to send with: its scopes lack ingest")
    return principal
