import { connect } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { type Answer, Fails, send, serve, tasks } from "./support.js"

const open = TaskHttp.layer({ auth: TaskAuth.open })
const known = "01890a5d-ac96-774b-bcce-b302099a8057"

const ids = [
  "0",
  "-1",
  "null",
  "undefined",
  "NaN",
  "constructor",
  "__proto__",
  "toString",
  "metricsx",
  known.toUpperCase(),
  `${known}0`,
  known.slice(1),
  known.replace("-7", "-4"),
  `{${known}}`,
  "%00",
  "%0d%0aSet-Cookie:x",
  "a%2Fb",
  "..%2F..%2Fetc%2Fpasswd",
  "%2e%2e%2fmetrics",
  "%252e%252e",
  "%C0%80",
  "%E0%A4%A",
  "%",
  "%zz",
  "%F0%9F%94%A5",
  "%ED%A0%80",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  "${7*7}",
  "{{7*7}}",
  "%3Bid",
  "*",
  ":id",
  "~",
  "a".repeat(99),
  "a".repeat(101),
  "a".repeat(10_000),
  "%41".repeat(3_000),
  "0".repeat(36)
].map((id) => id.replaceAll(" ", "%20"))

const huge = "9".repeat(400)
const queries = [
  ..."status,task,source,order,limit,cursor,since,until,priority,tag".split(",").flatMap((name) => [
    `${name}=${"x".repeat(8_000)}`,
    `${name}=%00`,
    `${name}=%E0%A4%A`,
    `${name}=${huge}`,
    `${name}=a&${name}=b`,
    `${name}[]=a`,
    `${name}[a]=b`,
    `${name}=%F0%9F%94%A5`,
    `${name}=null`,
    `${name}=__proto__`
  ]),
  ...["status=", "status=,", "status=success,,failed", "status=SUCCESS", "status=failed;running", "status= failed"],
  ...["limit=0", "limit=-1", "limit=201", "limit=1.5", "limit=NaN", "limit=Infinity", "limit=-0", "limit=", "limit= "],
  ...["limit=1e3", "limit=0x10", "limit=1_0", "priority=2147483648", "priority=1e400", "priority=-", "priority=--1"],
  ...[
    "since=now",
    "since=6h",
    "since=2026-13-01",
    "since=2026-02-30T25:00:00Z",
    "since=0",
    "since=2026-01-01T00:00:00"
  ],
  ...["since=+275760-09-14T00:00:00Z", "until=-000001-01-01T00:00:00Z", "until=2026-01-01T00:00:00%2B99:99", "since="],
  ...["tag=", "tag=:", "tag=:x", "tag=novalue", "tag=__proto__:x", "tag=constructor:x", "tag=a:b:c", "tag=a:"],
  ...[`cursor=${known}x`, `cursor=${known.toUpperCase()}`, "cursor=../../x", "cursor=", `cursor=${known}%00`],
  ...["order=random", "order=", "source=MANUAL", "source="],
  ...[
    "__proto__=x",
    "__proto__[limit]=x",
    "constructor.prototype=x",
    "=",
    "&&&&",
    "%=%",
    "a".repeat(8_000),
    "?",
    "?limit=1"
  ],
  Array.from({ length: 1_000 }, () => "status=failed").join("&")
].map((query) => query.replaceAll(" ", "%20"))

/** What every answer to nonsense must be: a success, or a refusal with a tagged body, and no word from inside. */
const harmless = (what: string, { body, headers, status, text }: Answer) => {
  expect([200, 400, 404, 413, 414, 415], `${what} → ${status} ${text.slice(0, 200)}`).toContain(status)
  if (status !== 200) {
    expect(body, what).toMatchObject({ _tag: expect.any(String), message: expect.any(String) })
    expect(headers["content-type"], what).toContain("application/json")
    expect(text, what).not.toMatch(/\n\s+at |node_modules|\/src\/|node:internal/)
  }
}

describe("nonsense", () => {
  it.scopedLive("as an id is 404 with a tagged body, on every route", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const requests = ids.flatMap((id) => [
        ...["", "/logs", "/attempts"].map((route) => ["GET", `/tasks/${id}${route}`] as const),
        ...["/retry", "/cancel"].map((route) => ["POST", `/tasks/${id}${route}`] as const)
      ])
      yield* Effect.forEach(requests, ([method, path]) =>
        Effect.map(send(base, method, path), (answer) => {
          harmless(`${method} ${path.slice(0, 100)}`, answer)
          expect(answer.status, path).toBe(path.length > 8_192 ? 414 : 404)
        }), { concurrency: 16, discard: true })
    }).pipe(Effect.provide(tasks())), 60_000)

  it.scopedLive("as a query is 400 with a tagged body, or means nothing", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { taskId } = yield* Fails.enqueue()
      yield* TaskflowTest.awaitStatus(taskId, "failed")
      const requests = queries.flatMap((query) =>
        ["/tasks", "/tasks/metrics", `/tasks/${taskId}/logs`, `/tasks/${taskId}`].map((path) => `${path}?${query}`)
      )
      yield* Effect.forEach(requests, (path) =>
        Effect.map(send(base, "GET", path), (answer) => harmless(`GET ${path.slice(0, 150)}`, answer)), {
        concurrency: 16,
        discard: true
      })
    }).pipe(Effect.provide(tasks())), 60_000)

  it.scopedLive("in a filter says what was expected", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const cases = {
        "limit=201": "a whole number from 1 to 200 is expected",
        "limit=x": "a whole number from 1 to 200 is expected",
        "status=broken": "\"broken\"",
        "since=2026-01-01T00:00:00": "a time with its zone",
        "tag=novalue": "name:value is expected",
        "order=random": "\"newest\"",
        "priority=99999999999": "a whole number from -2147483647 to 2147483647 is expected"
      }
      for (const [query, text] of Object.entries(cases)) {
        const { body, status } = yield* send(base, "GET", `/tasks?${query}`)
        expect(status, query).toBe(400)
        expect(body._tag).toBe("HttpApiDecodeError")
        expect(body.message, query).toContain(text)
        expect(body.issues[0].path[0], query).toBe(query.split("=")[0])
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("as a body or a header of a write changes nothing", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const bodies = ["", "{", "null", "[]", "\u0000", "{\"__proto__\":{}}", "x".repeat(1_000_000)]
      const types = [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "💥"
      ]
      for (const body of bodies) {
        for (const type of types) {
          const headers = { "content-type": Buffer.from(type).toString("latin1") }
          harmless(`POST ${type}`, yield* send(base, "POST", `/tasks/${known}/retry`, headers, body))
        }
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("nested deeper than anybody nests is refused, wherever it stands in a body", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`
      const json = { "content-type": "application/json" }
      for (
        const [path, body] of [
          ["/tasks/bulk-retry", (deep: string) => `{"ids":${deep}}`],
          ["/tasks/bulk-cancel", (deep: string) => `{"filter":{"q":${deep}}}`],
          ["/tasks/definitions/works/enqueue", (deep: string) => `{"payload":{"n":${deep}}}`],
          [
            "/tasks/definitions/works/enqueue",
            (deep: string) => `{"payload":${deep.replaceAll("[", "{\"a\":[").replaceAll("]", "]}")}}`
          ],
          ["/tasks/definitions/works/enqueue", (deep: string) => `{"tags":${deep}}`],
          ["/tasks/auth/login", (deep: string) => `{"username":${deep},"password":"x"}`]
        ] as const
      ) {
        for (const depth of [300, 5_000, 10_000]) {
          const text = body(nested(depth))
          if (text.length > 65_536) continue
          const answer = yield* send(base, "POST", path, json, text)
          expect([answer.status, answer.body._tag], `${path} ${depth}`).toEqual(
            text.length > 16_384 && path.includes("login") ? [413, "BodyTooLarge"] : [400, "BodyMalformed"]
          )
        }
      }
      // Brackets in texts are texts.
      const { status } = yield* send(base, "POST", "/tasks/bulk-retry", json, `{"ids":["\\"${"[".repeat(90)}"]}`)
      expect(status).toBe(200)
      const many = `{"ids":[${Array.from({ length: 300 }, () => `"\\\\[[{{\\""`).join(",")}]}`
      expect((yield* send(base, "POST", "/tasks/bulk-retry", json, many)).status).toBe(200)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("as bytes on the wire leaves the server answering others", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const raw = (text: string) =>
        Effect.async<string>((resume) => {
          const socket = connect(Number(new URL(base).port), "127.0.0.1", () => socket.end(text, "latin1"))
          let answer = ""
          socket.on("data", (data) => (answer += data.toString("latin1")))
          socket.on("error", () => {})
          socket.on("close", () => resume(Effect.succeed(answer)))
        })
      const lines = [
        "GET /tasks?x=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /tasks/\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://evil.example/tasks HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://evil.example/tasks/metrics?task=x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET tasks HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /tasks HTTP/1.0\r\n\r\n",
        "POST /tasks/x/cancel HTTP/1.0\r\nOrigin: http://x\r\n\r\n",
        "GET /tasks HTTP/1.1\r\n\r\n",
        "PROPFIND /tasks HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /tasks HTTP/9.9\r\nHost: x\r\n\r\n",
        "\x00\x01\x02\r\n\r\n",
        `GET /tasks?${"a".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`
      ]
      for (const line of lines) {
        const answer = yield* raw(line)
        expect(answer.slice(0, 300), line.slice(0, 60)).toMatch(/^HTTP\/1\.1 (200|4\d\d)/)
        expect(answer).not.toMatch(/\n\s+at /)
      }
      expect((yield* send(base, "GET", "/tasks")).status).toBe(200)
    }).pipe(Effect.provide(tasks())))
})
