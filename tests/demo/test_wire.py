"""What the intake and the model server say to each other, and the server under it."""

import http.client
import json
from email.message import Message
from threading import Thread

import pytest
from tollbook_ui.demo import loopback, wire


def test_a_document_survives_the_wire() -> None:
    assert wire.decode_question(wire.encode_question("a.bin", b"\0\xff")) == b"\0\xff"


def test_an_answer_survives_the_wire() -> None:
    assert wire.decode_answer(wire.encode_answer("python", 0.99)) == "python"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "no document in a body of 2 bytes"),
        (b"[]", "no document in a body of 2 bytes"),
        (b"no JSON", "Expecting value"),
        (b'{"content": "no base64!"}', "Only base64 data is allowed"),
    ],
)
def test_what_is_no_question_is_a_value_error(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wire.decode_question(body)


def test_a_body_that_is_no_question_is_answered_400_and_the_connection_stays() -> None:
    def answer(_: Message, body: bytes) -> bytes:
        return json.dumps(len(wire.decode_question(body))).encode()

    server = loopback.bound(answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("POST", wire.CLASSIFY, b"{}")
    response = connection.getresponse()
    assert (response.status, response.read()) == (400, b"no document in a body of 2 bytes")
    connection.request("POST", wire.CLASSIFY, wire.encode_question("a", b"abc"))
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"3")
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()
