import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Layer, Logger } from "effect"
import { Task } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine } from "../support/engine.js"
import { Fails, Flaky, Hangs, Orphan, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = { auth: TaskAuth.open }
const q = (text: string) => `q=${encodeURIComponent(text)}`

const idsOf = (base: string, query: string) =>
  Effect.map(send(base, "GET", `/tasks?${query}`), ({ body, status, text }) => {
    expect(status, text).toBe(200)
    return body.items.map(({ taskId }: any) => taskId)
  })

describe("GET /tasks?q=", () => {
  it.scopedLive("shows what fits the words, together with the other parameters, and says how it was read", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const works = (yield* Works.enqueue({ n: 3 }, { tags: { tenant: "acme" } })).taskId
      const failed = (yield* Fails.enqueue()).taskId
      const flaky = (yield* Flaky.enqueue()).taskId
      const hangs = (yield* Hangs.enqueue({ note: "x" })).taskId
      yield* awaitStatus(works, "success")
      yield* awaitStatus(failed, "failed")
      yield* awaitStatus(flaky, "failed")
      yield* awaitStatus(hangs, "running")
      expect(yield* idsOf(base, q("status:failed"))).toEqual([flaky, failed])
      expect(yield* idsOf(base, q("status:failed -task:flaky"))).toEqual([failed])
      expect(yield* idsOf(base, q("task:fails,works"))).toEqual([failed, works])
      expect(yield* idsOf(base, q("error:\"no funds\""))).toEqual([failed])
      expect(yield* idsOf(base, q("attempts:>1"))).toEqual([flaky])
      expect(yield* idsOf(base, q("tag:tenant=acme priority:0 acme"))).toEqual([works])
      expect(yield* idsOf(base, `status=failed&${q("attempts:1")}`)).toEqual([failed])
      expect(yield* idsOf(base, `status=failed&${q("status:success")}`)).toEqual([])
      const { body } = yield* send(
        base,
        "GET",
        `/tasks?task=flaky&limit=7&sort=-attempts&${q("  status:failed   flaky ")}`
      )
      expect(body.applied).toEqual({ q: "task:flaky status:failed flaky", sort: "-attempts", limit: 7 })
      expect(yield* idsOf(base, q(body.applied.q))).toEqual([flaky])
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("points at what cannot be read", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const { body, status } = yield* send(base, "GET", `/tasks?${q("status:failed stauts:x dur:>5parsecs")}`)
      expect(status).toBe(400)
      expect(body).toMatchObject({
        _tag: "TaskFilterError",
        message: expect.stringContaining("q cannot be read: at 14")
      })
      expect(body.errors.map(({ from, to, token }: any) => [from, to, token])).toEqual([
        [14, 20, "stauts"],
        [expect.any(Number), 36, expect.any(String)]
      ])
      expect(body.errors[0].expected[0]).toBe("status")
      for (const path of ["/tasks/export.csv", "/tasks/export.ndjson"]) {
        expect((yield* send(base, "GET", `${path}?${q("nope:1")}`)).body._tag).toBe("TaskFilterError")
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("looks into arguments only where they are shown, and never finds what is kept from view", () => {
    const Leaks = Task.make("leaks")
    const leaking = Leaks.toLayer(() => Effect.die(new Error("login failed, password=hunter22"))).pipe(
      Layer.provide(Logger.remove(Logger.defaultLogger))
    )
    return Effect.gen(function*() {
      const hidden = yield* serve(TaskHttp.layer(open))
      const shown = yield* serve(TaskHttp.layer({ ...open, displayArguments: true }))
      const works = (yield* Works.enqueue({ n: 3, token: Redacted.make("payload-secret") })).taskId
      const tags = { apiKey: "tag-secret", note: `ghp_${"Ab1".repeat(12)}`, owner: "ada@example.com" }
      const leaks = (yield* Leaks.enqueue(undefined, { tags })).taskId
      const redact = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(/\w+@/g, "…@"))
      const asked = yield* serve(TaskHttp.layer({ ...open, redaction: { redact } }))
      yield* awaitStatus(works, "success")
      yield* awaitStatus(leaks, "failed")
      const refused = yield* send(hidden, "GET", `/tasks?${q("args.n:3")}`)
      expect(refused.status).toBe(400)
      expect(refused.body.errors[0].message).toContain("hidden")
      expect(yield* idsOf(shown, q("args.n:3"))).toEqual([works])
      expect(yield* idsOf(shown, q("args.token:payload-secret"))).toEqual([])
      expect(yield* idsOf(shown, q("args.token:p*"))).toEqual([])
      for (const base of [hidden, shown]) {
        expect(yield* idsOf(base, q("error:\"login failed\""))).toEqual([leaks])
        for (const text of ["error:hunter22", "error:password=h", "hunter", "tag-secret", "tag:apiKey=tag*"]) {
          expect(yield* idsOf(base, q(text)), text).toEqual([])
        }
        for (const text of ["tag:apiKey=tag-secret", `tag:note=${tags.note}`, "tag:note=ghp_*", "ghp_Ab1"]) {
          expect(yield* idsOf(base, q(text)), text).toEqual([])
          expect((yield* send(base, "GET", `/tasks/facets?${q(text)}`)).body.failed, text).toBe(0)
        }
        expect(yield* idsOf(base, "tag=apiKey:tag-secret")).toEqual([])
        expect(yield* idsOf(base, q("tag:apiKey tag:owner=ada@example.com"))).toEqual([leaks])
        const all = yield* send(base, "GET", "/tasks")
        expect(all.text).not.toMatch(/hunter22|tag-secret|payload-secret/)
        const one = yield* send(base, "GET", `/tasks/${leaks}`)
        expect(one.text).not.toMatch(/hunter22|tag-secret/)
        expect((yield* send(base, "GET", "/tasks/errors")).text).not.toContain("hunter22")
      }
      for (
        const text of ["tag:owner=ada@example.com", "tag:owner=ada*", "ada@", "-tag:owner=…@example.com task:leaks"]
      ) {
        expect(yield* idsOf(asked, q(text)), text).toEqual([])
      }
      expect(yield* idsOf(asked, q("tag:owner=…@*"))).toEqual([leaks])
    }).pipe(Effect.provide(Layer.provideMerge(leaking, tasks())))
  })

  it.scopedLive("pages by a cursor that is good for its own question alone", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      yield* Orphan.enqueueMany(Array.from({ length: 25 }, (_, n) => ({ note: String(n) })), (_, n) => ({
        tags: { parity: n % 2 === 0 ? "even" : "odd" }
      }))
      const seen: Array<string> = []
      let cursor: string | null = null
      do {
        const from: string = cursor === null ? "" : `&cursor=${cursor}`
        const { body }: any = yield* send(base, "GET", `/tasks?limit=4&${q("odd")}${from}`)
        seen.push(...body.items.map(({ tags }: any) => tags.parity))
        cursor = body.nextCursor
        if (cursor !== null) {
          const other = yield* send(base, "GET", `/tasks?limit=4&${q("even")}&cursor=${cursor}`)
          expect(other.body).toMatchObject({ _tag: "TaskCursorError", reason: "otherQuestion" })
        }
      } while (cursor !== null)
      expect(seen).toEqual(Array.from({ length: 12 }, () => "odd"))
      for (const bad of ["x", "%00", "e30", "a".repeat(1_999)]) {
        const { body, status } = yield* send(base, "GET", `/tasks?cursor=${bad}`)
        expect(status, bad).toBe(400)
        expect(body, bad).toMatchObject({ _tag: "TaskCursorError", reason: "malformed" })
      }
    }).pipe(Effect.provide(engine())))
})
