"""Meters of clouds and what they are of: a charge is of the model whose words its meter has, and of no other."""

from decimal import Decimal

from tollbook_attribution import settle
from tollbook_attribution.bills import load
from tollbook_attribution.bills.reconcile import reconcile
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, chat
from tests.bills.conftest import Folder, focus

CALLED = {
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": "aws.bedrock",
    "anthropic.claude-opus-4-1-20250805-v1:0": "aws.bedrock",
    "amazon.nova-lite-v1:0": "aws.bedrock",
    "gpt-4o-2024-11-20": "azure.ai.openai",
    "gemini-2.5-flash": "gcp.vertex_ai",
    "gpt-4o-mini": "openai",
    "claude-haiku-4-5": "anthropic",
}
"""Models of the hour's calls and who was asked."""

METERS: dict[tuple[str, str, str], str | None] = {
    ("AWS", "USE1-MP:USE1_InputTokenCount-Units", "Claude Sonnet 4.5 (Amazon Bedrock Edition)"): "claude-sonnet-4-5",
    ("AWS", "USE1-Claude4.1Opus-output-tokens", "Amazon Bedrock"): "claude-opus-4-1",
    ("AWS", "USW2-NovaLite-input-tokens", "Amazon Bedrock"): "nova-lite",
    ("AWS", "USW2-NovaPro-input-tokens", "Amazon Bedrock"): None,
    ("Microsoft", "gpt-4o 1120 Outp glbl Tokens", "Cognitive Services"): "gpt-4o",
    ("Microsoft", "gpt-4o-mini-0718-Inp-glbl Tokens", "Cognitive Services"): None,
    ("Google Cloud", "Generate content cached input token count gemini 2.5 flash text", "Vertex AI"): "gemini-2.5-flash",
    ("Google Cloud", "Gemini 2.5 Flash GA Text Input - Predictions", "Vertex AI"): "gemini-2.5-flash",
    ("Google Cloud", "Generate content input token count gemini 2.5 flash lite text", "Vertex AI"): None,
    ("OpenAI", "gpt-4o-mini-2024-07-18, input_tokens", "OpenAI API"): "gpt-4o-mini",
    ("Anthropic", "Claude Haiku 4.5", "Claude API"): "claude-haiku-4-5",
}
"""(provider, meter, service) and a part of the name of the model it is of; None where no call is of it."""


def test_a_meter_is_of_the_model_with_the_same_words(store: Store, intake: Intake, folder: Folder) -> None:
    calls = enumerate(CALLED.items(), start=1)
    intake.spans(
        [chat(trace, 1, provider=who, model=model, response_model=model, input=1000, output=100) for trace, (model, who) in calls]
    )
    settle(store)
    assert store.query("SELECT provider, model, reason FROM calls WHERE price_status = 'unpriced'") == []
    bills = [
        focus(ServiceProviderName=who, SkuMeter=meter, ServiceName=service, ResourceId="", ChargeDescription=f"charge {number}",
              ConsumedQuantity="", BilledCost=str(number + 1), SubAccountId=str(number))
        for number, (who, meter, service) in enumerate(METERS)
    ]  # fmt: skip
    load(store, [folder.csv(*bills)])
    reconcile(store)
    found = {
        row["billed"]: row["resource"]
        for row in store.query(
            "SELECT billed, arrayStringConcat(groupArray(resource)) AS resource FROM bill_matches GROUP BY billed"
        )
    }
    for number, ((_, meter, _), model) in enumerate(METERS.items()):
        resource = found.get(Decimal(number + 1), "")
        assert (model in resource) if model else resource == "", (meter, resource)
