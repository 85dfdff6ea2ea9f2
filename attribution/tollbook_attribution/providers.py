"""How instrumentations spell a provider and a model, and what the price list calls them. Pure."""

import re

CLOUDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"azure|az\.|microsoft\.foundry"), "azure"),
    (re.compile(r"aws|amazon|bedrock"), "aws"),
    (re.compile(r"google|gcp|vertex|gemini"), "google"),
)
"""How the names of clouds begin, whatever product of theirs is named after it, and whoever's model it serves."""

LISTED_AS: dict[str, str] = {
    "bigmodel": "zhipuai",
    "codestral": "mistral",
    "coherechat": "cohere",
    "fireworksai": "fireworks",
    "githubcopilot": "github-copilot",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "perplexityai": "perplexity",
    "textcompletionopenai": "openai",
    "togetherai": "together",
    "xai": "x-ai",
    "zai": "zai",
    "zhipu": "zhipuai",
}
"""Spellings of instrumentations, in small letters and digits alone, that the price list does not know itself."""

PRODUCT = re.compile(r"\.(?:chat|messages|responses|completions?|embeddings?|images?|speech|transcription|rerank(?:ing)?)$")
"""What some name after the provider."""

FRAMEWORKS = frozenset({
    "_other", "ag2", "agno", "autogen", "autogen-agentchat", "crewai", "custom", "dspy", "haystack", "langchain",
    "langgraph", "llama_index", "llamaindex", "microsoft.agent_framework", "microsoft.agents.ai", "other",
    "pydantic-ai", "pydantic_ai", "semantic_kernel", "smolagents", "spring_ai", "strands", "strands-agents",
    "unknown",
})  # fmt: skip
"""What instrumentations of frameworks call the provider: nobody who is paid."""


def listed_as(provider: str) -> str | None:
    """The price list's name of a provider; None where the telemetry names none."""
    spelled = PRODUCT.sub("", provider.strip().lower())
    if spelled in FRAMEWORKS:
        return None
    cloud = next((name for begins, name in CLOUDS if begins.match(spelled)), None)
    return cloud or LISTED_AS.get(re.sub("[^a-z0-9]", "", spelled), spelled) or None


GATEWAY_CLIENTS = frozenset({None, "openai", "litellm", "litellm_proxy", "gateway", "vercel", "portkey", "helicone"})
"""What telemetry calls the provider where any gateway may have answered: its own name, or OpenAI's, whose protocol they speak."""

BEDROCK = re.compile(
    r"(?:(?:us|us-gov|eu|apac|ap|au|ca|jp|in|sa|me|af|il|mx|global)\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek)\.|arn:aws[\w-]*:bedrock:"
)
"""How Bedrock names models, whoever's client asks it."""

BEDROCK_ARN = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(?P<model>.+)")
"""Bedrock's resource names that end in the name of a model, which the list's clauses need not begin with."""

MAKERS = (
    ("amazon", re.compile(r"(?:nova|titan)-")),
    ("meta", re.compile(r"llama\d")),
    ("cohere", re.compile(r"command-|embed-|rerank-")),
)
"""Whose models these are on Bedrock, where an instrumentation leaves their maker out: `nova-pro-v1:0` (OpenLLMetry)."""

OWN_NAMES = (("openai", re.compile(r"text-embedding-(?:ada|3)-")), ("cohere", re.compile(r"embed-(?:v\d|english|multilingual)")))
"""Whose embeddings these are where nobody names a provider: the list knows their makers by names of other models only."""

RESOURCE = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?models/(?P<model>[^/]+)")
"""How Google's APIs name a model as a resource."""


def readings(provider: str, model: str) -> list[tuple[str | None, str]]:
    """(provider, model) pairs to look up, in order: as spelled, then as what the spelling says of the provider or the version."""
    listed, name = listed_as(provider), model.strip()
    found = [(listed, name)]
    resource = RESOURCE.fullmatch(name)
    if resource:
        found.append((listed, resource["model"]))
    arn = BEDROCK_ARN.fullmatch(name)
    if arn:
        found.append(("aws", arn["model"]))
    for between in "/:":
        prefix, parted, rest = name.partition(between)
        if parted and rest and (listed in GATEWAY_CLIENTS or listed == listed_as(prefix)):
            found.append((listed_as(prefix), rest))
    if listed != "aws" and BEDROCK.match(name):
        found.append(("aws", name))
    if listed is None:
        found += [(maker, name) for maker, begins in OWN_NAMES if begins.match(name)]
    if listed == "aws":
        found += [("aws", f"{maker}.{name}") for maker, begins in MAKERS if begins.match(name)]
    return found + [(who, spelled.replace("@", "-")) for who, spelled in found if "@" in spelled]
