"""The `openai` client, asked of OpenAI or of any server with its API: each call of a model is an inference."""

from typing import ClassVar

from tollbook.integrations.base import Integration
from tollbook.integrations.llm import hooks


class OpenAIInstrumentor(Integration):
    """Instruments `openai`, alone or beside OpenTelemetry's instrumentation of it."""

    library = "openai"
    wrappers: ClassVar = hooks("openai", "openai")
