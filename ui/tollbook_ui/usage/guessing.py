"""What the columns are of a file that nobody mapped: a known export's, or a line to type, guessed from names and rows. Pure."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace

from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import exports
from tollbook_ui.usage.exports import Export
from tollbook_ui.usage.files import UsageFile
from tollbook_ui.usage.mapping import BILLED, CALLS, UsageMap, checked, option, suggested

MODEL = re.compile(
    r"(?:[\w.-]+[/.:])?(?:gpt|chatgpt|o[1-9]|text-embedding|claude|gemini|gemma|llama|mistral|mixtral|codestral|command|deepseek|qwen|grok|nova|"
    r"titan|phi|kimi|glm|sonar|whisper|dall-e)[\w.:@-]*",
    re.IGNORECASE,
)
"""A cell that names a model."""

MAKERS: Mapping[str, str] = {
    "gpt": "openai", "chatgpt": "openai", "o": "openai", "text-embedding": "openai", "whisper": "openai", "claude": "anthropic",
    "gemini": "google", "mistral": "mistral", "codestral": "mistral", "command": "cohere", "deepseek": "deepseek", "grok": "x-ai",
}  # fmt: skip
"""Who is likely paid for models whose names begin so."""

MOMENT = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*|1[0-9]{9}(?:[0-9]{3}){0,3}(?:\.\d+)?|"
    r".*\b\d{1,2}[ -][A-Za-z]{3}[a-z]*[ -]\d{4}\b.*"
)
"""A cell that is a time."""

WHOLE = re.compile(r"\d{1,12}(?:\.0)?")
NUMBER = re.compile(r"\$?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")

Fits = Callable[[str], object]

LIKELY: Mapping[str, tuple[str, Fits]] = {
    "timestamp": (r".", MOMENT.fullmatch),
    "model": (r".", MODEL.fullmatch),
    "cache_read_tokens": (r"cache.*(read|hit)|(read|hit).*cache|cached", WHOLE.fullmatch),
    "cache_write_tokens": (r"cache.*(writ|creat)|(writ|creat).*cache", WHOLE.fullmatch),
    "reasoning_tokens": (r"reason|think|thought", WHOLE.fullmatch),
    "input_tokens": (
        r"prompt|input|context|request.*tok|tok.*request|query.*tok|tok.*(in|read)\b|\bin.*tok|sent",
        WHOLE.fullmatch,
    ),
    "output_tokens": (
        r"completion|output|generat|response.*tok|answer.*tok|tok.*(out|written)|\bout.*tok|reply|received",
        WHOLE.fullmatch,
    ),
    "cost": (r"cost|price|spend|amount|charge|usd", NUMBER.fullmatch),
    CALLS: (r"\b(num|count|total|no|n)?.?(requests|calls)\b", WHOLE.fullmatch),
    "provider": (r"provider|vendor|supplier", re.compile(r"[A-Za-z][\w. -]*").fullmatch),
    "user": (r"user", re.compile(r".+").fullmatch),
    "team": (r"team|department|group", re.compile(r".+").fullmatch),
}
"""What a column of no known name may be: by its name, and by what the first rows say in it."""


def filled(file: UsageFile, wish: UsageMap) -> tuple[UsageMap, str]:
    """The mapping of a file that nobody mapped, and which export it is. What was set for every row goes before what columns say.

    Raises:
        BadQuestionError: it is of no known export; says what to type.
    """
    found = exports.recognized(file.columns)
    if found is None:
        raise BadQuestionError(suggestion(file, wish))
    if found.export.refused:
        raise BadQuestionError(f"{file.name} is {found.export.name}: {found.export.refused}")
    columns = {target: column for target, column in found.columns.items() if target not in wish.constants}
    constants = {target: value for target, value in found.export.constants.items() if target not in columns} | dict(
        wish.constants
    )
    whole = replace(wish, columns=columns, constants=constants, only=wish.only or found.only)
    try:
        return checked(whole), found.export.name
    except BadQuestionError as error:
        raise BadQuestionError(f"{file.name} is {found.export.name}; {error}. {_to_add(found.export, whole)}") from error


def suggestion(file: UsageFile, wish: UsageMap) -> str:
    """What to tell somebody who has named no columns."""
    columns = f"{file.name} is no export that is known by its columns: {file.shown()}"
    found = guessed(file)
    if not found:
        return f"{columns}; none of these looks like what a call has: say what they are with --map, see tollbook import targets"
    return f"{columns}. If these are what they seem, type:\n{_line(file, found, wish.constants)}"


def guessed(file: UsageFile) -> dict[str, str]:
    """The target that each column seems to be, by known names first, then by likely names and what the first rows say."""
    found = suggested(file.columns)
    if "usage" in found:
        return found
    whole = {column for column in file.columns if any(other.startswith(f"{column}.") for other in file.columns)}
    for target, (named, fits) in LIKELY.items():
        if target in found or (target == "input_tokens" and "uncached_input_tokens" in found):
            continue
        free = [column for column in file.columns if column not in {*found.values(), *whole} and _fit(file, column, fits)]
        names = [column for column in free if re.search(named, _spaced(column))]
        if names:
            found[target] = max(names, key=lambda column: "token" in column.lower()) if target in BILLED else names[0]
    rest = [column for column in file.columns if "tok" in column.lower() and column not in found.values()]
    rest = [column for column in rest if _fit(file, column, WHOLE.fullmatch) and "total" not in column.lower()]
    if not {"input_tokens", "uncached_input_tokens", "output_tokens"} & found.keys():
        found |= dict(zip(("input_tokens", "output_tokens"), rest, strict=False))
    return found


def _fit(file: UsageFile, column: str, fits: Fits) -> bool:
    """Whether all that the first rows say in a column is of a kind; a file whose rows are not known tells by its names alone."""
    said = [row[column].strip() for row in file.first if row.get(column, "").strip()]
    return all(fits(text) for text in said) if said else not file.first


def _line(file: UsageFile, found: Mapping[str, str], constants: Mapping[str, str]) -> str:
    """The command to type, with names in capitals for what nothing tells."""
    columns = {target: column for target, column in found.items() if target not in constants}
    known = {*columns, *constants}
    lacks = {} if "timestamp" in known else {"timestamp": "COLUMN"}
    if not known & {*BILLED}:
        lacks |= {"input_tokens": "COLUMN", "output_tokens": "COLUMN"}
    sets = dict(constants)
    if "provider" not in known:
        sets["provider"] = _maker(file, found.get("model", "")) or "PROVIDER"
    if not known & {"model", "cost"}:
        sets["model"] = "MODEL"
    options = ["--map", shlex.quote(option({**columns, **lacks}))]
    options += ["--set", shlex.quote(option(sets))] if sets else []
    return f"tollbook import usage {shlex.quote(file.name)} --dry-run {' '.join(options)}"


def _maker(file: UsageFile, column: str) -> str:
    """Who is likely paid, where all models of the first rows have one maker."""
    names = {row[column].lower() for row in file.first if row.get(column)}
    makers = {next((who for begins, who in MAKERS.items() if re.match(rf"{begins}(?![a-z])", name)), "") for name in names}
    return makers.pop() if len(makers) == 1 else ""


def _to_add(export: Export, found: UsageMap) -> str:
    """What an export does not say itself."""
    known = {*found.columns, *found.constants}
    lacks = [f"{target}={target.upper()}" for target in ("timestamp", "provider", "model") if target not in known]
    return f"Add: --set {','.join(lacks)}" if lacks else f"Its columns are those of {export.name}"


def _spaced(column: str) -> str:
    """A column's name in small letters, its words apart."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    return re.sub(r"[^a-z0-9]+", " ", apart.lower()).strip()
