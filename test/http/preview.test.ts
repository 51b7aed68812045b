/** The line of arguments that lists have: what it says, to whom, and what it never says. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer, Redacted, Schema } from "effect"
import { MemoryBackend, Task, TaskBackend, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { maxPayload, maxPreview, previewOf } from "../../src/http/preview.js"
import * as TaskRedaction from "../../src/http/TaskRedaction.js"
import { cipher, key } from "../support/cipher.js"
import { Orphan, send, serve, tasks, Works } from "./support.js"

const redaction = TaskRedaction.make()
const Plain = Task.make("plain", {
  payload: { note: Schema.String, deep: Schema.Array(Schema.Unknown), pin: Schema.Redacted(Schema.String) }
})

const record = (payload: string) => ({ taskName: "plain", kind: "task", definitionVersion: 1, payload }) as const

const { definition } = Plain
const preview = (payload: unknown) => previewOf(record(JSON.stringify(payload)), definition, redaction)

describe("a preview", () => {
  it("is the payload as JSON, secrets replaced, cut at 160 characters", () => {
    expect(preview({ note: "n", deep: [], pin: "4711" })).toBe("{\"note\":\"n\",\"deep\":[],\"pin\":\"<redacted>\"}")
    const long = preview({ note: "x".repeat(500) })
    expect(long).toHaveLength(maxPreview)
    expect(long?.endsWith("…")).toBe(true)
  })

  it("says nothing of what is empty, too large, no JSON, or not known here", () => {
    for (const payload of [{}, [], null]) expect(preview(payload)).toBeUndefined()
    expect(preview({ note: "x".repeat(maxPayload) })).toBeUndefined()
    expect(previewOf(record("{"), definition, redaction)).toBeUndefined()
    expect(previewOf(record("{\"note\":\"n\"}"), undefined, redaction)).toBeUndefined()
    expect(previewOf({ ...record("{\"note\":\"n\"}"), definitionVersion: 2 }, definition, redaction)).toBeUndefined()
  })

  it("keeps pairs of surrogates whole, wherever it is cut", () => {
    for (let before = 130; before < 160; before += 1) {
      const text = preview({ note: `${"x".repeat(before)}${"😀".repeat(30)}` }) ?? ""
      expect(text).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/)
      expect(text.length).toBeLessThanOrEqual(maxPreview)
    }
  })

  it("survives what an application's own redaction answers", () => {
    const circular: { self?: unknown } = {}
    circular.self = circular
    for (const answer of [circular, 10n, undefined, Symbol("s"), () => 1]) {
      const own = TaskRedaction.make({ redact: () => answer })
      const text = previewOf(record("{\"note\":\"n\"}"), definition, own)
      expect(text === undefined || text.length <= maxPreview).toBe(true)
    }
  })

  it("says that there is more, also where secrets made it short", () => {
    const many = Array.from({ length: 60 }, (_, index) => `value number ${index}`)
    const text = preview({ token: many, note: "behind it" })
    expect(text).toBe("{\"token\":\"<redacted>\"}…")
    expect(preview({ deep: many })).toHaveLength(maxPreview)
  })

  it("is the beginning of what the task by itself shows", () => {
    const own = TaskRedaction.make({ redact: (value) => value })
    for (let size = 0; size < 60; size += 1) {
      const payload = { note: "n".repeat(size), deep: Array.from({ length: size }, (_, at) => ({ at, of: [size] })) }
      const whole = previewOf(record(JSON.stringify(payload)), definition, own)
      expect(preview(payload)).toBe(whole)
    }
  })

  // A word that nothing else is made of.
  const secret = "Zq9SecretWord"
  const texts = fc.oneof(fc.string(), fc.fullUnicodeString(), fc.constant("x".repeat(150)))
  it.prop(
    "is at most 160 characters, never has a secret in it, and is never a throw",
    [fc.record({ note: texts, deep: fc.array(fc.jsonValue()), before: fc.integer({ min: 0, max: 200 }) })],
    ([{ before, deep, note }]) => {
      const text = preview({
        note: `${note}${"y".repeat(before)} password=${secret}`,
        apiKey: secret,
        deep: [...deep, { token: [secret] }],
        pin: secret
      })
      expect((text ?? "").length).toBeLessThanOrEqual(maxPreview)
      expect(text ?? "").not.toContain(secret)
      // Nor the beginning of one, where it was cut.
      expect(text ?? "").not.toContain(secret.slice(0, 4))
    },
    { fastCheck: { numRuns: 500 } }
  )
  it.prop("of any text that may stand in a store is none, or short", [fc.string()], ([payload]) => {
    expect((previewOf(record(payload), definition, redaction) ?? "").length).toBeLessThanOrEqual(maxPreview)
  })
})

const auth = TaskAuth.bearer({
  tokens: [
    { token: Redacted.make("shown-everything"), name: "all", access: "operator" },
    { token: Redacted.make("shown-no-arguments"), name: "looks", access: ["retry"] }
  ]
})
const all = { authorization: "Bearer shown-everything" }
const looks = { authorization: "Bearer shown-no-arguments" }

const previewsOf = (base: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(
    send(base, "GET", "/tasks/", headers),
    ({ body }) => body.items.map(({ preview }: { readonly preview?: string | null }) => preview)
  )

describe("lists", () => {
  it.scopedLive("have it where arguments are shown, for those who may see them, and only there", () =>
    Effect.gen(function*() {
      const { taskId } = yield* Works.enqueue({ n: 1, token: Redacted.make("hidden") })
      yield* (yield* TaskManager).awaitResult(taskId)
      const shown = yield* serve(TaskHttp.layer({ auth, displayArguments: true }))
      expect(yield* previewsOf(shown, all)).toEqual(["{\"n\":1,\"token\":\"<redacted>\"}"])
      expect(yield* previewsOf(shown, looks)).toEqual([undefined])
      for (const displayArguments of [false, "logs"] as const) {
        const hidden = yield* serve(TaskHttp.layer({ auth, displayArguments }))
        expect(yield* previewsOf(hidden, all)).toEqual([undefined])
      }
      // Files and the task by itself are as they were.
      expect((yield* send(shown, "GET", "/tasks/export.ndjson", all)).body).not.toHaveProperty("preview")
      expect((yield* send(shown, "GET", `/tasks/${taskId}`, all)).body).not.toHaveProperty("preview")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("have none of a task that is not registered here, and none that is encrypted", () =>
    Effect.gen(function*() {
      const inner = Layer.succeed(TaskBackend, yield* MemoryBackend.make())
      const life = (id: string) => tasks(Layer.provide(cipher({ keys: [key(id)] }), inner))
      yield* Effect.provide(
        Effect.zipRight(Orphan.enqueue({ note: "n" }), Works.enqueue({ n: 4711 })),
        life("k1")
      )
      const read = Effect.flatMap(serve(TaskHttp.layer({ auth: TaskAuth.open, displayArguments: true })), previewsOf)
      expect(yield* Effect.scoped(Effect.provide(read, life("k1")))).toEqual(["{\"n\":4711}", undefined])
      expect(yield* Effect.scoped(Effect.provide(read, life("k2")))).toEqual([undefined, undefined])
    }))
})
