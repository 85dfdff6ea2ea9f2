"""Secrets, e-mail addresses and card numbers in text, and text without them. Pure.

Keys are known by their issuers' prefixes, which are public; what follows a name such as `password=` is one whatever it looks
like. In prose, where no id has to stay whole, anything shaped like a key with a prefix counts as one too.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
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
_HAS_SPACE: Final = re.compile(r"\\[sWD]|\[\^|[ ]")
"""In a format that white space may be in."""
_IN_WORDS: Final = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(form for form in _formats() if not _HAS_SPACE.search(form))})")
_ACROSS_WORDS: Final = re.compile("|".join(["-----BEGIN ", *filter(_HAS_SPACE.search, _formats())]), re.DOTALL)
_SHAPED: Final = re.compile(
    r"(?<![A-Za-z0-9_/.-])(?=[A-Za-z0-9_.-]*\d)[A-Za-z][A-Za-z0-9]{1,14}[_-](?:[A-Za-z0-9]{1,12}[_-]){0,3}[A-Za-z0-9_]{20,}"
)
_RANDOM: Final = re.compile(
    r"(?<![A-Za-z0-9+/=_-])(?<!;base64,)(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*\d)"
    r"[A-Za-z0-9+/_-]{40,400}={0,2}(?![A-Za-z0-9+/_=-])"
)
_SCHEMES: Final = ("bearer", "basic", "digest", "negotiate", "apikey", "token", "splunk", "hawk", "ssws", "geniekey")
_NAMES: Final = ("key", "secret", "pass", "pwd", "token", "authorization", "cookie", "credential", "signature")
"""Words without which a pattern need not be tried: looking for them is quicker."""
_NAME_ENDS: Final = (
    "key", "secret", "password", "passwd", "pwd", "passphrase", "token", "credential", "credentials", "cookie", "authorization",
    "signature",
)  # fmt: skip
"""Ends of all names that are followed by a secret."""
_BETWEEN: Final = " \t\r\n\f\v\"'\\"
_SEPARATOR: Final = re.compile("[:=]")
LONG_WORD: Final = 12
"""No key, and no token behind a scheme, is shorter."""
ONE_LINE: Final = 64
"""Text up to this many characters is looked at as a whole."""
_BEARER: Final = re.compile(
    r"\b(bearer|basic|digest|negotiate|apikey|token|splunk|hawk|ssws|geniekey)(\s+)(?=[^\s]*[\d=])[A-Za-z0-9._~+/=:-]{12,}",
    re.IGNORECASE,
)
_ASSIGNED: Final = re.compile(
    r"""(
        (?: api[_-]?key | apikey | secret (?:[_-]?(?:access)?[_-]?key)? | passw(?:or)?d | pwd | passphrase
        | (?:access|auth|refresh|id|session|bearer|security) [_-]? token | client[_-]?secret | credentials? | cookie
        | (?:private|account|encryption|signing|subscription|application|master|shared[_-]?access) [_-]? key
        | (?:proxy-)? authorization
        | x-[a-z-]* (?:key|token|secret|signature) )
        \\* ["']? \s* (?: [:=] | => ) \s* \\* ["']?
    )
    (?! \s | \[secret\] | (?:bearer|basic|digest|negotiate|apikey|token|splunk|hawk|ssws|geniekey)\s ) [^\s"'&,;<>]{4,}""",
    re.IGNORECASE | re.VERBOSE,
)
_QUERIED: Final = re.compile(
    r"""( [?&;] (?: key | token | s?v?ig | signature | code | auth | pass | jwt | sas
        | x-amz-(?:signature|credential|security-token) | x-goog-(?:signature|credential) ) = ) [^&\s"'\#]+""",
    re.IGNORECASE | re.VERBOSE,
)
_USERINFO: Final = re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+(?=@)")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}")
_CARD: Final = re.compile(r"[2-6](?<![\w.-].)\d(?:[ -]?\d){11,17}(?![\w-])")  # a digit first: what is none is skipped quickly
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
    """The text with its secrets replaced. Long text has few words that can be keys: only those are looked at first."""
    if len(text) <= ONE_LINE:
        words, suspects = [text], text
        has_keys = _SECRETS.search(text)
    else:
        words = text.split()
        suspects = " ".join([word for word in words if len(word) >= LONG_WORD])
        has_keys = _ACROSS_WORDS.search(text) or (_IN_WORDS.search(suspects) if suspects else None)
    if has_keys:
        text = _SECRETS.sub(SECRET, text)
    if "@" in text and "://" in text:
        text = _USERINFO.sub(rf"\1{SECRET}", text)
    lowered = text.lower()
    if suspects and any(word in lowered for word in _SCHEMES) and (len(words) == 1 or _follows_scheme(words)):
        text = _BEARER.sub(rf"\1\2{SECRET}", text)
    if ("=" in text or ":" in text) and any(word in lowered for word in _NAMES) and _assigns(lowered):
        text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    if "=" in text:
        text = _QUERIED.sub(rf"\1{SECRET}", text)
    if prose and suspects and (has_keys or _SHAPED.search(suspects) or _RANDOM.search(suspects)):
        text = _RANDOM.sub(SECRET, _SHAPED.sub(SECRET, text))
    return text


def _follows_scheme(words: list[str]) -> bool:
    """Whether a word that may be a token comes after one such as `Bearer`."""
    return any(len(word) >= LONG_WORD and before.lower().endswith(_SCHEMES) for before, word in pairwise(words))


def _assigns(lowered: str) -> bool:
    """Whether a `:` or `=` stands behind what may be the name of a secret."""
    for found in _SEPARATOR.finditer(lowered):
        place = found.start()
        before = lowered[max(0, place - 64) : place].rstrip(_BETWEEN)
        if before.endswith(_NAME_ENDS) or (len(before) < 16 and place > 64):  # much space may hide where the name begins
            return True
    return False


def _card(found: "re.Match[str]") -> str:
    """A number that Luhn's sum allows is a card's."""
    digits = [int(letter) for letter in found[0] if letter.isdigit()]
    doubled = [number * 2 - 9 * (number > 4) for number in digits[-2::-2]]
    return found[0] if (sum(digits[::-2]) + sum(doubled)) % 10 else CARD
