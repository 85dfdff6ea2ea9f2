"""What real providers' answers cost: every usage body that somebody prices, at every provider that does."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, chat, span_id

KEYS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "output_reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "input_audio_tokens": "gen_ai.usage.audio.input_tokens",
    "input_image_tokens": "gen_ai.usage.image.input_tokens",
    "input_video_tokens": "gen_ai.usage.video.input_tokens",
    "output_image_tokens": "gen_ai.usage.image.output_tokens",
    "cache_audio_read_tokens": "gen_ai.usage.audio.cache_read.input_tokens",
    "cache_image_read_tokens": "gen_ai.usage.image.cache_read.input_tokens",
    "cache_video_read_tokens": "gen_ai.usage.video.cache_read.input_tokens",
}
"""How OpenTelemetry spells what the file names; the text kind is the rest."""

UNLIKE = {("deepseek", "deepseek-r1-distill-llama-70b"), ("google", "google/gemini-2.0-flash-exp:free")}
"""Names that are only spelled like what the file prices them as: another model, another product."""


LEARNT = {("google", "claude-sonnet-4-5-20250929", 401_468)}
"""What the list has learnt since: inputs beyond 200,000 tokens cost twice as much there, too."""

THEN = datetime(2026, 2, 20, 12, tzinfo=UTC)
"""A day on which the prices of the file hold; some have changed since."""


def priced(path: Path) -> dict[tuple[str, ...], tuple[dict[str, Any], dict[str, str]]]:
    """What each distinct (provider, model, usage) of the file is to cost."""
    found = {}
    for case in json.loads(path.read_text()):
        for extracted in case["extracted"]:
            for at in extracted["extractors"]:
                name = (at["provider_id"], case.get("model", ""))
                if "input_price" in at and name not in UNLIKE and (*name, extracted["usage"].get("input_tokens")) not in LEARNT:
                    usage = json.dumps(extracted["usage"], sort_keys=True)
                    found[(*name, usage)] = (extracted["usage"], at)
    return found


@pytest.mark.slow
def test_every_body_costs_what_the_list_says(store: Store, intake: Intake, shared_data: Path) -> None:
    cases = priced(shared_data / "provider_usage_bodies" / "usages_dev.json")
    assert len(cases) > 100
    calls = (
        chat(number, number, provider=who, model=model, attributes={KEYS[key]: n for key, n in usage.items() if key in KEYS})
        for number, ((who, model, _), (usage, _)) in enumerate(cases.items(), start=1)
    )
    intake.spans(calls, THEN)
    settle(store)
    costs: defaultdict[bytes, dict[str, Decimal]] = defaultdict(lambda: {"input": Decimal(0), "output": Decimal(0)})
    for line in store.query("SELECT span_id, item, amount_usd FROM ledger WHERE category = 'tokens' AND unit = 'token'"):
        costs[line["span_id"]]["output" if line["item"].startswith(("output", "reasoning")) else "input"] += line["amount_usd"]
    wrong = []
    for number, (case, (_, expected)) in enumerate(cases.items(), start=1):
        cost = costs[span_id(number)]
        if (cost["input"], cost["output"]) != (Decimal(expected["input_price"]), Decimal(expected["output_price"])):
            wrong.append((case, expected["input_price"], expected["output_price"], cost))
    assert not wrong, f"{len(wrong)} of {len(cases)}, such as {wrong[:5]}"
