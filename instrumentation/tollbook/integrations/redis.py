"""Redis: a span for each command and each pipeline, with the bytes of its values, hits and misses, and no key in the clear."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest, hosts
from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Handover, Integration, Wrapper
from tollbook.shield import shielded
from tollbook.steps import Steps, ending

_DIGESTED_FROM_BYTES: Final = 64
"""Shorter values, such as flags and counters, are the same by chance."""
_PREFIX: Final = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,31}(?=:)")


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_UNSEEN: Final = _names(
    "ACL ASKING AUTH CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG DISCARD ECHO EXEC FLUSHALL FLUSHDB HELLO HIMPORT INFO "
    "LATENCY MEMORY MODULE MONITOR MULTI OBJECT PING PSUBSCRIBE PUBSUB PUNSUBSCRIBE QUIT READONLY READWRITE RESET "
    "ROLE SCRIPT SELECT SENTINEL SLOWLOG SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SWAPDB TIME UNSUBSCRIBE UNWATCH WAIT WATCH "
)
"""Commands about the connection or the server, which move no data."""
_LOOKUPS: Final = _names(
    "BITCOUNT EXISTS EXPIRETIME GEODIST GET GETBIT HEXISTS HGET HLEN HSTRLEN LINDEX LLEN LPOS PFCOUNT PTTL SCARD "
    "SISMEMBER STRLEN TTL TYPE XLEN ZCARD ZCOUNT ZRANK ZREVRANK ZSCORE JSON.GET VSIM FT.SEARCH FT.AGGREGATE "
)
_READS: Final = _names(
    "BLMPOP BLPOP BRPOP BZPOPMAX BZPOPMIN DUMP GETDEL GETEX GETRANGE HGETALL HKEYS HMGET HRANDFIELD HSCAN HVALS "
    "JSON.MGET KEYS LMPOP LPOP LRANGE MGET RANDOMKEY RPOP SCAN SDIFF SINTER SMEMBERS SMISMEMBER SORT_RO SPOP "
    "SRANDMEMBER SSCAN SUBSTR SUNION XAUTOCLAIM XCLAIM XRANGE XREAD XREADGROUP XREVRANGE ZMSCORE ZPOPMAX ZPOPMIN "
    "ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZSCAN "
)
_DELETES: Final = _names("DEL HDEL LREM LTRIM SREM UNLINK XDEL XTRIM ZREM ZREMRANGEBYSCORE ")
_COPIES: Final = frozenset({"COPY", "RENAME", "BLMOVE", "LMOVE", "RPOPLPUSH", "BRPOPLPUSH", "SMOVE"})
_CALLS: Final = frozenset({"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"})

_VALUE_PLACE: Final[Mapping[str, int]] = {
    "SET": 2,
    "SETNX": 2,
    "GETSET": 2,
    "APPEND": 2,
    "PUBLISH": 2,
    "SPUBLISH": 2,
    "SETEX": 3,
    "PSETEX": 3,
}
"""Where a command's one value stands, whose options are no payload."""

_BENEATH: Final = ("opentelemetry.instrumentation.redis",)
_HANDOVERS: Final = {
    operation: Handover(operation, beneath=_BENEATH, attributes={A.DB_SYSTEM_NAME: "redis"})
    for operation in ("read", "write", "copy", "lookup", "delete", "call")
}
_ORDER: Final = ("write", "copy", "delete", "read", "call", "lookup")
"""What a pipeline does is the first of what its commands do."""


def _operation(name: str) -> str:
    for operation, names in (("lookup", _LOOKUPS), ("read", _READS), ("delete", _DELETES), ("copy", _COPIES), ("call", _CALLS)):
        if name in names:
            return operation
    return "write"


def _name_of(command: Sequence[Any]) -> str:
    name = command[0]
    name = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return name.partition(" ")[0].upper()


def _text(value: Any) -> bytes:
    """A value as it is sent."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode(errors="surrogatepass")


def _length(value: Any) -> int:
    if isinstance(value, bytes | bytearray):
        return len(value)
    return value.nbytes if isinstance(value, memoryview) else len(_text(value))


def _values(name: str, command: Sequence[Any]) -> Sequence[Any]:
    """The values that a command hands over: neither its keys, nor its options where these are known."""
    place = _VALUE_PLACE.get(name)
    if place is not None:
        return command[place : place + 1]
    if name in {"MSET", "MSETNX"}:
        return command[2::2]
    return command[2:] if _operation(name) in {"write", "call"} else ()


def _received(reply: Any) -> int:
    """Bytes of the strings in a reply."""
    if isinstance(reply, bytes):
        return len(reply)
    if isinstance(reply, str):
        return len(reply) if reply.isascii() else len(reply.encode(errors="surrogatepass"))
    if isinstance(reply, Mapping):
        return sum(_received(key) + _received(value) for key, value in reply.items())
    return sum(map(_received, reply)) if isinstance(reply, list | tuple | set | frozenset) else 0


def _records(name: str, command: Sequence[Any], reply: Any) -> int | None:
    """Records that a command moved: of what is asked for, those that there are."""
    operation = _operation(name)
    if operation in {"lookup", "read"}:
        if reply is None or reply is False:
            return 0
        if isinstance(reply, list | tuple | set | frozenset):
            return sum(item is not None for item in reply)
        return len(reply) if isinstance(reply, Mapping) else int(bool(reply) or not isinstance(reply, int))
    if operation == "delete":
        return reply if isinstance(reply, int) and not isinstance(reply, bool) else None
    if name in {"MSET", "MSETNX", "HSET", "HMSET", "XADD"}:
        return 1 if name == "XADD" else len(command[1 if name.startswith("M") else 2 :]) // 2
    return (
        len(command) - 2
        if name in {"LPUSH", "RPUSH", "SADD", "LPUSHX", "RPUSHX", "PFADD"}
        else None
        if operation == "call"
        else 1
    )


def _pattern(key: Any) -> str:
    """What a key says of its kind: `user:*` of `user:17:cart`; no more, it may be a name."""
    text = _text(key).decode(errors="replace")
    prefix = _PREFIX.match(text)
    return f"{prefix.group()}:*" if prefix else "*"


def _place(connection: Any) -> tuple[str, int | None]:
    connection = getattr(connection, "_conn", connection)
    host = getattr(connection, "host", None) or getattr(connection, "path", None) or ""
    port = getattr(connection, "port", None)
    return str(host), int(port) if port is not None and getattr(connection, "host", None) else None


class _Exchange:
    """One command or pipeline, and its answer."""

    def __init__(self, handle: Handle, commands: Sequence[Sequence[Any]], host: str, database: Any) -> None:
        self.handle = handle
        self._commands = commands
        self._where = f"redis://{host}/{database or 0}"

    def answered(self, replies: Sequence[Any]) -> None:
        """Say what was moved."""
        with shielded("size an answer of redis"):
            names = [_name_of(command) for command in self._commands]
            told = list(zip(names, self._commands, replies, strict=False))
            sent = sum(_length(value) for name, command, _reply in told for value in _values(name, command))
            self.handle.bytes(sent + sum(_received(reply) for _name, _command, reply in told))
            counts = [_records(name, command, reply) for name, command, reply in told]
            if counts and None not in counts:
                self.handle.records(sum(count for count in counts if count is not None))
            self._say_asset(told)

    def _say_asset(self, told: Sequence[tuple[str, Sequence[Any], Any]]) -> None:
        keys = {_text(command[1]) for name, command, _reply in told if len(command) > 1 and name not in _CALLS}
        patterns = {_pattern(key) for key in keys}
        if len(patterns) != 1:
            return
        asset = f"{self._where}/{patterns.pop()}"
        found = any(_received(reply) for _name, _command, reply in told)
        if len(keys) == 1 and not _asks_several(told):
            asset += f"#{digest.digest([*keys])[:16]}"
        if found or not all(_operation(name) in {"lookup", "read"} for name, _command, _reply in told):
            self.handle.asset(asset)
        else:
            self.handle.set(A.TOLLBOOK_ASSET_ID, asset)  # a miss reads nothing
        self._say_content(told)

    def _say_content(self, told: Sequence[tuple[str, Sequence[Any], Any]]) -> None:
        if len(told) != 1:
            return
        name, command, reply = told[0]
        content = reply if name == "GET" else command[_VALUE_PLACE[name]] if name in _VALUE_PLACE else None
        if isinstance(content, str | bytes) and _DIGESTED_FROM_BYTES <= len(content) <= digest.MAX_BYTES:
            self.handle.content(content)


def _asks_several(told: Iterable[tuple[str, Sequence[Any], Any]]) -> bool:
    return any(
        name in {"MGET", "MSET", "MSETNX", "EXISTS", "DEL", "UNLINK"} and len(command) > 3 for name, command, _reply in told
    )


def _begun(asked: "_Asked", bound: Any, args: tuple[Any, ...], measures_cpu: bool) -> _Exchange | None:
    """The span of what is asked, if that is anything to see."""
    with shielded("begin a command of redis"):
        connection, commands = asked(bound, args)
        names = [_name_of(command) for command in commands]
        operations = {_operation(name) for name in names if name not in _UNSEEN}
        if not operations:
            return None
        operation = next(kind for kind in _ORDER if kind in operations)
        name = names[0] if len(names) == 1 else "PIPELINE"
        host, port = _place(connection)
        said: dict[str, Value | None] = {
            A.TOLLBOOK_HANDOFF_SOURCE if operation in {"read", "lookup"} else A.TOLLBOOK_HANDOFF_DESTINATION: f"redis:{host}",
            A.TOLLBOOK_HANDOFF_NETWORK: "loopback" if host and hosts.is_this_machine(host) else None,
            A.SERVER_ADDRESS: host or None,
            A.SERVER_PORT: port,
            A.DB_OPERATION_NAME: name,
        }
        handle = _HANDOVERS[operation].begin(name, said, measures_cpu=measures_cpu)
        return None if handle is INERT else _Exchange(handle, commands, host, getattr(connection, "db", 0))
    return None


def _stacked(commands: Iterable[Any]) -> list[Sequence[Any]]:
    """The commands of a pipeline: pairs of arguments and options, or objects that hold their arguments."""
    return [command.args if hasattr(command, "args") else command[0] for command in commands]


_Asked = Callable[[Any, tuple[Any, ...]], tuple[Any, Sequence[Sequence[Any]]]]
"""The connection that a method asks, and its commands, by the object that the method is bound to and its arguments."""


def _command(_client: Any, args: tuple[Any, ...]) -> tuple[Any, Sequence[Sequence[Any]]]:
    """Of `_send_command_parse_response(connection, name, *command)`: one try of a command."""
    return args[0], [args[2:]]


def _commands(_client: Any, args: tuple[Any, ...]) -> tuple[Any, Sequence[Sequence[Any]]]:
    """Of `_execute_pipeline` and `_execute_transaction`, of a connection and commands: all at once."""
    return args[0], _stacked(args[1])


def _at_node(_cluster: Any, args: tuple[Any, ...]) -> tuple[Any, Sequence[Sequence[Any]]]:
    """Of `RedisCluster._execute_command(node, *command)`."""
    return args[0], [args[1:]]


def _of_node(node: Any, args: tuple[Any, ...]) -> tuple[Any, Sequence[Sequence[Any]]]:
    """Of `ClusterNode.execute_command(*command)`, of the asynchronous cluster."""
    return node, [args]


def _seen(asked: _Asked) -> Wrapper:
    """The wrapper of a method that asks `asked` and returns the reply, or the replies of several commands."""

    def wrapper(wrapped: Callable[..., Any], bound: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        exchange = _begun(asked, bound, args, measures_cpu=True)
        if exchange is None:
            return wrapped(*args, **kwargs)
        with ending(exchange.handle):
            with exchange.handle:
                reply = wrapped(*args, **kwargs)
            exchange.answered((reply or ()) if asked is _commands else [reply])
        return reply

    return wrapper


def _seen_async(asked: _Asked) -> Wrapper:
    """The same of a coroutine function."""

    async def wrapper(wrapped: Callable[..., Any], bound: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        exchange = _begun(asked, bound, args, measures_cpu=False)
        if exchange is None:
            return await wrapped(*args, **kwargs)
        with ending(exchange.handle):
            reply = await Steps(wrapped(*args, **kwargs), exchange.handle)
            exchange.answered((reply or ()) if asked is _commands else [reply])
        return reply

    return wrapper


class RedisInstrumentor(Integration):
    """Instruments redis-py, its asynchronous clients and its clients of clusters."""

    library = "redis"
    wrappers: ClassVar = {
        "redis.client": {
            "Redis._send_command_parse_response": _seen(_command),
            "Pipeline._execute_pipeline": _seen(_commands),
            "Pipeline._execute_transaction": _seen(_commands),
        },
        "redis.asyncio.client": {
            "Redis._send_command_parse_response": _seen_async(_command),
            "Pipeline._execute_pipeline": _seen_async(_commands),
            "Pipeline._execute_transaction": _seen_async(_commands),
        },
        "redis.cluster": {"RedisCluster._execute_command": _seen(_at_node)},
        "redis.asyncio.cluster": {"ClusterNode.execute_command": _seen_async(_of_node)},
    }
