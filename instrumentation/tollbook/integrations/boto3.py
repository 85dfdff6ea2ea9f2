"""boto3, botocore and aiobotocore: objects of S3 and what goes through DynamoDB, SQS, SNS, Kinesis and Firehose are handoffs.

A layer inside of `_make_api_call` is wrapped, so that a span of OpenTelemetry's own instrumentation is the current one here.
"""

import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

import wrapt
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest, hosts
from tollbook.handle import INERT, Handle, Value
from tollbook.inputs import Asset
from tollbook.integrations.base import Handover, Integration, Joined
from tollbook.integrations.http import Held, cover, region_of
from tollbook.shield import shielded
from tollbook.steps import Steps, ending

_SERVICES: Final = frozenset({"s3", "dynamodb", "sqs", "sns", "kinesis", "firehose"})
_BENEATH: Final = (
    "opentelemetry.instrumentation.botocore",
    *(f"opentelemetry.instrumentation.botocore.{service}" for service in ("dynamodb", "sqs", "sns")),
)
_HANDOVERS: Final = {
    operation: Handover(operation, beneath=_BENEATH)
    for operation in ("read", "write", "copy", "lookup", "delete", "call")
}  # fmt: skip
_COMES_IN: Final = frozenset({"read", "lookup"})
_OPERATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("s3.GetObject", "s3.SelectObjectContent", "sqs.ReceiveMessage", "kinesis.GetRecords"), "read"),
    **dict.fromkeys(("dynamodb.Query", "dynamodb.Scan", "dynamodb.BatchGetItem", "dynamodb.TransactGetItems"), "read"),
    **dict.fromkeys(("s3.PutObject", "s3.UploadPart", "s3.CompleteMultipartUpload"), "write"),
    **dict.fromkeys(
        ("dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.BatchWriteItem", "dynamodb.TransactWriteItems"), "write"
    ),
    **dict.fromkeys(("sqs.SendMessage", "sqs.SendMessageBatch", "sns.Publish", "sns.PublishBatch"), "write"),
    **dict.fromkeys(("kinesis.PutRecord", "kinesis.PutRecords", "firehose.PutRecord", "firehose.PutRecordBatch"), "write"),
    **dict.fromkeys(("s3.CopyObject", "s3.UploadPartCopy"), "copy"),
    **dict.fromkeys(("s3.DeleteObject", "s3.DeleteObjects", "dynamodb.DeleteItem", "sqs.DeleteMessage"), "delete"),
    "sqs.DeleteMessageBatch": "delete",
    "dynamodb.GetItem": "lookup",
}


@dataclass
class _Call:
    """One call of a service: what is asked for, and what was sent."""

    service: str
    operation: str
    params: Mapping[str, Any]
    sent_bytes: int | None = None
    host: str = ""
    port: int | None = None
    scheme: str = ""
    handle: Handle = field(default=INERT)

    @property
    def key(self) -> str:
        """Service and operation: `s3.GetObject`."""
        return f"{self.service}.{self.operation}"

    @property
    def does(self) -> str:
        """What it does with the data."""
        known = _OPERATIONS.get(self.key)
        return known or ("lookup" if self.operation.startswith(("Head", "List", "Get", "Describe")) else "call")

    @property
    def place(self) -> str:
        """Where the data is: `s3:bucket`, `sqs:queue`."""
        return f"{self.service}:{self._name()}" if self._name() else self.service

    @property
    def asset(self) -> str | None:
        """Identity of the data: an object, a table, a queue."""
        name = self._name()
        if not name:
            return None
        key = self.params.get("Key") if self.service == "s3" else None
        return f"{self.service}://{name}/{key}" if key else f"{self.service}://{name}" if self.service != "s3" else None

    @property
    def is_aws(self) -> bool:
        """Whether it is Amazon that answers, and not a server of the same interface."""
        return self.host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))

    def sends(self, request: Any) -> None:
        """Note the size of a prepared request and where it goes. A second try replaces the first."""
        parts = urlsplit(request.url)
        self.host, self.port, self.scheme = parts.hostname or "", parts.port, parts.scheme
        length = request.headers.get("X-Amz-Decoded-Content-Length") or request.headers.get("Content-Length")
        self.sent_bytes = int(length) if length is not None else 0 if request.body is None else None

    def _name(self) -> str:
        said = self.params
        match self.service:
            case "s3":
                return str(said.get("Bucket") or "")
            case "dynamodb":
                tables = [*(said.get("RequestItems") or ())]
                return _last(said.get("TableName") or (tables[0] if len(tables) == 1 else ""))
            case "sqs":
                return _last(said.get("QueueUrl"))
            case "sns":
                return _last(said.get("TopicArn") or said.get("TargetArn"))
        return _last(said.get("StreamName") or said.get("StreamARN") or said.get("DeliveryStreamName"))


def _last(name: Any) -> str:
    """The name at the end of a URL or an ARN."""
    return str(name or "").rpartition("/")[2].rpartition(":")[2]


_asked: ContextVar[tuple[str, Any] | None] = ContextVar("tollbook_boto3_asked", default=None)
_running: ContextVar[_Call | None] = ContextVar("tollbook_boto3_running", default=None)


def _ask(wrapped: Callable[..., Any], _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`_make_api_call`: remember the parameters as the application gave them."""
    with shielded("look at a call of AWS"):
        _asked.set((args[0], dict(args[1])))  # botocore puts other objects into it
    return wrapped(*args, **kwargs)


def _begun(client: Any, args: tuple[Any, ...]) -> _Call | None:
    with shielded("begin a call of AWS"):
        asked, operation = _asked.get(), args[0].name
        _asked.set(None)
        service = client.meta.service_model.service_name
        if service not in _SERVICES:
            return None
        params = asked[1] if asked and asked[0] == operation and isinstance(asked[1], Mapping) else {}
        call = _Call(service, operation, params)
        call.handle = _HANDOVERS[call.does].begin(
            f"{client.meta.service_model.service_id}.{operation}", _said(call), measures_cpu=False
        )
        if call.handle is INERT:
            return None
        cover(call.handle)
        return call
    return None


def _said(call: _Call) -> dict[str, Value | None]:
    place = call.place
    said: dict[str, Value | None] = {A.RPC_SYSTEM_NAME: "aws-api"}
    if call.does == "copy":
        said[A.TOLLBOOK_HANDOFF_SOURCE] = f"s3:{_copied_from(call.params)[0]}"
    said[A.TOLLBOOK_HANDOFF_SOURCE if call.does in _COMES_IN else A.TOLLBOOK_HANDOFF_DESTINATION] = place
    if call.service in {"sqs", "sns"}:
        said[A.TOLLBOOK_HANDOFF_DELIVERY] = "exactly_once" if place.endswith(".fifo") else "at_least_once"
    elif call.service in {"kinesis", "firehose"}:
        said[A.TOLLBOOK_HANDOFF_DELIVERY] = "at_least_once"
    return said


def _copied_from(params: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """Bucket, key and version that a copy is made of."""
    source = params.get("CopySource")
    if isinstance(source, Mapping):
        return str(source.get("Bucket")), str(source.get("Key")), source.get("VersionId")
    path, _mark, version = str(source).partition("?versionId=")
    bucket, _slash, key = unquote(path).lstrip("/").partition("/")
    return bucket, key, version or None


def _call(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`_make_request`, inside of `_make_api_call`: the request, its tries and the answer."""
    call = _begun(client, args)
    if call is None:
        return wrapped(*args, **kwargs)
    with ending(call.handle) as end:
        token = _running.set(call)
        try:
            with call.handle:
                http, parsed = wrapped(*args, **kwargs)
        finally:
            _running.reset(token)
        if _answered(call, http, parsed):
            end.elsewhere()
    return http, parsed


async def _call_async(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The same for aiobotocore."""
    call = _begun(client, args)
    if call is None:
        return await wrapped(*args, **kwargs)
    with ending(call.handle) as end:
        _running.set(call)
        http, parsed = await Steps(wrapped(*args, **kwargs), call.handle)
        if _answered(call, http, parsed, content=False):
            end.elsewhere()
    return http, parsed


def _sent(wrapped: Callable[..., Any], _endpoint: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`_send` of an endpoint, for each try."""
    call = _running.get()
    if call is not None:
        with shielded("size a request to AWS"):
            call.sends(args[0] if args else kwargs["request"])
    return wrapped(*args, **kwargs)


def _answered(call: _Call, http: Any, parsed: Any, content: bool = True) -> bool:
    """Say what the answer tells; whether its body is still to be read."""
    with shielded("describe an answer of AWS"):
        handle = call.handle
        handle.set(A.HTTP_RESPONSE_STATUS_CODE, int(http.status_code))
        _say_place(call)
        if http.status_code >= 300:
            handle.fail(str(parsed.get("Error", {}).get("Code") or http.status_code))
            return False
        _SAY.get(call.service, _say_queue)(call, parsed)
        body = parsed.get("Body") if call.key == "s3.GetObject" else None
        if body is not None:
            return _follow(call, body, parsed.get("ContentLength"))
        if call.service in {"s3", "dynamodb"} and call.does != "copy" and call.sent_bytes is not None:
            handle.bytes(call.sent_bytes + (len(http.content) if content else 0))
    return False


def _say_place(call: _Call) -> None:
    """Where it went, as the last try tells."""
    region = (region_of(call.host) if call.is_aws else None) or None
    port = call.port or {"http": 80, "https": 443}.get(call.scheme)
    said: dict[str, Value | None] = {
        A.SERVER_ADDRESS: call.host or None,
        A.SERVER_PORT: port,
        A.TOLLBOOK_HANDOFF_NETWORK: "loopback" if call.host and hosts.is_this_machine(call.host) else None,
        A.TOLLBOOK_HANDOFF_SOURCE_REGION if call.does == "read" else A.TOLLBOOK_HANDOFF_DESTINATION_REGION: region,
    }
    call.handle.span.set_attributes({key: value for key, value in said.items() if value is not None})


def _say_object(call: _Call, parsed: Mapping[str, Any]) -> None:
    if call.asset is None:
        return
    etag = str(parsed.get("ETag") or "").strip('"') or None
    changed = parsed.get("LastModified")
    asset = Asset(call.asset, parsed.get("VersionId") or etag, changed if isinstance(changed, datetime) else None)
    if call.does == "copy":
        bucket, key, version = _copied_from(call.params)
        call.handle.asset(Asset(f"s3://{bucket}/{key}", version))
    elif call.does == "read":
        call.handle.asset(asset)
    else:
        call.handle.span.set_attributes(asset.attributes())  # a lookup of what is there reads none of it
    if call.operation == "PutObject":
        if call.is_aws:
            stored = str(call.params.get("StorageClass") or "STANDARD").lower().replace("_", "-")
            call.handle.set(A.TOLLBOOK_STORAGE_CLASS, f"s3-{stored}").set(A.TOLLBOOK_STORAGE_PROVIDER, "aws")
        body = call.params.get("Body")
        if isinstance(body, bytes | bytearray | str) and 0 < len(body) <= digest.MAX_BYTES:
            call.handle.content(body)


def _say_table(call: _Call, parsed: Mapping[str, Any]) -> None:
    if call.asset is not None and call.does != "delete":
        call.handle.asset(call.asset)
    match call.operation:
        case "GetItem":
            call.handle.records(1 if parsed.get("Item") else 0)
        case "Query" | "Scan":
            call.handle.records(parsed["Count"])
        case "BatchGetItem":
            call.handle.records(sum(len(items) for items in parsed["Responses"].values()))
        case "PutItem" | "UpdateItem" | "DeleteItem":
            call.handle.records(1)
        case "BatchWriteItem":
            left = sum(len(items) for items in (parsed.get("UnprocessedItems") or {}).values())
            call.handle.records(sum(len(items) for items in call.params["RequestItems"].values()) - left)


def _say_queue(call: _Call, parsed: Mapping[str, Any]) -> None:
    """Messages and records of a stream, whose bytes are those of their bodies."""
    if call.does not in {"read", "write"}:
        return
    batch = _batch_read(parsed) if call.does == "read" else _batch_written(call.params)
    failed = parsed.get("FailedRecordCount") or parsed.get("FailedPutCount") or len(parsed.get("Failed") or ())
    sizes = [_body_size(item) for item in batch]
    if None not in sizes:
        call.handle.bytes(sum(size for size in sizes if size is not None))
    call.handle.records(len(batch) - failed)
    told = batch if call.does == "read" else parsed.get("Successful") or [parsed]
    if len(told) == 1 and (event_id := told[0].get("MessageId") or told[0].get("SequenceNumber")):
        call.handle.set(A.TOLLBOOK_EVENT_ID, str(event_id))
    if call.asset is not None:
        moments = [_sent_at(item) for item in batch] if call.does == "read" and batch else [None]
        for moment in moments:
            call.handle.asset(Asset(call.asset, event_time=moment))


def _batch_read(parsed: Mapping[str, Any]) -> list[Any]:
    return list(parsed.get("Messages") or parsed.get("Records") or ())


def _batch_written(params: Mapping[str, Any]) -> list[Any]:
    several = params.get("Entries") or params.get("PublishBatchRequestEntries") or params.get("Records")
    return list(several or [params.get("Record") or params])


def _body_size(item: Mapping[str, Any]) -> int | None:
    body = next((item[name] for name in ("MessageBody", "Body", "Message", "Data") if name in item), None)
    return len(body.encode()) if isinstance(body, str) else len(body) if isinstance(body, bytes | bytearray) else None


def _sent_at(item: Mapping[str, Any]) -> datetime | int | None:
    arrived = item.get("ApproximateArrivalTimestamp")
    if isinstance(arrived, datetime):
        return arrived
    sent_ms = (item.get("Attributes") or {}).get("SentTimestamp")
    return int(sent_ms) * 1_000_000 if sent_ms else None


_SAY: Final[Mapping[str, Callable[[_Call, Mapping[str, Any]], None]]] = {"s3": _say_object, "dynamodb": _say_table}


def _follow(call: _Call, body: Any, length: Any) -> bool:
    """Count what is read of a body, where its stream is found; whether it is."""
    answer = getattr(body, "__wrapped__", None)
    if answer is not None and hasattr(answer, "content"):  # aiobotocore 2: a proxy of aiohttp's answer
        answer.content = _Stream.over(answer.content, _Reading(call, length))
    elif inspect.iscoroutinefunction(type(body).read):  # aiobotocore 3: all else stands on this one
        reading = _Reading(call, length)
        body.read = _reading_async(body, reading)
        weakref.finalize(body, reading.end)
    elif hasattr(body, "_raw_stream"):
        body._raw_stream = _Stream.over(body._raw_stream, _Reading(call, length))
    else:
        return False
    return True


def _reading_async(body: Any, reading: "_Reading") -> Callable[..., Any]:
    theirs, held = type(body).read, weakref.ref(body)

    async def counted(body: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        data = await theirs(body, *args, **kwargs)
        with shielded("count an object of S3"):
            reading.read(data) if data else reading.end()
        return data

    def read(*args: Any, **kwargs: Any) -> Any:
        return counted(held(), args, kwargs)

    return read


class _Reading:
    """The body of an object while it is read: it ends the span when it is read to its end, closed or thrown away."""

    def __init__(self, call: _Call, length: Any) -> None:
        self._handle = call.handle
        self._length = length if isinstance(length, int) else None
        self._count = 0
        self._parts: list[bytes] | None = []
        self._ended = False
        self._held = Held.on(call.handle.span) if isinstance(call.handle, Joined) else None

    def read(self, data: Any) -> None:
        """Count what was read."""
        self._count += len(data)
        self._handle.until_now()
        if self._parts is not None:
            self._parts.append(bytes(data))
            if self._count > digest.MAX_BYTES:
                self._parts = None
        if self._length is not None and self._count >= self._length:
            self.end()

    def end(self, error: BaseException | None = None) -> None:
        """Say what was read, once."""
        if self._ended:
            return
        self._ended = True
        with shielded("end an object of S3"):
            self._handle.bytes(self._count)
            if self._parts and self._count == self._length:
                self._handle.content(b"".join(self._parts))
            self._parts = None
            self._handle.end(error)
            if self._held is not None:
                self._held.release(self._handle._left_ns)


class _Stream(wrapt.ObjectProxy):  # type: ignore[type-arg]  # wrapt 1 has no type arguments
    """The raw body of an answer, counted as it is read."""

    _self_reading: _Reading

    @classmethod
    def over(cls, stream: Any, reading: _Reading) -> "_Stream":
        """A stream that tells what is read of it, and ends the reading at the latest when it is thrown away."""
        made = cls(stream)
        made._self_reading = reading
        weakref.finalize(made, reading.end)
        return made

    def read(self, *args: Any, **kwargs: Any) -> Any:
        try:
            data = self.__wrapped__.read(*args, **kwargs)
        except OSError as error:
            self._self_reading.end(error)
            raise
        if hasattr(data, "__await__"):
            return self._awaited(data)
        self._count(data, bool(args and args[0] != 0) or not args)
        return data

    async def _awaited(self, reading: Any) -> Any:
        data = await reading
        self._count(data, True)
        return data

    def readinto(self, buffer: Any) -> Any:
        count = self.__wrapped__.readinto(buffer)
        self._count(memoryview(buffer).cast("B")[: count or 0], len(buffer) > 0)
        return count

    def readlines(self, *args: Any) -> Any:
        lines = self.__wrapped__.readlines(*args)
        self._count(b"".join(lines), True)
        return lines

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for data in self.__wrapped__.stream(*args, **kwargs):
            self._count(data, True)
            yield data

    def close(self) -> Any:
        self._self_reading.end()
        return self.__wrapped__.close()

    def _count(self, data: Any, asked: bool) -> None:
        with shielded("count an object of S3"):
            if len(data):
                self._self_reading.read(data)
            elif asked:
                self._self_reading.end()


class Boto3Instrumentor(Integration):
    """Instruments botocore, which boto3 and aiobotocore stand on."""

    library = "botocore"
    wrappers: ClassVar = {
        "botocore.client": {"BaseClient._make_api_call": _ask, "BaseClient._make_request": _call},
        "botocore.endpoint": {"Endpoint._send": _sent},
        "aiobotocore.client": {"AioBaseClient._make_api_call": _ask, "AioBaseClient._make_request": _call_async},
        "aiobotocore.endpoint": {"AioEndpoint._send": _sent},
    }
