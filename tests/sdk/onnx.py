"""Tiny ONNX models, written byte by byte so that tests need no package that makes them."""

FLOAT, STRING = 1, 8


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, element: int) -> bytes:
    shape = _bytes(1, _bytes(2, "rows")) + _bytes(1, _bytes(2, "columns"))
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, element) + _bytes(2, shape)))


def model(operator: str, inputs: tuple[str, ...] = ("x",), element: int = FLOAT, graph: str = "tiny", version: int = 7) -> bytes:
    """A model of one operator that makes `y` of its inputs, each a matrix of any size."""
    node = b"".join(_bytes(1, name) for name in inputs) + _bytes(2, "y") + _bytes(4, operator)
    ports = b"".join(_bytes(11, _tensor(name, element)) for name in inputs) + _bytes(12, _tensor("y", element))
    body = _bytes(1, node) + _bytes(2, graph) + ports
    return _number(1, 8) + _bytes(2, "tollbook-tests") + _number(5, version) + _bytes(7, body) + _bytes(8, _number(2, 13))
