"""Whether a model name is one that the price list's clauses mean. Pure.

The list says `starts with claude-sonnet-4-5` to take in dates and versions; so read, it takes `claude-sonnet-4-55` and
`claude-sonnet-4-5-turbo` too. Here a clause takes what it names, a region or a path before it, and a version or a date after it.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import MatchLogic

VERSION = re.compile(
    r"(?:[-@:.]?(?:"
    r"(?:v\d+[-@])?20\d{2}-?\d{2}-?\d{2}(?:-v\d+)?"  # 2025-09-29, 20250929, 20250929-v1, v2@20241022
    r"|\d{2}-\d{2}|\d{2}-20\d{2}"  # 05-06, 08-2024
    r"|\d{3,4}"  # 001, 0709
    r"|(?:v\d+)?:\d+"  # v1:0
    r"|latest|default|preview|exp|experimental|beta|stable"
    r"))*(?::\d+k)?(?:\[1m\])?"
)
"""What may follow a model's name without making it another model: dates, versions, a stage, a context length."""

FINE_TUNED = re.compile(r"(?::[^/:]*){0,3}")
"""What follows the base of a fine-tuned model's name: organization, name and id of the tuning."""

UNFINISHED = re.compile(r"(?:@|[-@]0|[-@]20\d{0,2}|[-@]20\d{2}-?|:)$")
"""A clause that ends within a date or a version."""

OPEN = re.compile(r"(?<=\.ft-)[\w-]+|(?<=-)\d+(?:\.\d+)?b(?:-it|-instruct)?")
"""What a clause that ends in a dash leaves open: the id of a tuning (`….ft-0a1b`), a size (`gemma-3-27b-it`)."""

BEFORE = re.compile(r"(?:.*[/:.])?")
"""What may stand before a model's name: a path, a region, a maker."""

PRICED_BY_THE_HOUR = re.compile(r":(?:custom-model|custom-model-deployment|provisioned-model|imported-model)/")
"""Models of one's own on Bedrock: their names hold that of the model that they were made of."""


def means(clause: "MatchLogic", name: str) -> bool:
    """Whether a clause of the list means this name, in small letters."""
    if PRICED_BY_THE_HOUR.search(name):
        return False
    for each, all_of in ((getattr(clause, "or_", None), any), (getattr(clause, "and_", None), all)):
        if each is not None:
            return all_of(means(part, name) for part in each)
    return _means(clause, name)


def _means(clause: Any, name: str) -> bool:
    kind, [text] = type(clause).__name__, [str(value).lower() for value in vars(clause).values()]
    if kind == "ClauseStartsWith":
        return name.startswith(text) and _ends(text, name[len(text) :])
    if kind == "ClauseEndsWith":
        return name.endswith(text) and BEFORE.fullmatch(name[: -len(text)]) is not None
    if kind == "ClauseContains":
        return any(BEFORE.fullmatch(name[:at]) and _ends(text, name[at + len(text) :]) for at in _places(text, name))
    return bool(clause.is_match(name))


def _places(text: str, name: str) -> list[int]:
    return [at for at in range(len(name)) if name.startswith(text, at)]


def _ends(text: str, rest: str) -> bool:
    """Whether a name may end so after what the clause names."""
    tuned = ""
    if OPEN.fullmatch(text + rest, len(text)):
        return True
    if text.startswith("ft:"):
        rest, colon, tuning = rest.partition(":")
        tuned = colon + tuning
    begun = UNFINISHED.search(text)
    if begun and rest[:1].isdigit():
        rest = begun.group() + rest
    elif rest[:1].isdigit():
        return False
    return VERSION.fullmatch(rest) is not None and FINE_TUNED.fullmatch(tuned) is not None
