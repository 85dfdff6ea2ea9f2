// Sends the spans of spans.json by an unmodified Node SDK: node send.mjs http/protobuf|http/json|grpc ENDPOINT SPANS
import { readFileSync } from "node:fs";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as Grpc } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as Json } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Protobuf } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [transport, endpoint, file] = process.argv.slice(2);
const given = JSON.parse(readFileSync(file));
const exporter = { grpc: () => new Grpc({ url: endpoint }),
  "http/json": () => new Json({ url: `${endpoint}/v1/traces` }),
  "http/protobuf": () => new Protobuf({ url: `${endpoint}/v1/traces` }) }[transport]();
const ids = given.spans.map((span) => span.span_id);
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes(given.resource),
  spanProcessors: [new BatchSpanProcessor(exporter)],
  idGenerator: { generateTraceId: () => given.trace_id, generateSpanId: () => ids.shift() },
});
const tracer = provider.getTracer("client", "1.0");
const time = (ns) => [Number(BigInt(ns) / 1000000000n), Number(BigInt(ns) % 1000000000n)];

let parent = ROOT_CONTEXT;
for (const span of given.spans) {
  const made = tracer.startSpan(span.name, { kind: SpanKind[span.kind], startTime: time(span.start_ns), attributes: span.attributes }, parent);
  parent = trace.setSpan(ROOT_CONTEXT, made);
  for (const event of span.events) made.addEvent(event.name, event.attributes, time(event.time_ns));
  if (span.error) made.setStatus({ code: SpanStatusCode.ERROR, message: span.error });
  made.end(time(span.end_ns));
}
await provider.forceFlush();
await provider.shutdown();
