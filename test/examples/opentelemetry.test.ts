import * as fs from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Logger } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as OpenTelemetry from "../../examples/18-opentelemetry.js"

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A span as OTLP has it in JSON, with the service that sent it. */
interface Sent {
  readonly service: string
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: ReadonlyArray<Attribute>
  readonly events: ReadonlyArray<{ readonly name: string }>
}

const valueOf = (attributes: ReadonlyArray<Attribute>, name: string): unknown => {
  const found = attributes.find(({ key }) => key === name)
  return found === undefined ? undefined : Object.values(found.value)[0]
}

const received: Array<Sent> = []

/** What a collector does with a request of an exporter: it reads the spans. */
const collector = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString("utf8"))
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(valueOf(resource.attributes, "service.name"))
      for (const { spans } of scopeSpans) for (const span of spans) received.push({ service, ...span })
    }
    response.writeHead(request.url === "/v1/traces" ? 200 : 404, { "content-type": "application/json" }).end("{}")
  })
})

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-otel-"))
beforeAll(() => new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve)))
afterAll(() => {
  collector.close()
  fs.rmSync(temporary, { recursive: true, force: true })
})

describe("18: OpenTelemetry", () => {
  it("a collector receives one trace: the request, the enqueue, both attempts on the other instance", async () => {
    // safe: it listens on a port
    const { port } = collector.address() as AddressInfo
    const { traceId, ...ended } = await Effect.runPromise(
      OpenTelemetry.program(path.join(temporary, "tasks.db"), `http://127.0.0.1:${port}/v1/traces`).pipe(
        Effect.provide(Logger.remove(Logger.defaultLogger))
      )
    )
    expect(ended).toEqual({ status: "success", attempts: 2 })
    const named = (name: string) => received.filter((span) => span.name === name)
    const [request] = named("POST /signup")
    const [sent] = named("task.enqueue mail")
    const runs = named("task.run mail")
    const ofTheTask = [request!, sent!, ...runs, ...named("smtp.send")]
    expect(ofTheTask.map((span) => span.traceId)).toEqual(Array.from({ length: 6 }, () => traceId))
    expect([request!.service, sent!.service, ...runs.map(({ service }) => service)])
      .toEqual(["web", "web", "worker", "worker"])
    expect(sent!.parentSpanId).toBe(request!.spanId)
    expect(runs.map(({ parentSpanId }) => parentSpanId)).toEqual([sent!.spanId, sent!.spanId])
    expect(named("smtp.send").map(({ parentSpanId }) => parentSpanId)).toEqual(runs.map(({ spanId }) => spanId))
    // Producer 4, consumer 5; error 2, ok 1.
    expect([sent!.kind, runs[0]!.kind]).toEqual([4, 5])
    expect(runs.map(({ status }) => status.code)).toEqual([2, 1])
    expect(runs.map(({ attributes }) => valueOf(attributes, "taskflow.outcome"))).toEqual(["retrying", "success"])
    expect(runs.map(({ attributes }) => valueOf(attributes, "error.type"))).toEqual(["SmtpError", undefined])
    expect(runs[0]!.events.map(({ name }) => name)).toContain("exception")
    expect(valueOf(sent!.attributes, "messaging.message.id")).toBe(valueOf(runs[1]!.attributes, "messaging.message.id"))
  })
})
