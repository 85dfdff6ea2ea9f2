"""The steps of a settlement with pandas: duplicates, owners, own time, prices, lines, requests, cost per span.

Amounts are floats, prices one per model; roll-ups, twins, machines, lineage and findings are not worked out: it does less.
"""

import json
import sys
from pathlib import Path

import pandas as pd
from tollbook_schema.store import Store

from benchmarks.hours import measured, text

OWNERS = ["workflow", "team", "project", "feature", "customer", "environment"]
SPAN = ["trace_id", "span_id"]
PRICES = pd.DataFrame(
    [
        ("openai", "gpt-4o-2024-08-06", 2.5e-6, 1.25e-6, 10e-6),
        ("openai", "gpt-4o-mini-2024-07-18", 0.15e-6, 0.075e-6, 0.6e-6),
        ("openai", "gpt-4.1-2025-04-14", 2e-6, 0.5e-6, 8e-6),
        ("anthropic", "claude-sonnet-4-5-20250929", 3e-6, 0.3e-6, 15e-6),
    ],
    columns=["provider_name", "response_model", "input", "cache_read", "output"],
)


def settled(spans: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Lines with their owners, requests, and what each span cost."""
    spans = _owned(spans.drop_duplicates(SPAN))
    spans = _with_own_time(spans)
    lines = _lines(spans)
    cost = lines.groupby(SPAN, as_index=False)["usd"].sum()
    spans = spans.merge(cost, on=SPAN, how="left")
    grouped = spans.groupby("trace_id")
    requests = grouped.agg(
        start_ns=("start_ns", "min"),
        end_ns=("end_ns", "max"),
        spans=("span_id", "count"),
        usd=("usd", "sum"),
        team=("team", "first"),
    )
    return lines, requests, spans


def _owned(spans: pd.DataFrame) -> pd.DataFrame:
    spans = spans.sort_values("start_ns")
    owners = spans[["trace_id", *OWNERS]].replace("", None).groupby("trace_id").first()
    inherited = spans[["trace_id"]].join(owners, on="trace_id")
    for owner in OWNERS:
        spans[owner] = spans[owner].where(spans[owner] != "", inherited[owner])
    return spans


def _with_own_time(spans: pd.DataFrame) -> pd.DataFrame:
    spans["end_ns"] = spans["start_ns"] + spans["duration_ns"]
    below = spans.groupby(["trace_id", "parent_span_id"])["duration_ns"].sum().rename("below_ns").reset_index()
    below = below.rename(columns={"parent_span_id": "span_id"})
    spans = spans.merge(below, on=SPAN, how="left")
    spans["self_ns"] = (spans["duration_ns"] - spans["below_ns"].fillna(0)).clip(lower=0)
    return spans


def _lines(spans: pd.DataFrame) -> pd.DataFrame:
    calls = spans[spans["input_tokens"].notna()].merge(PRICES, on=["provider_name", "response_model"])
    cached = calls["cache_read_tokens"].fillna(0)
    kinds = {"input": calls["input_tokens"] - cached, "cache_read": cached, "output": calls["output_tokens"]}
    parts = [
        calls[[*SPAN, "start_ns", "service_name", "response_model", *OWNERS]].assign(
            item=kind, quantity=tokens, usd=tokens * calls[kind]
        )
        for kind, tokens in kinds.items()
    ]
    return pd.concat(parts, ignore_index=True)


def main() -> int:
    """Settles the hour in a data folder."""
    store = Store.open(Path(sys.argv[1]))
    fetching, frame = measured(lambda: store.frame(text("for_pandas")))
    store.close()
    settling, (lines, requests, spans) = measured(lambda: settled(frame))
    print(
        json.dumps({"fetch": fetching, "settle": settling, "spans": len(spans), "lines": len(lines), "requests": len(requests)}),
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
