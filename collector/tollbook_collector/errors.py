"""Why a request is refused, whose fault it is, and whether trying again helps; turned into an answer at the edge, once."""

from collections.abc import Mapping
from typing import ClassVar

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


class RefusedError(Exception):
    """A request that is not kept. Subclasses say why, and carry the HTTP status and the google.rpc code of the answer."""

    http_status: ClassVar[int] = 400
    code: ClassVar[int] = code_pb2.INVALID_ARGUMENT
    reason: ClassVar[str] = "bad_request"
    retry_after_s: int | None = None

    def status(self) -> status_pb2.Status:
        """The answer as `google.rpc.Status`, with a `RetryInfo` where trying again helps."""
        status = status_pb2.Status(code=self.code, message=str(self))
        if self.retry_after_s is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.seconds = self.retry_after_s
            status.details.add().Pack(retry)
        return status

    def body(self, media_type: str) -> bytes:
        """The status in the encoding `media_type`: protobuf, or JSON for everything else."""
        return encoded(self.status(), media_type)

    def headers(self) -> Mapping[str, str]:
        """Headers that go with the answer over HTTP."""
        return {} if self.retry_after_s is None else {"retry-after": str(self.retry_after_s)}


def encoded(message: Message, media_type: str) -> bytes:
    """A message in the encoding `media_type`: protobuf, or JSON for everything else."""
    return message.SerializeToString() if media_type == PROTOBUF else MessageToJson(message, indent=None).encode()


class BadRequestError(RefusedError):
    """The sender's fault: retrying the same bytes cannot help."""


class UnauthenticatedError(RefusedError):
    """No key, or none that is known, or one that is revoked or expired. The answer never says which."""

    http_status = 401
    code = code_pb2.UNAUTHENTICATED
    reason = "unauthenticated"

    def headers(self) -> Mapping[str, str]:
        """How to sign in, as RFC 9110 asks."""
        return {"www-authenticate": 'Bearer realm="tollbook"'}


class ForbiddenError(RefusedError):
    """The key is right and not for this."""

    http_status = 403
    code = code_pb2.PERMISSION_DENIED
    reason = "forbidden"


class UnsupportedMediaTypeError(RefusedError):
    """The body is in a format or a compression that OTLP does not know."""

    http_status = 415
    reason = "unsupported_media_type"


class TooLargeError(RefusedError):
    """The body is larger than `max_body_bytes`, as sent or once decompressed."""

    http_status = 413
    code = code_pb2.RESOURCE_EXHAUSTED
    reason = "too_large"


class MethodNotAllowedError(RefusedError):
    """OTLP/HTTP is POST only."""

    http_status = 405
    code = code_pb2.UNIMPLEMENTED
    reason = "method_not_allowed"

    def headers(self) -> Mapping[str, str]:
        """Names the one method there is, as RFC 9110 asks."""
        return {"allow": "POST"}


class UnavailableError(RefusedError):
    """Our fault and it passes: the disk is full, the spool is full, the collector is stopping. Nothing was kept; try again."""

    http_status = 503
    code = code_pb2.UNAVAILABLE
    reason = "unavailable"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SpoolBusyError(Exception):
    """Another collector has the spool folder open; the first is unharmed."""
