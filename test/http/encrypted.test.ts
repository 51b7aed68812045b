/** What is served of tasks that cannot be decrypted here: everything but what they carry, and no text of the store. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { MemoryBackend, TaskBackend, TaskManager, type TaskRecord } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { cipher, key } from "../support/cipher.js"
import { Fails, post, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open, displayArguments: true })

const enqueued = Effect.gen(function*() {
  const works = (yield* Works.enqueue({ n: 4711 }, { idempotencyKey: "order 4711" })).taskId
  yield* awaitStatus(works, "success")
  const fails = (yield* Fails.enqueue()).taskId
  yield* awaitStatus(fails, "failed")
  const entry = { id: "00000000-0000-4000-8000-0000000000a1", at: 0, who: "anna", action: "told", target: null }
  const parameters = "{\"filter\":{\"q\":\"key:4711\"}}"
  yield* (yield* TaskManager).audit.append([{ ...entry, parameters, outcome: "done" }])
  return { works, fails }
})

describe("a server without the key of its tasks", () => {
  it.scopedLive("shows them as encrypted, retries none of them, and fails nowhere", () =>
    Effect.gen(function*() {
      const inner = Layer.succeed(TaskBackend, yield* MemoryBackend.make())
      const life = (id: string) => tasks(Layer.provide(cipher({ keys: [key(id)] }), inner))
      const { fails, works } = yield* Effect.provide(enqueued, life("k1"))
      yield* Effect.gen(function*() {
        const base = yield* serve(open)
        const get = (path: string) => send(base, "GET", `/tasks${path}`)
        const one = yield* get(`/${works}`)
        expect(one.body).toMatchObject({
          taskName: "works",
          status: "success",
          tags: { parity: "odd" },
          idempotencyKey: "<encrypted>",
          progress: { value: 0.5, message: "<encrypted>" },
          hidden: ["result", "payload"]
        })
        expect((yield* get(`/${fails}`)).body).toMatchObject({ error: "<encrypted>", hidden: ["payload"] })
        const lines = yield* get(`/${works}/logs`)
        expect(lines.body.items.map(({ message }: any) => message)).toEqual(["<encrypted>", "<encrypted>"])
        const groups = yield* get("/errors")
        expect(groups.body.items[0]).toMatchObject({ count: 1, sample: { message: "<encrypted>", frame: null } })
        const { fingerprint } = groups.body.items[0]
        const ofGroup = yield* get(`/?group=${fingerprint}`)
        expect(ofGroup.body.items.map(({ taskId }: any) => taskId)).toEqual([fails])

        const retried = yield* post(base, `/tasks/${fails}/retry`)
        expect([retried.status, retried.body]).toMatchObject([
          409,
          { _tag: "TaskDecryptionError", taskId: fails, keyId: "k1" }
        ])
        const reasons = [{ reason: "encrypted", count: 1 }]
        for (const dryRun of ["", "?dryRun=true"]) {
          const many = yield* post(base, `/tasks/bulk-retry${dryRun}`, { ids: [fails] })
          expect(many.body).toMatchObject({ dispatched: 0, skipped: 1, reasons })
        }
        const told = yield* get("/audit?action=told")
        expect(told.body.items).toMatchObject([{ who: "anna", parameters: "<encrypted>" }])
        const answers = [
          told,
          one,
          lines,
          groups,
          yield* get("/"),
          yield* get(`/${fails}/attempts`),
          yield* get("/export.csv"),
          yield* get("/export.ndjson"),
          yield* get("/facets")
        ]
        for (const { status, text } of answers) {
          expect(status).toBe(200)
          expect(text).not.toMatch(/enc1\.|hash1\.|4711|no funds/)
        }
      }).pipe(Effect.provide(life("k2")))
    }))

  it.scopedLive("and one whose rows were cut or exchanged answers all the same", () =>
    Effect.gen(function*() {
      const inner = yield* MemoryBackend.make()
      const { fails, works } = yield* Effect.provide(
        enqueued,
        tasks(Layer.provide(cipher(), Layer.succeed(TaskBackend, inner)))
      )
      const [worked, failed] = yield* Effect.forEach(
        [works, fails],
        (id) => Effect.map(inner.get(id), Option.getOrThrow)
      )
      const cut = (length: number) => (text: string) => text.slice(0, length)
      const swapped = (text: string) => text === worked!.payload ? failed!.payload : worked!.payload
      for (const broken of [cut(0), cut(12), cut(60), swapped]) {
        const optional = (text: string | null) => text === null ? null : broken(text)
        const row = (record: TaskRecord.TaskRecord): TaskRecord.TaskRecord => ({
          ...record,
          payload: broken(record.payload),
          result: optional(record.result),
          failure: record.failure === null ? null : { ...record.failure, error: optional(record.failure.error) },
          progress: record.progress === null ? null : { ...record.progress, message: optional(record.progress.message) }
        })
        const tampered: TaskBackend["Type"] = {
          ...inner,
          get: (id) => Effect.map(inner.get(id), Option.map(row)),
          list: (query) => Effect.map(inner.list(query), (page) => ({ ...page, items: page.items.map(row) })),
          logs: (id, options) =>
            Effect.map(
              inner.logs(id, options),
              (lines) => lines.map((line) => ({ ...line, annotations: optional(line.annotations) }))
            ),
          errors: {
            ...inner.errors,
            list: (query) =>
              Effect.map(inner.errors.list(query), (page) => ({
                ...page,
                items: page.items.map((group) => ({
                  ...group,
                  sample: { ...group.sample, frame: optional(group.sample.frame) }
                }))
              }))
          },
          audit: {
            ...inner.audit,
            page: (query) =>
              Effect.map(inner.audit.page(query), (page) => ({
                ...page,
                items: page.items.map((entry) => ({ ...entry, parameters: broken(entry.parameters) }))
              }))
          }
        }
        yield* Effect.gen(function*() {
          const base = yield* serve(open)
          for (
            const path of [
              `/${works}`,
              `/${fails}`,
              `/${works}/logs`,
              `/${fails}/attempts`,
              "/",
              "/?q=-args.n:1",
              "/?q=error:no",
              "/audit",
              "/errors",
              "/export.csv",
              "/export.ndjson"
            ]
          ) {
            const { status, text } = yield* send(base, "GET", `/tasks${path}`)
            expect([path, status]).toEqual([path, 200])
            expect(text).not.toMatch(/4711|no funds/)
          }
        }).pipe(Effect.provide(tasks(Layer.provide(cipher(), Layer.succeed(TaskBackend, tampered)))))
      }
    }))

  it.scopedLive("shows them again with it", () =>
    Effect.gen(function*() {
      const inner = Layer.succeed(TaskBackend, yield* MemoryBackend.make())
      const life = tasks(Layer.provide(cipher(), inner))
      const { works } = yield* Effect.provide(enqueued, life)
      yield* Effect.gen(function*() {
        const base = yield* serve(open)
        const { body } = yield* send(base, "GET", `/tasks/${works}`)
        expect(body).toMatchObject({ payload: { n: 4711 }, idempotencyKey: "order 4711", hidden: [] })
        const groups = yield* send(base, "GET", "/tasks/errors")
        expect(groups.body.items[0].sample).toMatchObject({ name: "Declined" })
        const told = yield* send(base, "GET", "/tasks/audit?action=told")
        expect(told.body.items).toMatchObject([{ parameters: { filter: { q: "key:4711" } } }])
        const negated = yield* send(base, "GET", `/tasks?q=-group:${groups.body.items[0].fingerprint}`)
        expect(negated.body.items.map(({ taskId }: any) => taskId)).toEqual([works])
      }).pipe(Effect.provide(life))
    }))
})
