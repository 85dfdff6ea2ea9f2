"""The `anthropic` client, also for Bedrock and Vertex AI: each call of a model is an inference."""

from typing import ClassVar

from tollbook.integrations.base import Integration
from tollbook.integrations.llm import hooks


class AnthropicInstrumentor(Integration):
    """Instruments `anthropic`, alone or beside another instrumentation of it."""

    library = "anthropic"
    wrappers: ClassVar = hooks("anthropic", "anthropic")
