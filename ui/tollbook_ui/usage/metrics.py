"""What clouds count of model calls, a row a metric, as usage: points are gathered by time, model and owner. Pure.

CloudWatch's (streams, `get-metric-data`, tables of them), Azure Monitor's (REST, diagnostic settings, tables) and Google Cloud
Monitoring's (`timeSeries`, tables).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tollbook_ui.usage.figures import CellProblem

AWS, AZURE, GOOGLE = "aws.bedrock", "azure.ai.openai", "gcp.vertex_ai"

METRICS: Mapping[str, tuple[str, str]] = {
    "inputtokencount": (AWS, "uncached_input_tokens"), "outputtokencount": (AWS, "output_tokens"),
    "cachereadinputtokencount": (AWS, "cache_read_tokens"), "cachewriteinputtokencount": (AWS, "cache_write_tokens"),
    "invocations": (AWS, "calls"), "outputimagecount": (AWS, "images"),
    "processedprompttokens": (AZURE, "input_tokens"), "generatedtokens": (AZURE, "output_tokens"),
    "generatedcompletiontokens": (AZURE, "output_tokens"), "processedcachedprompttokens": (AZURE, "cache_read_tokens"),
    "azureopenairequests": (AZURE, "calls"), "inputtokens": (AZURE, "input_tokens"), "outputtokens": (AZURE, "output_tokens"),
    "modelrequests": (AZURE, "calls"),
    "tokencount": (GOOGLE, ""), "modelinvocationcount": (GOOGLE, "calls"),
}  # fmt: skip
"""Who counts it and what it is, by the last part of its name; Google's tokens say in a label which they are."""

SAME = {"inputtokens": "processedprompttokens", "outputtokens": "generatedtokens", "generatedcompletiontokens": "generatedtokens",
        "modelrequests": "azureopenairequests"}  # fmt: skip
"""Azure's younger names of what it counts under older ones too: heard where the older one is missing."""

KINDS = {"input": "input_tokens", "output": "output_tokens"}

TIME = (
    "timestamp", "timegenerated", "time", "datetime", "date",
    "starttime", "pointsintervalstarttime", "endtime", "pointsintervalendtime",
)  # fmt: skip
"""When a period began, or what is told in its place."""

METRIC = ("metricname", "metric", "metrictype", "metricnamevalue", "name", "label")
VALUE = ("valuesum", "sum", "total", "value", "valueint64value", "int64value")
FIGURES = frozenset(
    (*VALUE, "average", "avg", "minimum", "min", "maximum", "max", "count", "samplecount", "valuemin", "valuemax", "valuecount")
)
STATISTIC = ("statistic", "stat", "aggregation", "aggregationtype")
KIND = ("metriclabelstype", "metriclabeltype", "tokentype", "type")
MOST = Decimal(2**63)
"""From here on a number is no count of anything."""

OWNERS: Mapping[str, Sequence[str]] = {
    "model": ("modelname", "modelid", "modeluserid", "model", "modeldeploymentname", "deploymentname", "deployment"),
    "region": ("region", "location"),
    "account": ("accountid", "account", "subscriptionid"),
    "project": ("projectid", "project"),
    "service_tier": ("servicetier", "servicetierresponse", "servicetierrequest"),
}
OF_OWNERS = re.compile("dimensions?$|dimensionvalue$|labels?$|tags$|properties$")
WITHOUT_OUTPUT = re.compile("embed|rerank", re.IGNORECASE)

Row = Mapping[str, str]
"""What a row says, by its columns' names in small letters and digits."""


@dataclass(frozen=True)
class Point:
    """What was counted in one period."""

    line: int
    time: str
    metric: str
    value: str
    row: Row


class BadPointsError(ValueError):
    """Points that no usage follows from, and why."""

    def __init__(self, line: int, column: str, text: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = CellProblem(line, column, text, reason)


def points(row: Mapping[str, Any], line: int) -> Iterator[Point]:
    """The points of a row of a table, or of an answer of one of the three APIs, but those of metrics that count no use."""
    for said in _series(row):
        flat = dict(_flat(said))
        metric = _first(flat, METRIC)
        name = _plain(re.split(r"[/ ]", metric.strip())[-1])
        time, value = _first(flat, TIME), _first(flat, VALUE)
        statistic = _first(flat, STATISTIC).lower()
        if name in METRICS and time and value and statistic in ("", "sum", "total"):
            yield Point(line, time, name, value, flat)


def usage(found: Sequence[Point]) -> tuple[str, list[tuple[int, dict[str, str]]]]:
    """Whose points these are, and (line, row) of each time and owner, with the counts by target.

    Raises:
        BadPointsError: a value that is no count, a point that is told in two ways, or a model with one side of its tokens.
    """
    known = {point.metric for point in found}
    named = any(_first(point.row, OWNERS["model"]) for point in found)
    rows: dict[tuple[str, ...], tuple[int, dict[str, Decimal]]] = {}
    told: dict[tuple[Any, ...], Point] = {}
    for point in found:
        # Beside points of each model there are some that sum all models up.
        if SAME.get(point.metric) in known or (named and not _first(point.row, OWNERS["model"])):
            continue
        target = METRICS[point.metric][1] or KINDS.get(_first(point.row, KIND).lower(), "")
        if target and _is_new(point, told):
            key = (point.time, *(_first(point.row, names) for names in OWNERS.values()))
            counts = rows.setdefault(key, (point.line, {}))[1]
            counts[target] = counts.get(target, Decimal(0)) + _count(point)
    _check(rows)
    return METRICS[found[0].metric][0], [(line, _said(key, counts)) for key, (line, counts) in rows.items()]


def _said(key: tuple[str, ...], counts: Mapping[str, Decimal]) -> dict[str, str]:
    owners = {target: value for target, value in zip(("timestamp", *OWNERS), key, strict=True) if value}
    calls = {"calls": "many"} if not counts.get("calls") else {}
    return {**owners, **{target: str(n) for target, n in counts.items()}, **calls}


def _is_new(point: Point, told: dict[tuple[Any, ...], Point]) -> bool:
    """Whether no row said the same before. Raises BadPointsError where one said otherwise."""
    said = tuple(sorted((name, text) for name, text in point.row.items() if name not in FIGURES))
    first = told.setdefault((point.time, point.metric, said), point)
    if first is not point and first.value != point.value:
        reason = f"is the same metric, time and dimensions as line {first.line}, which says {first.value}"
        raise BadPointsError(point.line, "", point.value, reason)
    return first is point


def _count(point: Point) -> Decimal:
    try:
        found = Decimal(point.value)
    except InvalidOperation:
        raise BadPointsError(point.line, "", point.value, f"is no count of {_first(point.row, METRIC)}") from None
    if not found.is_finite() or not 0 <= found < MOST or found != found.to_integral_value():
        raise BadPointsError(
            point.line, "", point.value, f"is no count of {_first(point.row, METRIC)}: a whole number that is a sum"
        )
    return Decimal(int(found))


def _check(rows: Mapping[tuple[str, ...], tuple[int, Mapping[str, Decimal]]]) -> None:
    """Raises BadPointsError where a model has one side of its tokens only."""
    sides: dict[str, tuple[int, set[str]]] = {}
    for (_, model, *_), (line, counts) in rows.items():
        sides.setdefault(model, (line, set()))[1].update(counts)
    for model, (line, targets) in sides.items():
        tokens = {target.removeprefix("uncached_") for target in targets} & {"input_tokens", "output_tokens"}
        if len(tokens) == 1 and not WITHOUT_OUTPUT.search(model):
            missing = "input" if "output_tokens" in tokens else "output"
            of = f" of {model}" if model else ""
            reason = f"no metric of {missing} tokens{of} is in the file: export both, or its calls cost too little"
            raise BadPointsError(line, "", "", reason)


def _series(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A row a point of what an API answers with a list of points; any other row as it is."""
    shape = next((flatten for mark, flatten in SHAPES.items() if isinstance(row.get(mark), list)), None)
    if shape is None:
        yield row
    else:
        yield from shape(row)


def _of_cloudwatch(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for series in _objects(row, "MetricDataResults"):
        model, _, metric = str(series.get("Label", "")).strip().rpartition(" ")
        for time, value in zip(series.get("Timestamps") or (), series.get("Values") or (), strict=False):
            yield {"timestamp": time, "metricname": metric, "value": value, "modelid": model}


def _of_azure(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for metric in _objects(row, "value"):
        for series in _objects(metric, "timeseries"):
            owners = {_name(one): one.get("value") for one in _objects(series, "metadatavalues")}
            for point in _objects(series, "data"):
                yield {**owners, "metricname": _name(metric), "time": point.get("timeStamp"), "total": point.get("total")}


def _of_google(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for series in _objects(row, "timeSeries"):
        metric, resource = _object(series, "metric"), _object(series, "resource")
        for point in _objects(series, "points"):
            period, value = _object(point, "interval"), _object(point, "value")
            yield {
                **_object(resource, "labels"), **_object(metric, "labels"), "metricname": metric.get("type"),
                "time": period.get("startTime") or period.get("endTime"),
                "value": value.get("int64Value", value.get("doubleValue")),
            }  # fmt: skip


def _name(told: Mapping[str, Any]) -> str:
    """Azure's names are objects, in tables made of them texts."""
    return str(_object(told, "name").get("value") or told.get("name") or "")


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, Mapping) else {}


def _objects(told: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = told.get(name)
    return (one for one in (found if isinstance(found, list) else ()) if isinstance(one, Mapping))


SHAPES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Mapping[str, Any]]]] = {
    "MetricDataResults": _of_cloudwatch,
    "value": _of_azure,
    "timeSeries": _of_google,
}


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """What a row says, also within objects: under the whole path, and the names within dimensions and labels alone too."""
    for key, told in value.items():
        name = f"{above}{_plain(str(key))}"
        owners = _owners(told) if OF_OWNERS.search(name) else None
        if owners is not None:
            yield from _flat(owners, name)
            yield from _flat(owners)
        elif isinstance(told, Mapping):
            yield from _flat(told, name)
        elif told is not None and not isinstance(told, list):
            yield name, str(told)
            yield _plain(str(key).rpartition(".")[2]), str(told)


def _owners(told: Any) -> Mapping[str, Any] | None:
    """Dimensions by name: an object, a list of names and values, either as text, `Name=Value,...`, or a model alone."""
    if isinstance(told, str) and told[:1] in ("{", "["):
        try:
            told = json.loads(told)
        except ValueError:
            return None
    if isinstance(told, list):
        pairs = [{_plain(key): value for key, value in one.items()} for one in told if isinstance(one, Mapping)]
        return {str(one.get("name", "")): one.get("value") for one in pairs}
    if isinstance(told, str) and (pairs_told := re.findall(r"([\w.]+)\s*[=:]\s*([^,;=]+)(?:[,;]\s*|$)", told)) and "=" in told:
        return dict(pairs_told)
    if isinstance(told, str):
        return {"model": told} if told else None
    return told if isinstance(told, Mapping) else None


def _first(row: Row, names: Iterable[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removesuffix("[utc]"))
