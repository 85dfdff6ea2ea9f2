"""Secrets in every form that their issuers document, wherever they stand in text; and text that only looks like them."""

import base64
import json
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from tollbook.secrecy import cleaner

from tests.soak.figures import Fault

LETTERS = string.ascii_letters + string.digits
ALPHABETS = {
    "U": string.ascii_uppercase + "234567",
    "H": "0123456789abcdef",
    "D": string.digits,
    "L": string.ascii_lowercase + string.digits,
    "B": LETTERS + "+/",
    "W": LETTERS + "_-",
}
SHORTEST_PART = 12
"""Random parts below that are not looked for: a region, a number of an account."""
AROUND = ("{}", "it failed with {} today", "url=https://h/p?x=1 then ({})", '["{}"]', "a\n{}\nb", "'{}', 'x'", "<b>{}</b>")
ROOT = Path(__file__).resolve().parents[2]


def formats() -> dict[str, str]:
    lines = Path(__file__).with_name("secret_formats.txt").read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines if not line.startswith("#"))


def uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def made(template: str, random: Random) -> tuple[str, list[str]]:
    """A secret of that form, and the random parts of it."""
    text, parts = "", []
    for literal, size, _, _ in string.Formatter().parse(template):
        text += literal.replace(r"\\n", "\0").replace(r"\n", "\n").replace("\0", r"\n").replace(r"\\", "\\")
        if size:
            part = uuid(random) if size == "UUID" else _part(size, random)
            parts += [part] if len(part) >= SHORTEST_PART else []
            text += part
    return text, parts


def _part(size: str, random: Random) -> str:
    """Random letters; first and last are no `_` or `-`, and one is a capital and one a digit where the alphabet has them."""
    alphabet = ALPHABETS.get(size[-1], LETTERS)
    plain = [letter for letter in alphabet if letter.isalnum()]
    letters = [random.choice(alphabet) for _ in range(int(size.rstrip("UHDLBW")))]
    for place in {0, len(letters) - 1}:
        letters[place] = random.choice(plain)
    if len(letters) > 4:
        letters[1], letters[2] = "7", random.choice([letter for letter in plain if letter.isupper()] or plain)
    return "".join(letters)


@pytest.mark.fault("S12", "secrets of every issuer's form, in text of seven kinds", "0 left, in attributes and in prose")
def test_no_part_of_a_secret_is_left(fault: Fault) -> None:
    known, rounds = formats(), fault.size(1, soak=20)
    left = {
        f"{issuer}, {'prose' if prose else 'attribute'}: {text}"
        for prose in (False, True)
        for issuer, template in known.items()
        for text in _left(cleaner(prose=prose), template, Random(issuer), rounds)
    }
    fault.found(
        f"{len(known)} forms, {len(known) * rounds * len(AROUND) * 2:,} texts: {len(left)} with a part of the secret left"
    )
    assert not left, "\n".join(sorted(left))
    assert len(known) >= 200


def _left(clean: Callable[[str], str], template: str, random: Random, rounds: int) -> Iterator[str]:
    for around in AROUND * rounds:
        secret, parts = made(template, random)
        cleaned = clean(around.replace("{}", secret))
        if any(part in cleaned for part in parts):
            yield cleaned


def _ids(random: Random) -> Iterator[str]:
    """What systems name things by."""
    for _ in range(100):
        yield uuid(random)
        yield from (random.randbytes(size).hex() for size in (4, 8, 12, 16, 20, 28, 32, 48, 64))
        yield f"sha256:{random.randbytes(32).hex()}"
        yield f"registry.example.com/team/app@sha256:{random.randbytes(32).hex()}"
        yield f"00-{random.randbytes(16).hex()}-{random.randbytes(8).hex()}-01"
        yield f"intake-{random.randbytes(5).hex()}-{_part('5L', random)}"
        yield f"01J{''.join(random.choice('0123456789ABCDEFGHJKMNPQRSTVWXYZ') for _ in range(23))}"
        yield f"chatcmpl-{_part('29', random)}"
        yield f"msg_01{_part('22', random)}"
        yield f"arn:aws:iam::{random.randrange(10**11, 10**12)}:role/team-{_part('6L', random)}"
        yield str(random.randrange(10**18, 2 * 10**18))
        yield f"2026-11-{random.randrange(1, 29):02d}T16:00:00.{random.randrange(10**6):06d}Z"
        yield f"s3://corpus/2026/{_part('8L', random)}/part-{random.randrange(10**5):05d}.parquet"
        yield f"https://example.com/{_part('8L', random)}?page={random.randrange(99)}&q=cats#top"


def _images(random: Random) -> Iterator[str]:
    for size in (300, 3_000, 30_000):
        yield json.dumps({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_base64(size, random)}"}})


def _base64(size: int, random: Random) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(size)).decode()


def _prose() -> Iterator[str]:
    """Lines that people wrote: of this project, whose own examples of secrets are left out."""
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/tollbook_*/*.py")):
        yield from (line for line in path.read_text().splitlines() if line.strip())


@pytest.mark.fault(
    "S12", "text that is no secret: ids, hashes, images, prose, code", "ids and images whole, 1 line of code in 250"
)
def test_what_is_no_secret_stays_as_it_is(fault: Fault) -> None:
    random = Random(12)
    ids, images, lines = list(_ids(random)), list(_images(random)), list(_prose())[: fault.size(4_000, soak=1_000_000)]
    lost_ids = [(text, left) for text in ids if (left := cleaner()(text)) != text]
    lost_images = [text[:60] for text in images if cleaner(prose=True)(text) != text]
    lost_lines = [(text, left) for text in lines if (left := cleaner(prose=True)(text)) != text]
    fault.found(
        f"{len(lost_ids)} of {len(ids):,} ids, {len(lost_images)} of {len(images)} images, "
        f"{len(lost_lines)} of {len(lines):,} lines of text and code changed"
    )
    assert not lost_ids
    assert not lost_images
    assert len(lost_lines) <= len(lines) / 250, lost_lines
