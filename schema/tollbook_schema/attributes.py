"""The vocabulary's attribute names as constants.

Generated from registry/*.yaml by `make generate`; change it there.
"""

from typing import Final

SCHEMA_URL: Final = "https://tollbook.dev/schemas/0.1.0"
"""Version of the vocabulary, recorded with every span the SDK makes."""

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""Operation that the span is about."""

GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""Provider of the model, as the caller's instrumentation sees it."""

GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""Model that was asked for."""

GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""Model that answered."""

GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""Identity of the answer, given by the provider."""

GEN_AI_RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
"""Why the model stopped, one reason for each choice."""

GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Time from the request to the first chunk of the answer, in s."""

GEN_AI_REQUEST_STREAM: Final = "gen_ai.request.stream"
"""Whether the answer was streamed."""

GEN_AI_REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
"""Tokens of output asked for at most."""

GEN_AI_REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
"""Temperature asked for."""

GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""Tokens of input billed, cached ones included."""

GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""Tokens of output billed, reasoning included."""

GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""Input tokens that the provider read from its cache."""

GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
"""Input tokens that the provider wrote to its cache."""

GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""Output tokens spent on reasoning."""

GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""Identity of the conversation."""

GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
"""Name of the agent."""

GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
"""Name of the tool."""

OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
"""Service tier that answered, which decides the price."""

OPENINFERENCE_SPAN_KIND: Final = "openinference.span.kind"
"""Kind of span in OpenInference's terms; read, never written."""

GEN_AI_INPUT_MESSAGES: Final = "gen_ai.input.messages"
"""Messages sent to the model."""

GEN_AI_OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
"""Messages the model returned."""

GEN_AI_SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
"""Instructions given to the model apart from the messages."""

GEN_AI_TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
"""Tools offered to the model."""

GEN_AI_TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
"""Arguments of a tool call."""

GEN_AI_TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
"""Result of a tool call."""

GEN_AI_PROMPT: Final = "gen_ai.prompt"
"""Prompt in an older spelling."""

GEN_AI_COMPLETION: Final = "gen_ai.completion"
"""Answer in an older spelling."""

INPUT_VALUE: Final = "input.value"
"""Input in OpenInference's terms."""

OUTPUT_VALUE: Final = "output.value"
"""Output in OpenInference's terms."""

TRACELOOP_ENTITY_INPUT: Final = "traceloop.entity.input"
"""Input in OpenLLMetry's terms."""

TRACELOOP_ENTITY_OUTPUT: Final = "traceloop.entity.output"
"""Output in OpenLLMetry's terms."""

GEN_AI_REQUEST_TOP_P: Final = "gen_ai.request.top_p"
"""Share of the likeliest tokens that is sampled from."""

GEN_AI_REQUEST_TOP_K: Final = "gen_ai.request.top_k"
"""Count of the likeliest tokens that is sampled from."""

GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: Final = "gen_ai.request.previous_response.id"
"""Identity of the answer that the request goes on from."""

GEN_AI_RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
"""Count of the nearest vectors or documents asked for."""

GEN_AI_REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
"""Penalty for tokens that are frequent already."""

GEN_AI_REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
"""Penalty for tokens that are there already."""

GEN_AI_REQUEST_SEED: Final = "gen_ai.request.seed"
"""Seed asked for."""

GEN_AI_REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
"""Answers asked for."""

GEN_AI_REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
"""Texts that end the answer."""

GEN_AI_REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
"""Encodings of embeddings asked for."""

GEN_AI_REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
"""Effort of reasoning asked for."""

GEN_AI_EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
"""Dimensions of the embeddings."""

GEN_AI_USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
"""Of the input, tokens of audio."""

GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
"""Of the output, tokens of audio."""

GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.audio.cache_read.input_tokens"
"""Of the tokens of audio, those read from the provider's cache."""

GEN_AI_USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
"""Of the input, tokens of image."""

GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"
"""Of the output, tokens of image."""

GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.image.cache_read.input_tokens"
"""Of the tokens of image, those read from the provider's cache."""

GEN_AI_USAGE_VIDEO_INPUT_TOKENS: Final = "gen_ai.usage.video.input_tokens"
"""Of the input, tokens of video."""

GEN_AI_USAGE_VIDEO_OUTPUT_TOKENS: Final = "gen_ai.usage.video.output_tokens"
"""Of the output, tokens of video."""

GEN_AI_USAGE_VIDEO_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.video.cache_read.input_tokens"
"""Of the tokens of video, those read from the provider's cache."""

GEN_AI_USAGE_CACHE_WRITE_1H_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.1h.input_tokens"
"""Of the tokens written to the provider's cache, those it keeps for an hour."""

GEN_AI_USAGE_WEB_SEARCH_REQUESTS: Final = "gen_ai.usage.web_search.requests"
"""Searches that the provider made for the answer."""

GEN_AI_USAGE_AUDIO_SECONDS: Final = "gen_ai.usage.audio_seconds"
"""Seconds of audio that are billed."""

GEN_AI_USAGE_COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
"""What the provider says that the call cost."""

GEN_AI_USAGE_COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
"""Currency of that cost."""

TOLLBOOK_INFERENCE_OUTPUT_TOKEN_RATE: Final = "tollbook.inference.output_token.rate"
"""Output tokens of a stream per second, from its first item to its last."""

GEN_AI_EVALUATION_NAME: Final = "gen_ai.evaluation.name"
"""What is judged."""

GEN_AI_EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
"""The judgement as a number."""

GEN_AI_EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
"""The judgement as a word."""

GEN_AI_EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
"""Why it is judged so."""

TOLLBOOK_TEAM: Final = "tollbook.team"
"""Team that owns the request."""

TOLLBOOK_PROJECT: Final = "tollbook.project"
"""Project or budget line the request belongs to."""

TOLLBOOK_FEATURE: Final = "tollbook.feature"
"""Product feature the request serves."""

TOLLBOOK_CUSTOMER: Final = "tollbook.customer"
"""Customer or account on whose behalf the request ran, as the service names it."""

DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
"""Deployment environment."""

GEN_AI_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
"""Name of the workflow the request runs."""

USER_ID: Final = "user.id"
"""Identity of the person or program that asked."""

SESSION_ID: Final = "session.id"
"""Identity of the session."""

TOLLBOOK_SITE: Final = "tollbook.site"
"""Place the work ran at, such as a data center, a plant or a shop."""

TOLLBOOK_TIER: Final = "tollbook.tier"
"""Tier of the place the work ran at."""

SERVICE_NAME: Final = "service.name"
"""Logical name of the service."""

SERVICE_NAMESPACE: Final = "service.namespace"
"""Namespace that makes `service.name` unique."""

SERVICE_VERSION: Final = "service.version"
"""Version of the service."""

SERVICE_INSTANCE_ID: Final = "service.instance.id"
"""Identity of one running instance of the service."""

TELEMETRY_SDK_LANGUAGE: Final = "telemetry.sdk.language"
"""Language of the SDK that recorded the span."""

PROCESS_PID: Final = "process.pid"
"""Identifier of the operating system's process."""

HOST_ID: Final = "host.id"
"""Identity of the machine; a cloud instance's id where there is one."""

HOST_NAME: Final = "host.name"
"""Name of the machine."""

HOST_TYPE: Final = "host.type"
"""Type of the machine, which its rate is listed under."""

TOLLBOOK_HOST_PURCHASE: Final = "tollbook.host.purchase"
"""How the machine was bought; where it does not say, on demand."""

CONTAINER_ID: Final = "container.id"
"""Identity of the container."""

CLOUD_PROVIDER: Final = "cloud.provider"
"""Name of the cloud provider."""

CLOUD_ACCOUNT_ID: Final = "cloud.account.id"
"""Account the resource is billed to."""

CLOUD_REGION: Final = "cloud.region"
"""Region the resource runs in."""

CLOUD_AVAILABILITY_ZONE: Final = "cloud.availability_zone"
"""Zone the resource runs in."""

K8S_CLUSTER_NAME: Final = "k8s.cluster.name"
"""Name of the Kubernetes cluster."""

K8S_NAMESPACE_NAME: Final = "k8s.namespace.name"
"""Namespace the pod runs in."""

K8S_NODE_NAME: Final = "k8s.node.name"
"""Node the pod runs on."""

K8S_CONTAINER_NAME: Final = "k8s.container.name"
"""Container of the pod."""

K8S_POD_NAME: Final = "k8s.pod.name"
"""Name of the pod."""

ERROR_TYPE: Final = "error.type"
"""Class of the error the operation ended with."""

SERVER_ADDRESS: Final = "server.address"
"""Name or address of the server."""

SERVER_PORT: Final = "server.port"
"""Port of the server."""

HTTP_REQUEST_METHOD: Final = "http.request.method"
"""HTTP method."""

HTTP_ROUTE: Final = "http.route"
"""Route template that matched."""

HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
"""HTTP status code."""

HTTP_REQUEST_BODY_SIZE: Final = "http.request.body.size"
"""Bytes of the request's body."""

HTTP_RESPONSE_BODY_SIZE: Final = "http.response.body.size"
"""Bytes of the response's body."""

DB_SYSTEM_NAME: Final = "db.system.name"
"""Database product."""

DB_OPERATION_NAME: Final = "db.operation.name"
"""Operation the database ran."""

DB_COLLECTION_NAME: Final = "db.collection.name"
"""Table or collection."""

MESSAGING_SYSTEM: Final = "messaging.system"
"""Messaging product."""

MESSAGING_DESTINATION_NAME: Final = "messaging.destination.name"
"""Queue or topic."""

MESSAGING_MESSAGE_BODY_SIZE: Final = "messaging.message.body.size"
"""Bytes of the message's body."""

RPC_SYSTEM_NAME: Final = "rpc.system.name"
"""RPC system."""

HW_ID: Final = "hw.id"
"""Identity of the accelerator the span ran on; of several, a list or text with commas."""

HW_MODEL: Final = "hw.model"
"""Model of the accelerator."""

HW_TYPE: Final = "hw.type"
"""Type of the hardware."""

HW_NAME: Final = "hw.name"
"""Name of the hardware that people know it by."""

HW_VENDOR: Final = "hw.vendor"
"""Who makes the hardware."""

HW_PARENT: Final = "hw.parent"
"""Identity of the accelerator that the hardware is a slice of."""

HW_DRIVER_VERSION: Final = "hw.driver_version"
"""Version of the driver."""

HW_GPU_TASK: Final = "hw.gpu.task"
"""What the GPU was busy with."""

NETWORK_IO_DIRECTION: Final = "network.io.direction"
"""Which way bytes went."""

GEN_AI_TOKEN_TYPE: Final = "gen_ai.token.type"
"""Whether tokens went in or came out."""

HW_SENSOR_LOCATION: Final = "hw.sensor_location"
"""Where on the hardware a sensor sits."""

TOLLBOOK_KIND: Final = "tollbook.kind"
"""What the span is, in Tollbook's terms."""

TOLLBOOK_SIMULATED: Final = "tollbook.simulated"
"""True where a stand-in answered instead of the real system, so that its money is shown apart."""

TOLLBOOK_CPU_TIME: Final = "tollbook.cpu.time"
"""CPU time of the span's thread, and of a model's threads working for it, in ns; children on that thread included."""

TOLLBOOK_INFERENCE_LOCATION: Final = "tollbook.inference.location"
"""Where the model ran, seen from the caller."""

TOLLBOOK_INFERENCE_BATCH_SIZE: Final = "tollbook.inference.batch_size"
"""Items in the model call's batch."""

TOLLBOOK_INFERENCE_INPUT_SIZE: Final = "tollbook.inference.input.size"
"""Bytes of the model call's input."""

TOLLBOOK_INFERENCE_OUTPUT_SIZE: Final = "tollbook.inference.output.size"
"""Bytes of the model call's output."""

TOLLBOOK_INFERENCE_INPUT_DIGEST: Final = "tollbook.inference.input.digest"
"""Keyed digest of the model call's input, which finds repeated inputs without keeping them."""

TOLLBOOK_MODEL_DIGEST: Final = "tollbook.model.digest"
"""SHA-256 of the model file, shortened to 16 hex digits."""

TOLLBOOK_MODEL_VERSION: Final = "tollbook.model.version"
"""Version of the model."""

TOLLBOOK_INPUT_ASSET_IDS: Final = "tollbook.input.asset.ids"
"""Assets read in the request before the inference, in order of reading."""

TOLLBOOK_INPUT_EVENT_TIME_OLDEST: Final = "tollbook.input.event_time.oldest"
"""Event time of the oldest asset the inference used, in ns since 1970-01-01 UTC."""

TOLLBOOK_INPUT_EVENT_TIME_NEWEST: Final = "tollbook.input.event_time.newest"
"""Event time of the newest asset the inference used, in ns since 1970-01-01 UTC."""

TOLLBOOK_ASSET_ID: Final = "tollbook.asset.id"
"""Identity of the piece of data that is read, written or moved, such as a table, an object or a document."""

TOLLBOOK_ASSET_VERSION: Final = "tollbook.asset.version"
"""Version of the asset."""

TOLLBOOK_ASSET_EVENT_TIME: Final = "tollbook.asset.event_time"
"""When the asset's content came to be, in ns since 1970-01-01 UTC; not when it was copied."""

TOLLBOOK_ASSET_SYNCED_AT: Final = "tollbook.asset.synced_at"
"""When the copy that is read was made, in ns since 1970-01-01 UTC."""

TOLLBOOK_HANDOFF_OPERATION: Final = "tollbook.handoff.operation"
"""What the handoff does with the data."""

TOLLBOOK_HANDOFF_SOURCE: Final = "tollbook.handoff.source"
"""Where the data comes from."""

TOLLBOOK_HANDOFF_DESTINATION: Final = "tollbook.handoff.destination"
"""Where the data goes to."""

TOLLBOOK_HANDOFF_SIZE: Final = "tollbook.handoff.size"
"""Bytes of payload that the handoff moves, both ways where an answer comes back."""

TOLLBOOK_HANDOFF_RECORDS: Final = "tollbook.handoff.records"
"""Records that the handoff moves."""

TOLLBOOK_HANDOFF_SERIALIZATION_DURATION: Final = "tollbook.handoff.serialization.duration"
"""Time spent turning objects into bytes and back, in ns."""

TOLLBOOK_HANDOFF_NETWORK: Final = "tollbook.handoff.network"
"""Class of the boundary that the data crosses, which decides its price."""

TOLLBOOK_HANDOFF_WIRE_SIZE: Final = "tollbook.handoff.wire.size"
"""Bytes on the wire, compressed where it is, headers too where they are counted; both ways where an answer comes back."""

TOLLBOOK_HANDOFF_WAIT_DURATION: Final = "tollbook.handoff.wait.duration"
"""Time that the item waited in a queue or a pool before it was taken, in ns."""

TOLLBOOK_HANDOFF_SOURCE_REGION: Final = "tollbook.handoff.source.region"
"""Region that the data comes from."""

TOLLBOOK_HANDOFF_SOURCE_ZONE: Final = "tollbook.handoff.source.zone"
"""Zone that the data comes from."""

TOLLBOOK_HANDOFF_DESTINATION_REGION: Final = "tollbook.handoff.destination.region"
"""Region that the data goes to."""

TOLLBOOK_HANDOFF_DESTINATION_ZONE: Final = "tollbook.handoff.destination.zone"
"""Zone that the data goes to."""

TOLLBOOK_STORAGE_CLASS: Final = "tollbook.storage.class"
"""Storage class that the handoff leaves the data in, as the price book names it."""

TOLLBOOK_STORAGE_PROVIDER: Final = "tollbook.storage.provider"
"""Who stores it, where it is not the cloud that the span ran in."""

TOLLBOOK_STORAGE_RETENTION: Final = "tollbook.storage.retention"
"""How long it is kept, in s."""

TOLLBOOK_SERVICE_NAME: Final = "tollbook.service.name"
"""Service paid by use that the span asked."""

TOLLBOOK_SERVICE_PRODUCT: Final = "tollbook.service.product"
"""Its product."""

TOLLBOOK_SERVICE_ITEM: Final = "tollbook.service.item"
"""What it counts."""

TOLLBOOK_SERVICE_QUANTITY: Final = "tollbook.service.quantity"
"""How many of these the span took; one if not given."""

TOLLBOOK_SERVICE_COST: Final = "tollbook.service.cost"
"""What the service says that it cost."""

TOLLBOOK_SERVICE_CURRENCY: Final = "tollbook.service.currency"
"""Currency of that cost; USD if not given."""

TOLLBOOK_USAGE_IMPORT: Final = "tollbook.usage.import"
"""Import of a usage file that the call came from."""

TOLLBOOK_USAGE_BUCKET: Final = "tollbook.usage.bucket"
"""Bucket of a usage file that the call is one of, by its times and words."""

TOLLBOOK_USAGE_COUNTS: Final = "tollbook.usage.counts"
"""What the bucket told beyond what was known of it, on the first of the calls that were added for that."""

TOLLBOOK_ACCELERATOR_PROFILE: Final = "tollbook.accelerator.profile"
"""Slice of the accelerator that the span holds."""

TOLLBOOK_ACCELERATOR_SHARE: Final = "tollbook.accelerator.share"
"""Share of the accelerator that the span holds, 0 to 1."""

TOLLBOOK_ACCELERATOR_STATE: Final = "tollbook.accelerator.state"
"""What the span does with the accelerator, where it does not compute an answer."""

TOLLBOOK_ACCELERATOR_QUEUED: Final = "tollbook.accelerator.queued"
"""True where the span ends once the work is handed to the device, which goes on after it."""

TOLLBOOK_ACCELERATOR_UNIT: Final = "tollbook.accelerator.unit"
"""Part of the accelerator whose activity is told."""

TOLLBOOK_ACCELERATOR_CLOCK_DOMAIN: Final = "tollbook.accelerator.clock.domain"
"""Part of the accelerator whose clock is told."""

TOLLBOOK_ACCELERATOR_THROTTLE_REASON: Final = "tollbook.accelerator.throttle.reason"
"""Why the clock is held down."""

TOLLBOOK_ACCELERATOR_INSTRUCTION_SETS: Final = "tollbook.accelerator.instruction_sets"
"""What a processor has for inference, comma separated."""

TOLLBOOK_ENGINE_STATE: Final = "tollbook.engine.state"
"""State of requests in an inference engine."""

TOLLBOOK_ENGINE_ID: Final = "tollbook.engine.id"
"""One of several engines that a server runs."""

TOLLBOOK_INSTRUMENTATION_NAME: Final = "tollbook.instrumentation.name"
"""Entry point of an instrumentation, on its metric."""

TOLLBOOK_INSTRUMENTATION_STATE: Final = "tollbook.instrumentation.state"
"""`on`, or why it is off."""

TOLLBOOK_HANDOFF_DELIVERY: Final = "tollbook.handoff.delivery"
"""Delivery semantics of the handoff."""

TOLLBOOK_EVENT_ID: Final = "tollbook.event.id"
"""Identity of the event or item handed over, the same on every hop."""

TOLLBOOK_EVENT_IDS: Final = "tollbook.event.ids"
"""Identities of the items handed over together, 256 at most; the records say how many there were."""

TOLLBOOK_INDEX_RECORDS: Final = "tollbook.index.records"
"""Vectors that the index holds."""

TOLLBOOK_INDEX_DIMENSIONS: Final = "tollbook.index.dimensions"
"""Dimensions of the index's vectors."""

TOLLBOOK_INFERENCE_EXECUTION_PROVIDERS: Final = "tollbook.inference.execution_providers"
"""What the model runs on, as its engine calls it, first choice first."""

TOLLBOOK_INFERENCE_THREADS: Final = "tollbook.inference.threads"
"""Threads that the model's engine has for one operator."""

TOLLBOOK_MODEL_SIZE: Final = "tollbook.model.size"
"""Bytes of the model's parameters or file."""

TOLLBOOK_MODEL_DTYPE: Final = "tollbook.model.dtype"
"""Type of the model's numbers."""

TOLLBOOK_CONTENT_DIGEST: Final = "tollbook.content.digest"
"""Keyed digest of the content handed over, never the content."""

TOLLBOOK_SCHEMA_FINGERPRINT: Final = "tollbook.schema.fingerprint"
"""Digest of the names and types of the fields handed over."""

TOLLBOOK_SCAFFOLDING_CLASS: Final = "tollbook.scaffolding.class"
"""Whether the span is what the request is for, or integration scaffolding around it."""

OWNER_KEYS: Final = (
    TOLLBOOK_TEAM,
    TOLLBOOK_PROJECT,
    TOLLBOOK_FEATURE,
    TOLLBOOK_CUSTOMER,
    DEPLOYMENT_ENVIRONMENT_NAME,
    GEN_AI_WORKFLOW_NAME,
)
"""Attributes that say who owns a cost; `tollbook.label` sets them and baggage carries them."""

OWNER_COLUMNS: Final = ("team", "project", "feature", "customer", "environment", "workflow")
"""The same owners as columns of `spans` and `ledger`."""

CONTENT_KEYS: Final = frozenset(
    {
        GEN_AI_INPUT_MESSAGES,
        GEN_AI_OUTPUT_MESSAGES,
        GEN_AI_SYSTEM_INSTRUCTIONS,
        GEN_AI_TOOL_DEFINITIONS,
        GEN_AI_TOOL_CALL_ARGUMENTS,
        GEN_AI_TOOL_CALL_RESULT,
        GEN_AI_PROMPT,
        GEN_AI_COMPLETION,
        INPUT_VALUE,
        OUTPUT_VALUE,
        TRACELOOP_ENTITY_INPUT,
        TRACELOOP_ENTITY_OUTPUT,
    }
)
"""Attributes that hold prompts and answers; kept in `span_content`."""
