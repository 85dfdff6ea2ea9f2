"""How instrumentations spell a provider and a model, and what the price list calls them. Pure."""

import re

LISTED_AS: dict[str, str] = {
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure_ai": "azure",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "bedrock": "aws",
    "codestral": "mistral",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "google_genai": "google",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "moonshot_ai": "moonshotai",
    "text-completion-openai": "openai",
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


GATEWAY_CLIENTS = frozenset({None, "openai", "litellm"})
"""What telemetry calls the provider where any gateway may have answered, as all of them speak OpenAI's protocol."""

BEDROCK = re.compile(
    r"(?:(?:us|us-gov|eu|apac|ap|au|ca|jp|in|sa|me|af|il|mx|global)\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek)\.|arn:aws[\w-]*:bedrock:"
)
"""How Bedrock names models, whoever's client asks it."""

RESOURCE = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?models/(?P<model>[^/]+)")
"""How Google's APIs name a model as a resource."""


def readings(provider: str, model: str) -> list[tuple[str | None, str]]:
    """(provider, model) pairs to look up, in order: as spelled, then as what the spelling says of the provider or the version."""
    listed, name = listed_as(provider), model.strip()
    found = [(listed, name)]
    resource = RESOURCE.fullmatch(name)
    if resource:
        found.append((listed, resource["model"]))
    prefix, slash, rest = name.partition("/")
    if slash and rest and (listed in GATEWAY_CLIENTS or listed == listed_as(prefix)):
        found.append((listed_as(prefix), rest))
    if listed != "aws" and BEDROCK.match(name):
        found.append(("aws", name))
    return found + [(who, spelled.replace("@", "-")) for who, spelled in found if "@" in spelled]
