"""What users' own tests get: a fixture with captured spans, and receipts of them."""

import builtins
from decimal import Decimal
from typing import Any

import pytest
import tollbook
from tollbook.testing import Captured

pytest_plugins = ["pytester"]


def work() -> None:
    with tollbook.request("r"):
        with tollbook.handoff("read") as read:
            read.bytes(1_000).asset("s3://a", event_time=1_700_000_000.0)
        with tollbook.inference("gpt-4o", provider="openai", operation="chat") as call:
            call.usage(10_000, 500, cache_read_tokens=2_000)


def test_a_receipt_has_list_prices(captured: Captured) -> None:
    pytest.importorskip("genai_prices")
    work()
    receipt = captured.receipt()
    # 8,000 fresh tokens at $2.50, 2,000 cached at $1.25, 500 of output at $10 a million
    assert receipt.cost_usd == Decimal("0.02") + Decimal("0.0025") + Decimal("0.005")
    assert (receipt.input_tokens, receipt.output_tokens, receipt.bytes_moved, receipt.handoffs) == (10_000, 500, 1_000, 1)
    assert receipt.oldest_input_age_s is not None
    assert receipt.oldest_input_age_s > 80_000_000
    assert "list prices of genai-prices" in str(receipt)


def test_a_call_without_a_price_leaves_the_sum_unknown(captured: Captured) -> None:
    work()
    with tollbook.inference("our-own-model") as call:
        call.usage(5, 5)
    with tollbook.inference("silent"):
        pass
    receipt = captured.receipt()
    assert receipt.cost_usd is None
    assert [call.cost_usd is None for call in receipt.calls] == [False, True, True]
    assert receipt.calls[2].why == "no tokens are told"


def test_a_reported_cost_is_taken(captured: Captured) -> None:
    with tollbook.inference("anything") as call:
        call.usage(5, 5, cost=0.0123)
    assert captured.receipt().cost_usd == Decimal("0.0123")


def test_without_the_server_extra_a_receipt_has_quantities_alone(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "genai_prices":
            raise ImportError(name)
        return usual(name, *args, **kwargs)

    work()
    monkeypatch.setattr(builtins, "__import__", without)
    receipt = captured.receipt()
    assert (receipt.cost_usd, receipt.input_tokens) == (None, 10_000)


def test_pytest_has_the_fixture_wherever_tollbook_is_installed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import tollbook

        def test_it(tollbook_spans):
            with tollbook.inference("m") as call:
                call.usage(3, 4)
            assert tollbook_spans.receipt().input_tokens == 3
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
