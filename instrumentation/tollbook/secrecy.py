"""Secrets, e-mail addresses and card numbers in text, and text without them. Pure.

Keys are known by their issuers' prefixes, which are public; what follows a name such as `password=` is one whatever it looks
like. In prose, where no id has to stay whole, anything shaped like a key with a prefix counts as one too.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

SECRET, EMAIL, CARD, PHONE = "[secret]", "[email]", "[card]", "[phone]"
SHORTEST: Final = 6
"""Text below this many characters is no secret."""
PLAIN: Final = 13
"""Text below this many characters is none either, unless it has a sign of an address or of a name with its value."""

_WORD: Final = "[A-Za-z0-9_-]"


def _formats() -> list[str]:
    lines = Path(__file__).with_name("key_formats.txt").read_text(encoding="utf-8").splitlines()
    return [line.replace("<w>", _WORD) for line in lines if line and not line.startswith("#")]


_SECRETS: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?|PGP MESSAGE)-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)"
    rf"|(?<![A-Za-z0-9_])(?:{'|'.join(_formats())})",
    re.DOTALL,
)
_SHAPED: Final = re.compile(
    r"(?<![A-Za-z0-9_/.-])(?=[A-Za-z0-9_.-]*\d)[A-Za-z][A-Za-z0-9]{1,14}[_-](?:[A-Za-z0-9]{1,12}[_-]){0,3}[A-Za-z0-9_]{20,}"
)
_RANDOM: Final = re.compile(
    r"(?<![A-Za-z0-9+/=_-])(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*\d)[A-Za-z0-9+/_-]{40,}={0,2}"
)
_SCHEMES: Final = ("bearer", "basic", "digest", "negotiate", "apikey", "token")
_NAMES: Final = ("key", "secret", "pass", "pwd", "token", "authorization", "cookie", "credential", "signature")
"""Words without which a pattern need not be tried: looking for them is quicker."""
_BEARER: Final = re.compile(
    r"\b(bearer|basic|digest|negotiate|apikey|token)(\s+)(?=[^\s]*[\d=])[A-Za-z0-9._~+/=:-]{12,}", re.IGNORECASE
)
_ASSIGNED: Final = re.compile(
    r"""(
        (?: api[_-]?key | apikey | secret (?:[_-]?(?:access)?[_-]?key)? | passw(?:or)?d | pwd | passphrase
        | (?:access|auth|refresh|id|session|bearer|security) [_-]? token | client[_-]?secret | credentials? | cookie
        | (?:private|account|encryption|signing|shared[_-]?access) [_-]? key | (?:proxy-)? authorization
        | x-[a-z-]* (?:key|token|secret|signature) )
        ["']? \s* (?: [:=] | => ) \s* ["']?
    )
    (?! \s | \[secret\] | (?:bearer|basic|digest|negotiate|apikey|token)\s ) [^\s"'&,;<>]{4,}""",
    re.IGNORECASE | re.VERBOSE,
)
_QUERIED: Final = re.compile(
    r"""( [?&;] (?: key | token | s?v?ig | signature | code | auth | pass | jwt | sas
        | x-amz-(?:signature|credential|security-token) | x-goog-(?:signature|credential) ) = ) [^&\s"'\#]+""",
    re.IGNORECASE | re.VERBOSE,
)
_USERINFO: Final = re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+(?=@)")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}")
_CARD: Final = re.compile(r"(?<![\w.-])[2-6]\d(?:[ -]?\d){11,17}(?![\w-])")
_PHONE: Final = re.compile(r"(?<![\w.])(?:\+\d{1,3}(?:[ .()/-]{0,2}\d{2,8}){2,5}|\(?\d{2,5}\)?(?:[ ./-]\d{2,8}){2,4})(?![\w.])")

Clean = Callable[[str], str]


def cleaner(custom: Iterable["str | re.Pattern[str]"] = (), *, prose: bool = False) -> Clean:
    """A function that takes secrets, e-mail addresses, card numbers and what is custom out of text.

    Args:
        custom: regular expressions of one's own, or `phone` for telephone numbers.
        prose: the text is what people or models wrote, where no id has to stay whole: what looks like a key counts as one.

    Raises:
        re.error: if a custom pattern is no regular expression.
    """
    wanted = list(custom)
    phones = "phone" in wanted
    own = [re.compile(pattern) if isinstance(pattern, str) else pattern for pattern in wanted if pattern != "phone"]
    plain = not wanted

    def clean(text: str) -> str:
        if len(text) < SHORTEST or (len(text) < PLAIN and plain and not ("@" in text or "=" in text or ":" in text)):
            return text
        text = without_secrets(text, prose)
        if "@" in text:
            text = _EMAIL.sub(EMAIL, text)
        text = _CARD.sub(_card, text)
        if phones:
            text = _PHONE.sub(PHONE, text)
        for pattern in own:
            text = pattern.sub("[redacted]", text)
        return text

    return clean


def without_secrets(text: str, prose: bool) -> str:
    """The text with its secrets replaced."""
    text = _SECRETS.sub(SECRET, text)
    if "@" in text and "://" in text:
        text = _USERINFO.sub(rf"\1{SECRET}", text)
    lowered = text.lower()
    if any(word in lowered for word in _SCHEMES):
        text = _BEARER.sub(rf"\1\2{SECRET}", text)
    if ("=" in text or ":" in text) and any(word in lowered for word in _NAMES):
        text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    if "=" in text:
        text = _QUERIED.sub(rf"\1{SECRET}", text)
    if prose:
        text = _RANDOM.sub(SECRET, _SHAPED.sub(SECRET, text))
    return text


def _card(found: "re.Match[str]") -> str:
    """A number that Luhn's sum allows is a card's."""
    digits = [int(letter) for letter in found[0] if letter.isdigit()]
    doubled = [number * 2 - 9 * (number > 4) for number in digits[-2::-2]]
    return found[0] if (sum(digits[::-2]) + sum(doubled)) % 10 else CARD
