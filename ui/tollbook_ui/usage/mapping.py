"""Which column of a file is what of a call: read from options, suggested from known names. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tollbook_ui.periods import BadQuestionError

COUNTS = (
    "input_tokens",
    "uncached_input_tokens",
    "output_tokens",
    "visible_output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "web_searches",
    "images",
    "audio_seconds",
    "video_seconds",
    "characters",
    "pages",
    "queries",
)
"""Whole numbers. `input_tokens` hold the cached ones, `uncached_input_tokens` do not; `output_tokens` hold those of reasoning,
`visible_output_tokens` do not."""

BODY = "usage"
"""The provider's own object of counts, which says itself what holds what."""

CALLS = "calls"
"""How many calls a row stands for; `many` where nobody says."""

NUMBERS = ("cost", "cost_cents", "duration_ms", "duration_s")
"""Numbers with a decimal point. `cost_cents` are hundredths of the currency."""

BETWEEN = "|"
"""Between columns of which a row has the one or the other."""

TIMES = ("timestamp", "end_time")

WORDS = (
    "provider",
    "model",
    "response_model",
    "request_id",
    "operation",
    "service_tier",
    "batch",
    "currency",
    "context_window",
    "region",
    "account",
    "status",
    "service",
    "service_version",
    "team",
    "project",
    "feature",
    "customer",
    "environment",
    "workflow",
    "user",
    "session",
)
"""Taken as they are."""

TOKENS = frozenset(target for target in COUNTS if target.endswith("_tokens"))

BLOCKS = "prefix_blocks"
"""Identities of the blocks of the prompt, from which cached tokens follow."""

TARGETS = (*TIMES, *COUNTS, BODY, CALLS, *NUMBERS, *WORDS, BLOCKS)
BILLED = (*COUNTS, BODY, "cost", "cost_cents")
"""One of these must be there, or nothing would be counted."""

KNOWN_NAMES: Mapping[str, Sequence[str]] = {
    "timestamp": (
        "timestamp",
        "time",
        "starttime",
        "start_time_iso",
        "startedat",
        "createdat",
        "created",
        "requestcreatedat",
        "requesttime",
        "usagedateutc",
        "usagedate",
        "date",
        "datetime",
        "eventtime",
        "arrivedat",
        "arrivaltime",
    ),
    "end_time": ("endtime", "endedat", "completedat", "finishedat"),
    "uncached_input_tokens": ("usageinputtokensnocache", "uncachedinputtokens", "inputtokensnocache", "freshinputtokens"),
    BODY: ("usage", "usagemetadata", "tokenusage", "usageobject"),
    CALLS: ("nummodelrequests", "modelrequests", "requests", "requestcount", "numrequests", "apirequests"),
    "images": ("images", "numimages"),
    "characters": ("characters", "numcharacters"),
    "audio_seconds": ("seconds", "audioseconds"),
    "input_tokens": (
        "inputtokens",
        "prompttokens",
        "contexttokens",
        "inputlength",
        "inputusage",
        "tokensprompt",
        "requesttokens",
        "inputtokencount",
        "prompttokencount",
        "nprompttokens",
        "numprompttokens",
        "tokensin",
        "promptlength",
    ),
    "output_tokens": (
        "outputtokens",
        "completiontokens",
        "generatedtokens",
        "outputlength",
        "outputusage",
        "tokenscompletion",
        "responsetokens",
        "usageoutputtokens",
        "outputtokencount",
        "candidatestokencount",
        "ngeneratedtokens",
        "numcompletiontokens",
        "tokensout",
    ),
    "cache_read_tokens": (
        "cachereadtokens",
        "inputcachedtokens",
        "cachedtokens",
        "cachedinputtokens",
        "cachereadinputtokens",
        "tokenscached",
        "usageinputtokenscacheread",
        "cachedcontenttokencount",
    ),
    "cache_write_tokens": (
        "cachewritetokens",
        "cachecreationtokens",
        "cachecreationinputtokens",
        "cachewriteinputtokens",
        "usageinputtokenscachewrite5m",
    ),
    "cache_write_1h_tokens": ("cachewrite1htokens", "usageinputtokenscachewrite1h", "cachecreation1hinputtokens"),
    "reasoning_tokens": ("reasoningtokens", "tokensreasoning", "outputreasoningtokens", "thinkingtokens", "thoughtstokencount"),
    "web_searches": ("websearches", "websearchcount", "websearchrequests"),
    "cost": ("cost", "costusd", "costtotal", "totalcost", "spend", "amountusd"),
    "currency": ("currency", "billingcurrency"),
    "duration_ms": ("durationms", "latencyms", "generationtime", "elapsedms"),
    "duration_s": ("durations", "durationseconds", "latencys", "latencyseconds"),
    "provider": ("provider", "providername", "llmprovider", "system"),
    "model": (
        "model",
        "modelname",
        "modelid",
        "modelversion",
        "requestmodel",
        "modelslug",
        "modelpermaslug",
        "deployment",
        "snapshotid",
    ),
    "response_model": ("responsemodel",),
    "request_id": ("requestid", "generationid", "responseid", "callid", "messageid"),
    "operation": ("operation", "operationname", "calltype"),
    "service_tier": ("servicetier",),
    "batch": ("batch", "isbatch"),
    "region": ("region", "cloudregion", "inferencegeo"),
    "account": ("account", "accountid", "organizationid", "subscriptionid"),
    "status": ("status", "statuscode"),
    "service": ("service", "servicename", "app", "application", "appname"),
    "team": ("team", "teamid", "teamname", "workspace", "workspacename"),
    "project": ("project", "projectid", "projectname"),
    "feature": ("feature",),
    "customer": ("customer", "customerid", "client", "clientid"),
    "environment": ("environment", "env"),
    "workflow": ("workflow", "workflowname"),
    "user": ("user", "userid", "enduser", "enduserid"),
    "session": ("session", "sessionid", "conversationid"),
    BLOCKS: ("hashids", "blockhashes", "prefixblocks"),
}
"""Names that columns of known exports and logs have, small letters and digits alone: those of OpenAI, Anthropic, OpenRouter,
LiteLLM, Langfuse and Helicone, and of the public traces of Azure, BurstGPT and Mooncake."""

UNITS_NS: Mapping[str, int] = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

EXCEL = "excel"
"""The unit of a spreadsheet's times: days since 1899-12-30, in the zone that is declared."""

NEAR = 0.77
"""How alike a name that does not exist is to the one that is proposed, from 0 to 1."""

ORDERS = ("day-first", "month-first")
"""How 05/11/2026 is read."""


@dataclass(frozen=True)
class Reading:
    """How times and blocks of a file are read."""

    timezone: str = "UTC"
    """Of times that name none."""
    time_unit: str = ""
    """Of times that are numbers; by their size if empty."""
    epoch: datetime | None = None
    """Where times that are numbers count from; 1970 if None."""
    block_tokens: int = 512
    """Tokens of a block of `prefix_blocks`."""
    dates: str = ""
    """`day-first` or `month-first`, of dates such as 05/11/2026; as the file proves if empty."""

    def __str__(self) -> str:
        counted = f", numbers in {self.time_unit}" if self.time_unit else ""
        since = f" since {self.epoch.isoformat()}" if self.epoch else ""
        return f"{self.timezone}{counted}{since}{f', {self.dates}' if self.dates else ''}"


@dataclass(frozen=True)
class UsageMap:
    """What a file's columns mean, and what holds for every row."""

    columns: Mapping[str, str]
    """The column of each target; a place from 1 on where the file names none."""
    constants: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Rows that are calls: those where each of these columns has one of its values."""

    @property
    def times(self) -> str:
        """How times are read and which rows are taken, for people."""
        rows = (f"{column} is {' or '.join(values)}" for column, values in self.only.items())
        return ", ".join([str(self.reading), *(f"only rows whose {row}" for row in rows)])


def mapping(
    columns: Iterable[str], constants: Iterable[str] = (), reading: Reading | None = None, only: Iterable[str] = ()
) -> UsageMap:
    """A mapping from `target=value` texts; several may stand in one text, with commas. Without columns, the file is to tell.

    Raises:
        BadQuestionError: a target that does not exist or is given twice, or none that could be billed.
    """
    found = UsageMap(_pairs(columns, "--map"), _pairs(constants, "--set"), reading or Reading(), _only(only))
    _check_times(found.reading)
    return checked(found) if found.columns else found


def checked(found: UsageMap) -> UsageMap:
    """The mapping itself. Raises BadQuestionError where it says too little, or a thing twice."""
    if twice := sorted(found.columns.keys() & found.constants.keys()):
        raise BadQuestionError(f"{twice[0]} is both mapped and set")
    if not re.fullmatch("[A-Za-z]{3}", found.constants.get("currency", "USD")):
        raise BadQuestionError(f"--set currency: {found.constants['currency']!r} is no currency: three letters, as EUR")
    given = {*found.columns, *found.constants}
    if "timestamp" not in given:
        raise BadQuestionError("map the time of each call: --map timestamp=COLUMN")
    if not given & {"model", "cost", "cost_cents"}:
        raise BadQuestionError("say which model answered: --map model=COLUMN or --set model=NAME")
    if not given & {*BILLED}:
        raise BadQuestionError(f"map what is counted: one of {', '.join(BILLED)}")
    _check_apart(given)
    return found


def _check_apart(given: set[str]) -> None:
    """Raises BadQuestionError where two targets say the same."""
    if {"input_tokens", "uncached_input_tokens"} <= given:
        raise BadQuestionError("map input_tokens, which hold cached ones, or uncached_input_tokens, not both")
    if {"output_tokens", "visible_output_tokens"} <= given:
        raise BadQuestionError("map output_tokens, which hold those of reasoning, or visible_output_tokens, not both")
    if BODY in given and (twice := sorted(given & TOKENS)):
        raise BadQuestionError(f"map usage, the provider's own object of counts, or {twice[0]}, not both")
    if CALLS in given and (whole := sorted(given & {BODY, BLOCKS, "request_id"})):
        raise BadQuestionError(f"{whole[0]} is of one call, so that it cannot stand beside calls")
    if BLOCKS in given and "cache_read_tokens" in given:
        raise BadQuestionError(f"cached tokens follow from {BLOCKS} or are counted in cache_read_tokens, not both")
    if {"cost", "cost_cents"} <= given:
        raise BadQuestionError("map cost or cost_cents, not both")


def suggested(columns: Sequence[str]) -> dict[str, str]:
    """The target that each column of a known name is; where several names fit a target, the better known one.

    A path has the name of its last steps where no column has it whole. The provider's own object of counts goes before what is in
    it. Beside Anthropic's own name of cache writes, the input is told without cached tokens, as Anthropic tells it.
    """
    whole = [column for column in columns if any(other.startswith(f"{column}.") for other in columns)]
    cells = [column for column in columns if column not in whole]
    plain = {name: column for column in reversed(cells) for name in _ends(column)} | {
        _plain(column): column for column in reversed(cells)
    }
    bodies = {_plain(column.rpartition(".")[2]): column for column in reversed(whole)}
    body = next((bodies[name] for name in KNOWN_NAMES[BODY] if name in bodies), None)
    found: dict[str, str] = {}
    for target, names in KNOWN_NAMES.items():
        fits = [plain[_plain(name)] for name in names if _plain(name) in plain]
        if fits and fits[0] not in found.values():
            found[target] = fits[0]
    if "input_tokens" in found:
        found.pop("uncached_input_tokens", None)
    if _plain(found.get("cache_write_tokens", "").rpartition(".")[2]) == "cachecreationinputtokens" and "input_tokens" in found:
        found = {("uncached_input_tokens" if target == "input_tokens" else target): column for target, column in found.items()}
    if CALLS in found or body is None:
        found.pop(BODY, None)
        return found
    return {target: column for target, column in found.items() if target not in TOKENS and target != BODY} | {BODY: body}


def _ends(column: str) -> list[str]:
    """The names that a path ends with."""
    steps = column.split(".")
    return [_plain(".".join(steps[start:])) for start in range(len(steps) - 1, 0, -1)]


def option(columns: Mapping[str, str]) -> str:
    """Columns as `--map` takes them."""
    return ",".join(f"{target}={column}" for target, column in columns.items())


def _pairs(texts: Iterable[str], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        for pair in re.split(r",(?=[a-z_0-9]+=)", text):
            target, sign, value = (part.strip() for part in pair.partition("="))
            if not sign or not value:
                raise BadQuestionError(f"{name} takes TARGET=VALUE, not {pair!r}")
            if target not in TARGETS:
                raise BadQuestionError(f"{name} knows no {target!r}{_nearest(target)}; tollbook import targets lists all")
            if target in found:
                raise BadQuestionError(f"{name} names {target} twice")
            found[target] = value
    return found


def _nearest(target: str) -> str:
    """The targets that are meant, by their own names and by those that columns of them have."""
    names = {_plain(name): known for known in reversed(TARGETS) for name in (*KNOWN_NAMES.get(known, ()), known)}
    near = get_close_matches(_plain(target), names, n=2, cutoff=NEAR)
    near = near or [name for name in names if name.startswith(_plain(target)) and len(target) > 2]
    found = list(dict.fromkeys(names[name] for name in near))[:2]
    return f", did you mean {' or '.join(found)}?" if found else ""


def _only(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        column, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not column:
            raise BadQuestionError(f"--only takes COLUMN=VALUE, not {text!r}")
        found[column] = (*found.get(column, ()), *(each.strip() for each in value.split(BETWEEN)))
    return found


def _check_times(found: Reading) -> None:
    try:
        ZoneInfo(found.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadQuestionError(f"{found.timezone!r} is no time zone; they are named as in Europe/Berlin") from error
    if found.time_unit and found.time_unit not in (*UNITS_NS, EXCEL):
        raise BadQuestionError(f"times count in {', '.join((*UNITS_NS, EXCEL))}, not in {found.time_unit!r}")
    if found.dates and found.dates not in ORDERS:
        raise BadQuestionError(f"dates are read {' or '.join(ORDERS)}, not {found.dates!r}")
    if found.epoch and found.time_unit not in UNITS_NS:
        raise BadQuestionError("say what times that count from the epoch count in: --time-unit s, ms, us or ns")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
