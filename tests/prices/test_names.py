"""Which price a model's name stands for: every spelling of it, and no other model's."""

import pytest
from tollbook_attribution.model_names import find_model

SONNET = "claude-sonnet-4-5"
BEDROCKS = "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("provider", "model", "price"),
    [
        ("openai", "gpt-4o", "openai/gpt-4o"),
        ("OpenAI", "GPT-4o", "openai/gpt-4o"),
        ("openai.responses", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("openai", "gpt-4o-20240806", "openai/gpt-4o"),
        ("openai", "gpt-4o@2024-08-06", "openai/gpt-4o"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::9x", "openai/ft:gpt-4o"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme:ours:9x", "openai/ft:gpt-4o-mini"),
        ("azure.ai.openai", "gpt-4o", "openai/gpt-4o"),
        ("azure", "azure/gpt-4o", "openai/gpt-4o"),
        ("anthropic", f"{SONNET}@20250929", f"anthropic/{SONNET}"),
        ("anthropic", f"{SONNET}-20250929", f"anthropic/{SONNET}"),
        ("anthropic", f"{SONNET}[1m]", f"anthropic/{SONNET}"),
        ("", f"anthropic/{SONNET}", f"anthropic/{SONNET}"),
        ("openai", f"anthropic/{SONNET}", f"anthropic/{SONNET}"),
        ("litellm", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("aws.bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("aws.bedrock", "us.amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        ("aws.bedrock", "nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        ("AWS", "titan-text-express-v1", "aws/amazon.titan-text-express-v1"),
        ("aws.bedrock", "llama3-70b-instruct-v1:0", "aws/meta.llama3-70b-instruct-v1:0"),
        ("gcp.vertex_ai", f"publishers/anthropic/models/{SONNET}@20250929", f"google/{SONNET}"),
        ("gcp.vertex_ai", "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("google", "models/gemini-2.5-pro-preview-05-06", "google/gemini-2.5-pro"),
        ("google", "gemini-2.0-flash-001", "google/gemini-2.0-flash"),
        ("google", "gemma-3-27b-it", "google/gemma-3"),
        ("gcp.vertex_ai", "claude-3-5-sonnet-v2@20241022", "google/claude-3-5-sonnet"),
        ("azure.ai.openai", "gpt-4o-mini-2024-07-18.ft-0a1b2c", "openai/gpt-4o-mini-2024-07-18.ft-"),
        ("cohere", "command-r-plus-08-2024", "cohere/command-r-plus"),
        ("azure.chat", "gpt-4o", "openai/gpt-4o"),
        ("az.ai.agents", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("Azure OpenAI", "gpt-4o", "openai/gpt-4o"),
        ("groq.chat", "llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
        ("xai.chat", "grok-4", "x-ai/grok-4-0709"),
        ("TogetherAI", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        (
            "amazon-bedrock",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("google-vertex.anthropic", f"{SONNET}@20250929", f"google/{SONNET}"),
        ("Google AI Studio", "google/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.vertex.agent", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("strands-agents", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("spring_ai", "gpt-4o", "openai/gpt-4o"),
        ("github.copilot", "gpt-4.1", "github-copilot/gpt-4.1"),
        ("z.ai", "glm-4.6", "zai/GLM-4.6"),
        ("", "openai:gpt-4o", "openai/gpt-4o"),
        ("langchain", f"anthropic:{SONNET}", f"anthropic/{SONNET}"),
        ("", "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", BEDROCKS),
        ("gateway", f"anthropic/{SONNET}", f"anthropic/{SONNET}"),
    ],
)
def test_a_spelling_of_a_model_is_that_model(provider: str, model: str, price: str) -> None:
    found = find_model(provider, model, "any")
    assert f"{found.price_provider}/{found.price_model}" == price


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-but-ours"),
        ("openai", "gpt-4o-mini-fast"),
        ("openai", "gpt-5-miniature"),
        ("openai", "o3-pro-max"),
        ("openai", "ft:gpt-4o-audio:acme::9x"),
        ("anthropic", "claude-sonnet-4-55"),
        ("anthropic", "claude-sonnet-4-5-turbo"),
        ("google", "gemini-2.5-pro-foo"),
        ("google", "gemini-2.0-flash-0-ours"),
        ("google", "gemma-3-ours"),
        ("deepseek", "deepseek-chat-v9"),
        ("deepseek", "deepseek-r1-distill-llama-70b"),
        ("azure.ai.openai", "my-gpt-4o"),
        ("azure.ai.openai", "gpt-4o-deployment"),
        ("openrouter", "openai/gpt-4o:online"),
        ("openrouter", "openai/gpt-4o:free"),
        ("openai", "ours:gpt-4o"),
        ("our-gateway", "gpt-4o"),
        ("ollama", "gpt-oss:20b"),
        ("novita", "deepseek/deepseek-v99"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123:application-inference-profile/abc123"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123:custom-model/amazon.nova-pro-v1:0/abc"),
    ],
)
def test_what_is_only_spelled_like_a_model_has_no_price(provider: str, model: str) -> None:
    found = find_model(provider, model, "any")
    assert (found.price_model, found.reason) == ("", f"unknown model {provider}/{model}")


def test_a_provider_read_from_the_name_is_said() -> None:
    assert find_model("openai", f"anthropic/{SONNET}", "any").reason == "provider anthropic taken from the model's name"
    assert find_model("", "gpt-4o", "any").reason == "provider openai taken from the model's name"
    assert find_model("azure.ai.openai", "gpt-4o", "any").reason == ""
