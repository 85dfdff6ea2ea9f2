"""Files of prices, read without a store: what they say, and what is wrong with them, by line and column."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tollbook_attribution import price_files
from tollbook_attribution.price_checks import problems_of
from tollbook_attribution.price_files import BadFileError, Sheet, Wish

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADER = "provider,model,item,amount,per,valid_from,valid_until"


def read(text: str, file: str = "ours.csv", since: datetime | None = None) -> Sheet:
    """What a file of this text says."""
    return price_files.read(file, text.encode(), Wish(since), NOW)


def told(text: str) -> list[str]:
    """Everything that is wrong with a file of this text."""
    return [str(problem) for problem in problems_of(read(text))]


def test_a_line_is_a_price_with_the_digits_that_it_has() -> None:
    [line] = read(f"{HEADER}\nacme,Fast-1,input,2.50,1M,2026-01-01,2026-07-01T00:00:00Z\n").lines
    price = line.price
    assert (price.provider, price.model, price.item, price.unit) == ("acme", "Fast-1", "input", "token")
    assert (price.amount, price.quoted, price.per) == (Decimal("0.0000025"), Decimal("2.50"), 1_000_000)
    assert (price.valid_from, price.valid_until) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    assert (price.precedence, price.source, line.number) == ("own", "file ours.csv", 2)


def test_a_class_of_transfer_and_a_unit_are_known_however_they_are_spelled() -> None:
    rows = ["Inter-AZ,GB", "NAT gateway,gib", "PrivateLink,GB", "carrier pigeon,GB"]
    text = "\n".join(["provider,model,category,amount,item,unit", *(f"aws,data-transfer,transfer,0.01,{row}" for row in rows)])
    assert [(line.price.item, line.price.unit) for line in read(text).lines] == [
        ("cross_zone", "gb"), ("nat", "gib"), ("private_link", "gb"), ("carrier pigeon", "gb"),
    ]  # fmt: skip


def test_csv_json_json_lines_and_yaml_say_the_same() -> None:
    row = {"provider": "acme", "model": "fast-1", "item": "output", "amount": 10, "per": "1M", "currency": "EUR", "batch": True}
    csv = f"{','.join(row)}\nacme,fast-1,output,10,1M,EUR,true\n"
    yaml = "- {provider: acme, model: fast-1, item: output,\n   amount: 10, per: 1M, currency: EUR, batch: true, region: ~}\n"
    texts = [csv, json.dumps([row], indent=1), json.dumps({"prices": [row]}), json.dumps(row) + "\n", yaml, f"prices:\n{yaml}"]
    boxes = [
        [(p.model, p.item, p.amount, p.currency, p.batch) for p in (line.price for line in read(text).lines)] for text in texts
    ]
    assert boxes == [[("fast-1", "output", Decimal("0.00001"), "EUR", True)]] * 6


def test_a_price_over_midnight_holds_in_two_parts_of_the_day() -> None:
    text = "provider,model,item,amount,per,time_from,time_until\ndeepseek,chat,input,0.135,1M,16:30,00:30\n"
    assert [(line.price.day_from_s, line.price.day_until_s) for line in read(text).lines] == [(59_400, 86_400), (0, 1_800)]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("acme,m,input,1e-20,1M,,", "column amount: is too small: for one token it would be 0, as prices have 18 decimals"),
        ("acme,m,input,$2.50,1M,,", "column amount: '$2.50' is no number alone: the currency has a column of its own"),
        ("acme,m,input,\"1,234.5\",1M,,", "column amount: '1,234.5' is no number: thousands are written without a sign"),
        ("acme,m,input,\"0,15\",1M,,", "column amount: '0,15' is no number: decimals are written with a point"),
        ("acme,m,input,-1,1M,,", "column amount: '-1' is below 0"),
        ("acme,m,input,2.50,1,,", "column amount: 2.5 USD for one token cannot be: is per=1M missing?"),
        ("acme,m,input,2.50,1M,2026-13-01,", "column valid_from: '2026-13-01' is no date: 2026-11-20, or 2026-11-20T16:30:00Z"),
        ("acme,m,input,2.50,1M,2026-02-01,2026-01-01", "column valid_until: lies not after valid_from"),
        ("acme,m,prompt,2.50,1M,,", "column item: 'prompt' is nothing that calls are counted in"),
        ("acme,,input,2.50,1M,,", "column model: is empty"),
        ("acme,m,input,2.50,0,,", "column per: '0' is no number of units: 1, 1000, 1M"),
        ("acme,m,input,2.50", ": 4 values for 7 columns"),
        ("acme,m,input,1e400,1M,,", "column amount: 1e400 is too large to be a price"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_by_line_and_column(row: str, problem: str) -> None:
    [found] = told(f"{HEADER}\nacme,ok,input,1,1M,,\n{row}\n")
    assert found.startswith("ours.csv, line 3")
    assert problem in found


def test_a_column_that_does_not_exist_or_is_missing_is_named() -> None:
    assert told("provider,model,item,amount,valid_form\n")[0].startswith("ours.csv, line 1, column valid_form: no such column")
    assert told("provider,model,item\na,b,input\n") == ["ours.csv, line 1, column amount: the column is missing"]
    assert told("") == ["ours.csv: the file is empty"]
    sheet = price_files.read("ours.csv", b"provider,model\n\xff\xfe", Wish(), NOW)
    assert str(sheet.problems[0]) == "ours.csv, line 2: not UTF-8: byte 0xff at place 1; save the file as UTF-8"


def test_overlapping_days_are_an_error_and_missing_ones_a_warning() -> None:
    lines = [
        "acme,m,input,1,1M,2026-01-01,2026-07-01",
        "acme,m,input,2,1M,2026-06-01,2026-09-01",
        "acme,m,input,3,1M,2026-10-01,",
        "acme,m,output,4,1M,,",
        "acme,m,output,5,1M,2026-01-01,",
    ]
    problems = problems_of(read("\n".join([HEADER, *lines])))
    assert [(str(problem), problem.is_error) for problem in problems] == [
        (
            "ours.csv, line 3, column valid_from: overlaps line 2 from 2026-06-01 to 2026-07-01: two prices for acme/m/input",
            True,
        ),
        ("ours.csv, line 6, column valid_from: overlaps line 5 from 2026-01-01 on: two prices for acme/m/output", True),
        ("ours.csv, line 4, column valid_from: no price of acme/m/input from 2026-09-01 to 2026-10-01", False),
    ]


def test_an_overlap_is_named_once_by_the_column_that_tells_the_two_apart() -> None:
    header = "provider,model,item,amount,per,min_quantity,max_quantity,time_from,time_until"
    lines = [
        "acme,m,input,1,1M,,200000,,",
        "acme,m,input,2,1M,150000,,,",
        "acme,n,input,1,1M,,,,",
        "acme,n,input,2,1M,,,16:30,00:30",
    ]
    assert told("\n".join([header, *lines])) == [
        "ours.csv, line 3, column min_quantity: overlaps line 2 from 1970-01-01 on: two prices for acme/m/input",
        "ours.csv, line 5, column time_from: overlaps line 4 from 1970-01-01 on: two prices for acme/n/input",
    ]


def test_a_time_of_day_is_told_in_utc_or_by_its_distance_to_it() -> None:
    header = "provider,model,item,amount,per,time_from,time_until"
    by_both = (
        f"{header}\nacme,n,input,3,1M,{since},{until}\n" for since, until in (("16:30", "00:30"), ("00:30+08:00", "08:30+0800"))
    )
    assert len({tuple((line.price.day_from_s, line.price.day_until_s) for line in read(text).lines) for text in by_both}) == 1
    assert told(f"{header}\nacme,n,input,3,1M,8:00,09:00\n") == [
        "ours.csv, line 2, column time_from: '8:00' is no time of day: 16:30 in UTC, or with its distance to it, 00:30+08:00"
    ]


def test_different_conditions_do_not_overlap() -> None:
    header = "provider,model,item,amount,per,min_quantity,max_quantity,service_tier,region,batch,time_from,time_until"
    lines = [
        "acme,m,input,1,1M,,200001,,,,,",
        "acme,m,input,2,1M,200001,,,,,,",
        "acme,m,input,3,1M,,,flex,,,,",
        "acme,m,input,3,1M,,,,eu-west-1,,,",
        "acme,m,input,3,1M,,,,,true,,",
        "acme,n,input,3,1M,,,,,,16:30,00:30",
        "acme,n,input,3,1M,,,,,,00:30,16:30",
    ]
    assert told("\n".join([header, *lines])) == []


def test_broken_json_is_named_by_line_and_character() -> None:
    assert told('[\n {"provider": "a",\n}]') == [
        "ours.csv, line 3, column 1: not JSON: Expecting property name enclosed in double quotes"
    ]
    assert told('{"a": NaN}')[0].endswith("not JSON: NaN is no number")


MAP = {
    "sample_spec": {"input_cost_per_token": "cost in USD", "litellm_provider": "one of many"},
    "gpt-x": {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
        "input_cost_per_token_batches": 1.25e-06,
        "input_cost_per_token_priority": 5e-06,
        "input_cost_per_token_above_200k_tokens": 4e-06,
        "input_dbu_cost_per_token": 3e-05,
        "search_context_cost_per_query": {"search_context_size_medium": 0.01, "search_context_size_low": 0.005},
        "max_input_tokens": 400000,
    },
    "bedrock/eu-central-1/anthropic.claude-x": {"litellm_provider": "bedrock", "input_cost_per_token": 3e-06},
    "github_copilot/gpt-x": {"litellm_provider": "github_copilot", "input_cost_per_token": 0, "output_cost_per_token": 0},
    "dashscope/qwen-x": {
        "litellm_provider": "dashscope",
        "tiered_pricing": [
            {"range": [0, 32000], "input_cost_per_token": 1e-06},
            {"range": [32000, 128000], "input_cost_per_token": 2e-06},
        ],
    },
}


def test_litellm_s_map_is_known_by_its_shape_and_read_with_its_conditions() -> None:
    sheet = read(json.dumps(MAP, indent=1), "map.json")
    assert (sheet.source, sheet.errors) == ("litellm", ())
    prices = {line.price.price_id: line.price.amount for line in sheet.lines}
    assert prices == {
        "openai/gpt-x/input (up to 200000 input tokens)": Decimal("0.0000025"),
        "openai/gpt-x/input (more than 200000 input tokens)": Decimal("0.000004"),
        "openai/gpt-x/input (batch)": Decimal("0.00000125"),
        "openai/gpt-x/input (service tier priority)": Decimal("0.000005"),
        "openai/gpt-x/output": Decimal("0.00001"),
        "openai/gpt-x/cache_read": Decimal("0.00000125"),
        "openai/gpt-x/web_search": Decimal("0.01"),
        "openai/gpt-x/web_search (search_context_size=low)": Decimal("0.005"),
        "aws/anthropic.claude-x/input (region eu-central-1)": Decimal("0.000003"),
        "dashscope/qwen-x/input (up to 32000 input tokens)": Decimal("0.000001"),
        "dashscope/qwen-x/input (more than 32000 input tokens, up to 128000 input tokens)": Decimal("0.000002"),
    }
    assert [str(problem).split(": ", 1)[1] for problem in sheet.problems] == [
        "is no price that calls are counted by here: not read",
        "github_copilot/gpt-x costs 0 throughout: free or unknown, so left out",
    ]
    assert {line.price.precedence for line in sheet.lines} == {"undated list"}
    assert {line.price.precedence for line in read(json.dumps(MAP), "map.json", NOW).lines} == {"dated list"}


def test_a_wrong_price_in_litellm_s_map_is_named_by_its_line() -> None:
    wrong = {"m": {"litellm_provider": "openai", "input_cost_per_token": "cheap"}, "n": {"output_cost_per_token": -1e-06}}
    assert [str(problem) for problem in read(json.dumps(wrong, indent=1), "map.json").problems] == [
        "map.json, line 2, column input_cost_per_token: 'cheap' is no number",
        "map.json, line 6, column output_cost_per_token: -0.000001 is below 0",
    ]


NEWEST = {
    "azure/gpt-x": {"litellm_provider": "azure", "input_cost_per_token": 2e-06},
    "azure_ai/gpt-x": {"litellm_provider": "azure_ai", "input_cost_per_token": 3e-06, "input_cost_per_token_flex": 1e-06},
    "qwen-x": {"litellm_provider": "dashscope", "tiered_pricing": [
        {"range": [0, 32000], "input_cost_per_token": 1e-06}, {"range": [32000, None], "input_cost_per_token": 2e-06},
    ]},
    "exa_ai/search": {
        "litellm_provider": "exa_ai", "tiered_pricing": [{"input_cost_per_query": 5e-03, "max_results_range": [0, 25]}],
    },
    "draws": {
        "litellm_provider": "bedrock", "mode": "image_generation", "input_cost_per_image": 0.0, "output_cost_per_image": 0.008,
    },
    "claude-x": {"litellm_provider": "anthropic", "input_cost_per_token": 5e-06, "input_cost_per_token_ultrafast": 3e-05,
                 "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 2e-05, "provider_specific_entry": {"us": 1.1},
                 "deprecation_date": "2027-01-01", "output_vector_size": 8},
    "twice": {"litellm_provider": "openai", "input_cost_per_token": 1e-06,
              "tiered_pricing": [{"range": [0, 1000], "input_cost_per_token": 4e-06}]},
}  # fmt: skip
"""Shapes of the map as it is today: a provider under two names, tiers without an end or of other kinds, tiers by name."""


def test_litellm_s_map_of_today_is_read_and_what_it_says_twice_holds_as_it_says_it_first() -> None:
    sheet = read(json.dumps(NEWEST, indent=1), "map.json")
    assert [problem for problem in problems_of(sheet) if problem.is_error] == []
    said = {
        (line.price.model, line.price.item, line.price.service_tier, line.price.min_quantity): line.price.amount
        for line in sheet.lines
    }
    assert said == {
        ("gpt-x", "input", "", 0): Decimal("0.000002"),
        ("gpt-x", "input", "flex", 0): Decimal("0.000001"),
        ("qwen-x", "input", "", 0): Decimal("0.000001"),
        ("qwen-x", "input", "", 32001): Decimal("0.000002"),
        ("draws", "image", "", 0): Decimal("0.008"),
        ("claude-x", "input", "", 0): Decimal("0.000005"),
        ("claude-x", "input", "ultrafast", 0): Decimal("0.00003"),
        ("claude-x", "cache_write_1h", "", 200_001): Decimal("0.00002"),
        ("twice", "input", "", 0): Decimal("0.000001"),
    }
    told = " ".join(problem.message for problem in sheet.problems)
    for part in ("is the model of line 2 again: 1 of its prices are left out", "by the input's length", "the first one counts"):
        assert part in told


LINE = "provider,model,item,amount,per\nacme,fast-1,input,2.50,1M\n"
SAVED = {
    "UTF-16": LINE.encode("utf-16"),
    "gzip": gzip.compress(LINE.encode()),
    "a spreadsheet's first line": b"sep=;\r\n" + LINE.replace(",", ";").encode(),
    "amounts in quotes": b'{"acme/fast-1": {"litellm_provider": "acme", "input_cost_per_token": "2.5e-06"}}',
}


@pytest.mark.parametrize("kind", SAVED)
def test_a_file_of_prices_is_read_however_it_was_saved(kind: str) -> None:
    sheet = price_files.read("ours.csv", SAVED[kind], Wish(), NOW)
    assert [line.price.amount for line in sheet.lines] == [Decimal("0.0000025")]
    assert not sheet.errors


NO_PRICES = {
    "a workbook": (b"PK\x03\x04", "ours.csv: is a workbook or a zip archive; save it as CSV"),
    "Parquet": (b"PAR1....PAR1", "ours.csv: is a Parquet file; save it as CSV or JSON"),
    "YAML": (
        b"prices:\n  acme: {fast-1: 2.5}\n",
        "ours.csv: is YAML, and neither a list of prices (- provider: …) nor a provider of genai-prices",
    ),
    "a wrong price in YAML": (
        b"- provider: acme\n  model: m\n  item: input\n  amount: 2,5\n",
        "ours.csv, line 1, column amount: '2,5'",
    ),
    "a price twice in YAML": (b"- provider: acme\n  amount: 1\n  amount: 2\n", "ours.csv, line 3: amount is there twice"),
    "UTF-16 without its mark": (LINE.encode("utf-16-le"), "ours.csv: is UTF-16 without its first mark; save it as UTF-8"),
    "something else": (bytes(range(256)), "ours.csv: is a binary file, no text"),
    "an open quote": (
        LINE.replace("fast", '"fast').encode() + b"a,b,input,1,1M,,\n" * 9,
        "ours.csv, line 2: not CSV: a quote is not",
    ),
    "half of a gzip file": (gzip.compress(LINE.encode())[:-12], "ours.csv: cannot be unpacked"),
    "a header alone": (LINE.partition("\n")[0].encode(), "ours.csv: there is no price in it"),
    "letters of another time": (
        LINE.replace("fast", "größe").encode("latin-1"),
        "ours.csv, line 2: not UTF-8: byte 0xf6 at place 8",
    ),
}


@pytest.mark.parametrize("kind", NO_PRICES)
def test_what_is_no_file_of_prices_is_named_and_trying_again_does_not_help(kind: str) -> None:
    content, expected = NO_PRICES[kind]
    [problem] = price_files.read("ours.csv", content, Wish(), NOW).errors
    assert expected in str(problem)
    assert "the same file will be refused again" in str(BadFileError([problem]))


OPENAI_YAML = """# Prices of a provider, as genai-prices keeps them.
name: OpenAI
id: openai
models:
  - id: gpt-9
    match: {starts_with: gpt-9}
    prices:
      - prices: {input_mtok: 3, output_mtok: 9}
      - constraint: {start_date: 2026-06-01}
        prices: {input_mtok: {base: 2, tiers: [{start: 200000, price: 4}]}, output_mtok: 8.1}
"""

OPENAI_JSON = """[{"id": "openai", "name": "OpenAI", "models": [
  {"id": "gpt-9", "match": {"equals": "gpt-9"}, "prices": {"input_mtok": 0.1, "output_mtok": 3}},
  {"id": "gpt-8", "match": {"equals": "gpt-8"}, "prices": {"input_mtok": 1}}]}]
"""


def test_lists_of_genai_prices_are_read_with_their_dates_and_steps() -> None:
    sheet = price_files.read("openai.yml", OPENAI_YAML.encode(), Wish(), NOW)
    assert (sheet.source, sheet.problems, {line.number for line in sheet.lines}) == ("genai-prices", (), {5})
    told = {
        (p.item, str(p.quoted), p.valid_from.year, p.min_quantity, p.precedence) for p in (line.price for line in sheet.lines)
    }
    assert told == {
        ("input", "3", 1970, 0, "list"),
        ("output", "9", 1970, 0, "list"),
        ("input", "2", 2026, 0, "list"),
        ("input", "4", 2026, 200_001, "list"),
        ("output", "8.1", 2026, 0, "list"),
    }
    assert not [problem for problem in problems_of(sheet) if problem.is_error]
    acme = price_files.read("data.json", OPENAI_JSON.encode(), Wish(tenant="acme"), NOW).lines
    assert [(line.number, line.price.model) for line in acme] == [(2, "gpt-9"), (2, "gpt-9"), (3, "gpt-8")]
    assert {line.price.tenant for line in acme} == {"acme"}


def test_what_is_wrong_with_a_list_of_genai_prices_is_named() -> None:
    wrong = {
        OPENAI_YAML.replace("input_mtok: 3", "inptu_mtok: 3"): "f, line 5, column gpt-9: 'inptu_mtok' is no price",
        OPENAI_YAML.replace("output_mtok: 9}", "output_mtok: 9"): "f, line 9: not YAML",
        OPENAI_YAML.replace("id: openai", "id: &a openai") + "also: *a": "f, line 11: is YAML with aliases",
        OPENAI_JSON.replace('"input_mtok": 1}', '"input_mtok": -1}'): "f, line 3, column gpt-8: input: -1 is below 0",
        OPENAI_JSON.replace('"input_mtok": 1}', '"input_mtok": "x"}'): "f, line 3, column gpt-8: Input should be a valid decimal",
        OPENAI_JSON.replace('"input_mtok": 1}', '"input_mtok": 99999999}'): "f, line 3, column gpt-8: input: 99.999999 USD",
        "a:\n  b: 1\n": "f: is YAML, and neither a list of prices (- provider: …) nor",
    }
    for text, reason in wrong.items():
        problems = price_files.read("f", text.encode(), Wish(), NOW).errors
        assert any(str(problem).startswith(reason) for problem in problems), (reason, problems)
