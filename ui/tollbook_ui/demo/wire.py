"""What the intake and the model server say to each other: JSON with the document in base64. Pure."""

import base64
import json

CLASSIFY = "/v1/classify"


def encode_question(name: str, content: bytes) -> bytes:
    """Body of POST /v1/classify."""
    return json.dumps({"name": name, "content": base64.b64encode(content).decode("ascii")}).encode()


def decode_question(body: bytes) -> bytes:
    """The document in the body of POST /v1/classify.

    Raises:
        ValueError: the body is no such question.
    """
    question = json.loads(body)
    if not isinstance(question, dict) or not isinstance(question.get("content"), str):
        raise ValueError(f"no document in a body of {len(body)} bytes")
    return base64.b64decode(question["content"], validate=True)


def encode_answer(label: str, score: float) -> bytes:
    """Body of the answer: what the document is, and how sure the model is, 0 to 1."""
    return json.dumps({"label": label, "score": score}).encode()


def decode_answer(body: bytes) -> str:
    """The label in an answer's body."""
    return str(json.loads(body)["label"])
