"""How instrumentations spell a provider, and what the price list calls it."""

LISTED_AS: dict[str, str] = {
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "google_genai": "google",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
    "vertex_ai": "google",
    "vertexai": "google",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""Spellings of instrumentations, in small letters, that the price list does not know itself."""


def listed_as(provider: str) -> str | None:
    """The price list's name of a provider; None where the telemetry names none.

    A product after the provider's name (`openai.responses`, `anthropic.messages`) is left to the list's own match clauses.
    """
    spelled = provider.strip().lower()
    return LISTED_AS.get(spelled, spelled) or None


def readings(provider: str, model: str) -> list[tuple[str | None, str]]:
    """(provider, model) pairs to look up, in order: as spelled, then with a provider that the model's name is prefixed with.

    `anthropic/claude-sonnet-4-5` names its provider; it is read so only where the telemetry names none, or the same one.
    """
    listed = listed_as(provider)
    prefix, slash, rest = model.partition("/")
    if slash and rest and listed in (None, listed_as(prefix)):
        return [(listed, model), (listed_as(prefix), rest)]
    return [(listed, model)]
