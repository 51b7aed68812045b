/**
 * Requests that nobody should send: every operation of the API, with what its schemas allow, with what they nearly allow, and
 * with what was written to break something.
 */
import { request as nodeRequest } from "node:http"
import { OpenApi } from "@effect/platform"
import { Effect, FastCheck as fc } from "effect"
import { TaskApi } from "effect-taskflow/http"

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface Got {
  readonly status: number
  readonly type: string
  readonly text: string
}

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly items?: Schema
  readonly anyOf?: ReadonlyArray<Schema>
  readonly properties?: Readonly<Record<string, Schema>>
  readonly minimum?: number
  readonly maximum?: number
}

interface Operation {
  readonly parameters?: ReadonlyArray<{ readonly name: string; readonly in: string; readonly schema: Schema }>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

const spec = OpenApi.fromApi(TaskApi.make())

/** What breaks parsers, databases, templates and paths. */
const hostileTexts = [
  ...[
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "NaN",
    "Infinity",
    "1e400",
    "0x10",
    "9".repeat(400),
    "null",
    "undefined",
    "true",
    "[]",
    "{}"
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "\u0000", "a\u0000b", "\u202e", "💥", "é", "ﬀ"],
  ...[
    "' OR 1=1 --",
    "\"; DROP TABLE taskflow_done; --",
    "%",
    "_",
    "%27",
    "\\",
    "${7*7}",
    "{{7*7}}",
    "<script>alert(1)</script>"
  ],
  ...["../../etc/passwd", "..%2f..%2f", "/", "//", "?", "#", "a/b", ";", ":", ",", "=", "&", "|", "(", ")", "*", "*:*"],
  ...[
    "\r\nSet-Cookie: x=1",
    "x".repeat(300),
    "y".repeat(2_001),
    "[1,2]",
    "[1,\"a\"]",
    "eyJ2IjoxfQ",
    "2026-13-45",
    "6h6h",
    "all"
  ],
  ...[
    "status:failed",
    "status:",
    "-",
    "-status:failed",
    "\"",
    "\"open",
    "args.a.b:c",
    "dur:>5s",
    "dur:>>5s",
    "task:a,b,*",
    "(("
  ]
]

const hostile = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ maxLength: 40, unit: "binary" }).map((text) => text.replaceAll(/[\ud800-\udfff]/g, "?")),
  fc.integer().map(String),
  fc.double().map(String)
)

const resolved = (schema: Schema): Schema =>
  schema.$ref === undefined
    ? schema
    : spec.components.schemas[decodeURIComponent(schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1))] as Schema

/** A value of the schema, as far as it says. */
const fitting = (given: Schema, depth = 0): fc.Arbitrary<unknown> => {
  const schema = resolved(given)
  if (depth > 4) return fc.constant(null)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fitting(one, depth + 1)))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case "integer":
      return fc.integer({ min: schema.minimum ?? -10, max: Math.min(schema.maximum ?? 2_000, 2_147_483_647) })
    case "number":
      return fc.double({ min: 0, max: 1e6, noNaN: true })
    case "boolean":
      return fc.boolean()
    case "array":
      return fc.array(fitting(schema.items ?? {}, depth + 1), { maxLength: 4 })
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties ?? {}).map(([name, one]) => [name, fitting(one, depth + 1)])
        ),
        { requiredKeys: [] }
      )
    case "string":
      return fc.oneof(hostile, fc.constantFrom("works", "fails", "6h", "2026-01-01", "a:b", "true"))
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

const inQuery = (value: unknown): string =>
  Array.isArray(value) ? value.join(",") : typeof value === "object" ? JSON.stringify(value) : String(value)

const headers = fc.record(
  {
    "x-taskflow": fc.constantFrom("1", "1", "1", "0", ""),
    "content-type": fc.constantFrom(
      ...[
        "application/json",
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        ""
      ]
    ),
    accept: fc.constantFrom("*/*", "text/html", "application/json", "nonsense"),
    "last-event-id": fc.constantFrom("x", "a-1", "9".repeat(100)),
    origin: fc.constantFrom("null", "http://evil", "http://127.0.0.1"),
    "sec-fetch-site": fc.constantFrom("same-origin", "none", "cross-site", "x"),
    cookie: fc.constantFrom("taskflow=x", "taskflow=", "=;=", "a".repeat(2_000)),
    authorization: fc.constantFrom("Basic !!!", "Bearer x", "Basic", "Basic YTpi", "Digest x"),
    "x-forwarded-for": fc.constantFrom("1.1.1.1", "x, y", ""),
    range: fc.constantFrom("bytes=0-1", "x")
  },
  { requiredKeys: ["x-taskflow"] }
)

/** Requests for a server at which these ids are known. */
export const requests = (known: ReadonlyArray<string>): fc.Arbitrary<Sent> => {
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    // safe: the part of the document that is read here
    Object.entries(methods).map(([method, one]) => ({ path, method, one: one as unknown as Operation }))
  )
  return fc.constantFrom(...operations).chain(({ method, one, path }) => {
    const parameters = one.parameters ?? []
    const body = Object.values(one.requestBody?.content ?? {})[0]?.schema
    const inPath = parameters.filter((parameter) => parameter.in === "path")
    const query = parameters.filter((parameter) => parameter.in === "query")
    return fc.record({
      path: fc.tuple(...inPath.map(() => fc.oneof(fc.constantFrom(...known), hostile))),
      query: fc.record(
        Object.fromEntries(query.map(({ name, schema }) => [name, fc.oneof(fitting(schema).map(inQuery), hostile)])),
        { requiredKeys: [] }
      ),
      more: fc.option(fc.tuple(hostile, hostile), { freq: 6 }),
      headers,
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(method.toUpperCase()) },
        { weight: 1, arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") }
      ),
      body: fc.oneof(
        (body === undefined ? fc.jsonValue() : fitting(body)).map((value) => JSON.stringify(value)),
        fc.constantFrom(
          "",
          "{",
          "[]",
          "null",
          "\u0000",
          "{\"ids\":[{}]}",
          "{\"__proto__\":{\"a\":1}}",
          "[".repeat(5_000)
        ),
        fc.constant(undefined)
      )
    }).map((parts): Sent => {
      const filled = inPath.reduce(
        (text, { name }, index) => text.replace(`{${name}}`, encodeURIComponent(parts.path[index]!)),
        path
      )
      const search = [...Object.entries(parts.query), ...parts.more === null ? [] : [parts.more]]
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
        .join("&")
      return {
        method: parts.method,
        path: search === "" ? filled : `${filled}?${search}`,
        headers: Object.fromEntries(
          Object.entries(parts.headers).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
        ),
        body: parts.method === "GET" || parts.method === "HEAD" ? undefined : parts.body
      }
    })
  })
}

/** Sends one and waits for the answer, of a stream for its first bytes. Dies when none comes within the time. */
export const exchange = (base: string, sent: Sent, millis: number): Effect.Effect<Got> =>
  Effect.async<Got>((resume) => {
    const { hostname, port } = new URL(base)
    const what = () => `${sent.method} ${sent.path.slice(0, 300)} ${JSON.stringify(sent.body)?.slice(0, 300)}`
    const { body, method, path } = sent
    // Node.js would send the body of a DELETE without its length, which is no HTTP.
    const headers = body === undefined ? sent.headers : { ...sent.headers, "content-length": Buffer.byteLength(body) }
    const request = nodeRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const type = String(response.headers["content-type"] ?? "")
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
        if (type.startsWith("text/event-stream")) done()
      })
      const done = () => {
        clearTimeout(timer)
        resume(Effect.succeed({ status: response.statusCode ?? 0, type, text }))
        if (!response.complete) request.destroy()
      }
      response.on("end", done).on("error", () => {})
    })
    const timer = setTimeout(() => {
      resume(Effect.dieMessage(`no answer within ${millis} ms: ${what()}`))
      request.destroy()
    }, millis)
    request.on("error", (error) => {
      clearTimeout(timer)
      resume(Effect.dieMessage(`${String(error)}: ${what()}`))
    })
    request.end(body)
  })
