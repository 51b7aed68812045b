/** Many tasks retried or cancelled behind the answer. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Redacted, Scope, TestClock } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { vi } from "vitest"
import * as Work from "../../src/http/batches/work.js"
import type { Fate } from "../../src/http/bulk.js"
import { plan } from "../../src/http/filter/plan.js"
import type { Batch as Told, BatchesFrame, Frame } from "../../src/http/stream/frame.js"
import { TaskBackendError } from "../../src/TaskError.js"
import { collectedLogs, wrappedBackend } from "../support/engine.js"
import { type Ask, inProcess, json } from "./inProcess.js"
import { accepted } from "./streamSupport.js"
import { Fails, Hangs, Orphan, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = { auth: TaskAuth.open, displayArguments: true }
const never = "01890a5d-ac96-774b-bcce-b302099a8057"

const post = (ask: Ask, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
  const { body: text, headers: type } = json(body ?? {})
  return ask("POST", path, { headers: { "x-taskflow": "1", ...type, ...headers }, body: text })
}
const start = (ask: Ask, body: object) => Effect.map(post(ask, "/tasks/batches", body), ({ body }) => body.batch)
const read = (ask: Ask, { id }: { readonly id: string }) =>
  Effect.map(ask("GET", `/tasks/batches/${id}`), ({ body }) => body)
const stop = (ask: Ask, { id }: { readonly id: string }) => post(ask, `/tasks/batches/${id}/stop`)

const failedOnes = (count: number) =>
  Effect.gen(function*() {
    const ids: Array<string> = []
    for (let n = 0; n < count; n += 1) ids.push((yield* Fails.enqueue()).taskId)
    for (const id of ids) yield* awaitStatus(id, "failed")
    return ids
  })
const waitingOnes = (count: number) =>
  Effect.map(
    Effect.forEach(Array.from({ length: count }, (_, n) => n), (n) => Orphan.enqueue({ note: String(n) })),
    (all) => all.map(({ taskId }) => taskId)
  )
const count = (taskName: string) =>
  Effect.flatMap(
    TaskManager,
    (manager) => Effect.map(manager.list({ taskName, limit: 200 }), ({ items }) => items.length)
  )
const auditOf = Effect.flatMap(
  TaskManager,
  (manager) =>
    Effect.map(
      manager.audit.page({ limit: 200 }),
      ({ items }) =>
        items.filter(({ action }) => action.startsWith("batch")).map(({ parameters, ...entry }) => ({
          ...entry,
          parameters: JSON.parse(parameters)
        })).reverse()
    )
)

describe("a batch", () => {
  it.scoped("does nothing in its undo window, then everything once, and is written down at both ends", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* failedOnes(3)
      const { taskId: works } = yield* Works.enqueue({ n: 1 })
      yield* awaitStatus(works, "success")
      const answer = yield* post(ask, "/tasks/batches", {
        action: "retry",
        selection: { ids: [...ids, ids[0], works, "nonsense", never] },
        startAfter: 5_000
      })
      expect(answer.status).toBe(202)
      const { batch } = answer.body
      expect(batch).toMatchObject({
        action: "retry",
        who: "anonymous",
        q: null,
        state: "waiting",
        stopRequested: false,
        done: 0,
        skipped: 0,
        reasons: [],
        total: 6,
        totalIsFloor: false,
        error: null,
        endedAt: null
      })
      expect(Date.parse(batch.startsAt) - Date.parse(batch.createdAt)).toBe(5_000)
      yield* TestClock.adjust("4900 millis")
      expect(yield* count("fails")).toBe(3)
      expect(yield* read(ask, batch)).toEqual(batch)
      yield* TestClock.adjust("1 second")
      const over = yield* read(ask, batch)
      expect(over).toMatchObject({ state: "done", done: 3, skipped: 3, endedAt: expect.any(String) })
      expect(over.v).toBeGreaterThan(batch.v)
      expect(over.reasons).toEqual(
        expect.arrayContaining([{ reason: "wrongStatus", count: 1 }, { reason: "notFound", count: 2 }])
      )
      expect(yield* count("fails")).toBe(6)
      expect((yield* ask("GET", "/tasks/batches")).body.items).toEqual([over])
      expect(yield* auditOf).toMatchObject([
        {
          who: "anonymous",
          action: "batch.retry",
          target: batch.id,
          outcome: "done",
          parameters: { tasks: 7, startAfter: 5_000, perSecond: null, total: 6 }
        },
        {
          who: "anonymous",
          action: "batch.end",
          target: batch.id,
          outcome: "done",
          parameters: { action: "retry", done: 3, skipped: 3, total: 6 }
        }
      ])
      const again = yield* start(ask, { action: "retry", selection: { ids } })
      yield* TestClock.adjust("1 second")
      expect(yield* read(ask, again)).toMatchObject({ done: 0, reasons: [{ reason: "alreadyRetried", count: 3 }] })
    }).pipe(Effect.provide(tasks())))

  it.scoped("is undone until it begins, and begins before its time when it is told to", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* failedOnes(2)
      const undone = yield* start(ask, { action: "retry", selection: { ids }, startAfter: 5_000 })
      expect((yield* stop(ask, undone)).body).toMatchObject({
        outcome: "undone",
        batch: { state: "stopped", done: 0, error: null }
      })
      yield* TestClock.adjust("1 minute")
      expect(yield* count("fails")).toBe(2)
      const late = yield* stop(ask, undone)
      expect([late.status, late.body._tag, late.body.state]).toEqual([409, "BatchOver", "stopped"])
      expect((yield* post(ask, `/tasks/batches/${undone.id}/start`)).status).toBe(409)

      const begun = yield* start(ask, { action: "retry", selection: { ids }, startAfter: 600_000 })
      expect((yield* post(ask, `/tasks/batches/${begun.id}/start`)).status).toBe(200)
      yield* TestClock.adjust("1 second")
      expect(yield* read(ask, begun)).toMatchObject({ state: "done", done: 2 })
      expect((yield* auditOf).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
        "batch.retry done",
        "batch.end stopped",
        "batch.stop done",
        "batch.stop BatchOver",
        "batch.start BatchOver",
        "batch.retry done",
        "batch.start done",
        "batch.end done"
      ])
    }).pipe(Effect.provide(tasks())))

  it.scoped("goes no faster than asked, and stops behind the tasks under way", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* waitingOnes(40)
      const batch = yield* start(ask, { action: "cancel", selection: { ids }, perSecond: 10 })
      yield* TestClock.adjust("2 seconds")
      const { done } = yield* read(ask, batch)
      expect(done).toBeGreaterThanOrEqual(18)
      expect(done).toBeLessThanOrEqual(23)
      expect((yield* stop(ask, batch)).body.outcome).toBe("stopping")
      yield* TestClock.adjust("1 minute")
      const over = yield* read(ask, batch)
      expect(over).toMatchObject({ state: "stopped", stopRequested: true, error: null, total: 40 })
      expect(over.done).toBe(done)
      const { counts } = yield* Effect.flatMap(TaskManager, (manager) => manager.stats())
      expect(counts).toMatchObject({ cancelled: done, pending: 40 - done })
      const slow = yield* start(ask, { action: "cancel", selection: { filter: { task: "orphan" } }, perSecond: 1 })
      yield* TestClock.adjust("2500 millis")
      expect(yield* read(ask, slow)).toMatchObject({ state: "running", total: 40 })
      const told = yield* read(ask, slow)
      expect(told.done + told.skipped).toBe(3)
    }).pipe(Effect.provide(tasks())))

  it.scoped("without a rate leaves time to others: a pause behind every few tasks", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* waitingOnes(150)
      const batch = yield* start(ask, { action: "cancel", selection: { ids } })
      yield* TestClock.adjust("5 millis")
      expect(yield* read(ask, batch)).toMatchObject({ state: "running", done: 64 })
      yield* TestClock.adjust("1 second")
      expect(yield* read(ask, batch)).toMatchObject({ state: "done", done: 150 })
    }).pipe(Effect.provide(tasks())))

  it.scoped("of a filter is for the runs that were there when it was asked for, its own retries excluded", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      yield* failedOnes(3)
      yield* TestClock.adjust("1 minute")
      const batch = yield* start(ask, {
        action: "retry",
        selection: { filter: { status: ["failed"], q: "since:1h" } },
        perSecond: 1,
        startAfter: 5_000
      })
      expect(batch).toMatchObject({ q: "status:failed since:1h", total: 3, totalIsFloor: false })
      // They fail while it waits and while it runs.
      yield* failedOnes(2)
      yield* TestClock.adjust("1 minute")
      expect(yield* read(ask, batch)).toMatchObject({ state: "done", done: 3, skipped: 0 })
      expect(yield* count("fails")).toBe(8)
    }).pipe(Effect.provide(tasks())))

  it.scoped("of a group of errors is for its failed tasks; no such group, no batch", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      yield* failedOnes(2)
      const [{ fingerprint }] = (yield* ask("GET", "/tasks/errors")).body.items
      const batch = yield* start(ask, { action: "retry", selection: { group: fingerprint } })
      expect(batch).toMatchObject({ q: `group:${fingerprint}`, total: 2 })
      yield* TestClock.adjust("1 second")
      expect(yield* read(ask, batch)).toMatchObject({ state: "done", done: 2 })
      const { body, status } = yield* post(ask, "/tasks/batches", { action: "retry", selection: { group: "none" } })
      expect([status, body._tag]).toEqual([404, "ErrorGroupNotFound"])
    }).pipe(Effect.provide(tasks())))

  it.scoped("is refused when it cannot be read, is too much, or there are too many", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const cancel = { action: "cancel", selection: { ids: [never] } }
      for (
        const body of [
          {},
          { action: "cancel" },
          { ...cancel, action: "delete" },
          { ...cancel, selection: { ids: [] } },
          { ...cancel, selection: { ids: Array(10_001).fill(never) } },
          { ...cancel, selection: { filter: { statuz: ["failed"] } } },
          { ...cancel, selection: { filter: { ["__proto__"]: { status: ["failed"] } } } },
          { ...cancel, selection: { ids: [never], filter: {} } },
          { ...cancel, perSec: 5 },
          { ...cancel, perSecond: 0 },
          { ...cancel, perSecond: 1_001 },
          { ...cancel, startAfter: -1 },
          { ...cancel, startAfter: 600_001 }
        ]
      ) {
        const answer = yield* post(ask, "/tasks/batches", body)
        expect([answer.status, answer.body._tag], JSON.stringify(body).slice(0, 80)).toEqual([
          400,
          "HttpApiDecodeError"
        ])
      }
      const unreadable = yield* post(ask, "/tasks/batches", { ...cancel, selection: { filter: { q: "status:" } } })
      expect([unreadable.status, unreadable.body._tag]).toEqual([400, "TaskFilterError"])
      const unknown = yield* ask("GET", `/tasks/batches/${never}`)
      expect([unknown.status, unknown.body._tag, unknown.body.batch]).toEqual([404, "BatchNotFound", never])
      expect((yield* stop(ask, { id: never })).status).toBe(404)

      // As many ids as one takes fit into the body.
      const many = Array.from({ length: 10_000 }, (_, n) => never.slice(0, -5) + String(10_000 + n))
      const whole = yield* start(ask, { action: "cancel", selection: { ids: many }, startAfter: 60_000 })
      expect(whole.total).toBe(10_000)
      const kept = [whole]
      while (kept.length < 10) kept.push(yield* start(ask, { ...cancel, startAfter: 60_000 }))
      const refused = yield* post(ask, "/tasks/batches", cancel)
      expect([refused.status, refused.body._tag, refused.body.limit]).toEqual([429, "TooManyBatches", 10])
      yield* stop(ask, whole)
      for (let n = 0; n < 60; n += 1) {
        const one = yield* start(ask, { ...cancel, startAfter: 60_000 })
        yield* stop(ask, one)
      }
      const { items } = (yield* ask("GET", "/tasks/batches")).body
      expect(items).toHaveLength(59)
      expect(items.filter(({ state }: Told) => state === "waiting")).toHaveLength(9)
    }).pipe(Effect.provide(tasks())))

  it.scoped("needs the permission of what it does, also to be stopped; everybody may look", () =>
    Effect.gen(function*() {
      const access = { ada: ["cancel"], eve: ["retry"], vera: "viewer" } as const
      const tokenOf = (name: string) => `token-of-${name}-0123456789`
      const ask = yield* inProcess({
        auth: TaskAuth.bearer({
          tokens: Object.entries(access).map(([name, access]) => ({
            name,
            token: Redacted.make(tokenOf(name)),
            access
          }))
        })
      })
      const as = (name: string) => ({ authorization: `Bearer ${tokenOf(name)}` })
      const body = { action: "cancel", selection: { filter: { q: "args.note:secret" } }, startAfter: 1_000 }
      for (const name of ["eve", "vera"]) {
        const { body: answer, status } = yield* post(ask, "/tasks/batches", body, as(name))
        expect([status, answer._tag, answer.permission]).toEqual([403, "TaskForbidden", "cancel"])
      }
      // Who may not see arguments does not search them.
      const hidden = yield* post(ask, "/tasks/batches", body, as("ada"))
      expect([hidden.status, hidden.body._tag]).toEqual([400, "TaskFilterError"])
      const selection = { filter: { task: "orphan" } }
      const { batch } = (yield* post(ask, "/tasks/batches", { ...body, selection }, as("ada"))).body
      for (const name of ["eve", "vera"]) {
        expect((yield* ask("GET", `/tasks/batches/${batch.id}`, { headers: as(name) })).body).toEqual(batch)
        for (const what of ["stop", "start"]) {
          const { body: answer, status } = yield* post(ask, `/tasks/batches/${batch.id}/${what}`, {}, as(name))
          expect([status, answer.permission]).toEqual([403, "cancel"])
        }
      }
      expect((yield* post(ask, `/tasks/batches/${batch.id}/stop`, {}, as("ada"))).body.outcome).toBe("undone")
      expect((yield* auditOf).filter(({ outcome }) => outcome === "denied")).toHaveLength(6)
    }).pipe(Effect.provide(tasks())))

  it.scoped("tells no values of arguments to those who look", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const selection = { filter: { q: "args.note:secret-note task:orphan" } }
      const batch = yield* start(ask, { action: "cancel", selection, startAfter: 1_000 })
      expect(batch.q).toBe("args.note:\"<redacted>\" task:orphan")
      expect(JSON.stringify(yield* auditOf)).not.toContain("secret-note")
    }).pipe(Effect.provide(tasks())))
})

describe("a batch and its server", () => {
  it.scoped("holds up nobody who has none, or whose batches are over", () =>
    Effect.gen(function*() {
      for (const some of [false, true]) {
        const scope = yield* Scope.make()
        const ask = yield* Scope.extend(inProcess(open), scope)
        if (some) yield* start(ask, { action: "cancel", selection: { ids: yield* waitingOnes(3) } })
        yield* TestClock.adjust("5 seconds")
        const timers = vi.spyOn(globalThis, "setTimeout")
        yield* Scope.close(scope, Exit.void)
        expect(timers.mock.calls.map(([, millis]) => millis ?? 0).filter((millis) => millis >= 2_000)).toEqual([])
        timers.mockRestore()
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("is left behind with a backend that does not answer", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const ask = yield* Scope.extend(inProcess(open), scope)
      yield* start(ask, { action: "cancel", selection: { ids: yield* waitingOnes(1) } })
      yield* TestClock.adjust("5 seconds")
      yield* Scope.close(scope, Exit.void)
      expect(logs.lines.map(({ message }) => message).join()).toContain("left behind")
    }).pipe(
      Effect.provide(tasks(wrappedBackend(() => ({ cancel: () => Effect.never })))),
      Effect.provide(logs.layer)
    )
  })

  it.scoped("stops with it, and says so in the audit trail", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const ask = yield* Scope.extend(inProcess(open), scope)
      const ids = yield* waitingOnes(20)
      const running = yield* start(ask, { action: "cancel", selection: { ids }, perSecond: 4 })
      const waiting = yield* start(ask, { action: "cancel", selection: { ids }, startAfter: 60_000 })
      yield* TestClock.adjust("1 second")
      yield* Scope.close(scope, Exit.void)
      const ends = (yield* auditOf).filter(({ action }) => action === "batch.end")
      expect(ends).toHaveLength(2)
      const told = Object.fromEntries(ends.map(({ target, ...one }) => [target, one]))
      const error = expect.stringContaining("shut down")
      expect(told[running.id]).toMatchObject({ outcome: "stopped", parameters: { total: 20, error } })
      expect(told[running.id]?.parameters.done).toBeGreaterThanOrEqual(4)
      expect(told[waiting.id]).toMatchObject({ outcome: "stopped", parameters: { done: 0, error } })
      yield* TestClock.adjust("2 minutes")
      const { counts } = yield* Effect.flatMap(TaskManager, (manager) => manager.stats())
      expect(counts.cancelled).toBe(told[running.id]?.parameters.done)
      expect(logs.lines.filter(({ level }) => level === "Error")).toEqual([])
    }).pipe(Effect.provide(tasks()), Effect.provide(logs.layer))
  })

  const failing = () => {
    const state = { up: true }
    const down = Effect.fail(new TaskBackendError({ method: "cancel", cause: new Error("no route") }))
    const backend = wrappedBackend(({ cancel }) => ({
      cancel: (...args) => Effect.suspend(() => state.up ? cancel(...args) : down)
    }))
    return { state, backend }
  }

  it.scoped("waits for a backend that fails, and goes on where it was", () => {
    const { backend, state } = failing()
    return Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* waitingOnes(6)
      state.up = false
      const batch = yield* start(ask, { action: "cancel", selection: { ids } })
      yield* TestClock.adjust("20 seconds")
      expect(yield* read(ask, batch)).toMatchObject({
        state: "running",
        done: 0,
        error: expect.stringContaining("not available")
      })
      state.up = true
      yield* TestClock.adjust("10 seconds")
      expect(yield* read(ask, batch)).toMatchObject({ state: "done", done: 6, skipped: 0, error: null })
    }).pipe(Effect.provide(tasks(backend)))
  })

  it.scoped("fails after a minute of that, or stops at once when it is told to meanwhile", () => {
    const { backend, state } = failing()
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* waitingOnes(3)
      state.up = false
      const batch = yield* start(ask, { action: "cancel", selection: { ids } })
      const stopped = yield* start(ask, { action: "cancel", selection: { ids } })
      yield* TestClock.adjust("20 seconds")
      yield* stop(ask, stopped)
      yield* TestClock.adjust("10 millis")
      expect(yield* read(ask, stopped)).toMatchObject({ state: "stopped", done: 0, skipped: 0 })
      yield* TestClock.adjust("2 minutes")
      expect(yield* read(ask, batch)).toMatchObject({
        state: "failed",
        done: 0,
        error: expect.stringContaining("for a minute")
      })
      expect((yield* auditOf).at(-1)).toMatchObject({ action: "batch.end", outcome: "failed" })
      expect(logs.lines.some(({ message }) => message.includes(batch.id))).toBe(true)
    }).pipe(Effect.provide(tasks(backend)), Effect.provide(logs.layer))
  })
})

describe("the stream", () => {
  it.scoped("tells how far batches are to whoever asks for the topic", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const ids = yield* waitingOnes(4)
      const changes = (since?: string) =>
        Effect.map(
          ask("GET", `/tasks/changes?topics=batches${since === undefined ? "" : `&since=${since}`}`),
          ({ body }) => ({ next: body.next, told: body.frames.filter(({ t }: Frame) => t === "batches") })
        )
      const first = yield* Effect.fork(changes())
      yield* TestClock.adjust("2 seconds")
      let { next } = yield* Fiber.join(first)
      const batch = yield* start(ask, { action: "cancel", selection: { ids }, perSecond: 1 })
      const told: Array<any> = []
      for (let second = 0; second < 8; second += 1) {
        yield* TestClock.adjust("1 second")
        const more = yield* changes(next)
        told.push(...more.told)
        next = more.next
      }
      expect(told.length).toBeGreaterThanOrEqual(3)
      expect(told.at(-1).b).toEqual([yield* read(ask, batch)])
      expect(told.at(-1).b[0]).toMatchObject({ state: "done", done: 4 })
      expect(told.map(({ b }: BatchesFrame) => b[0]!.v)).toEqual(
        told.map(({ b }: BatchesFrame) => b[0]!.v).sort((a: number, b: number) => a - b)
      )
    }).pipe(Effect.provide(tasks())))
})

describe("the work of a batch", () => {
  it.effect("counts as done what an attempt without an answer had done", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const done = new Set<string>()
      const work = yield* Effect.fork(Work.run({
        source: Work.ofIds([never]),
        perSecond: null,
        halted: yield* Deferred.make<void>(),
        act: (taskId) =>
          Effect.suspend((): Effect.Effect<Fate<string>, TaskBackendError> => {
            if (done.has(taskId)) return Effect.succeed({ reason: "alreadyRetried" })
            done.add(taskId)
            return Effect.fail(new TaskBackendError({ method: "write", cause: new Error("no answer") }))
          }),
        tell: {
          done: () => told.push("done"),
          skipped: (reason) => told.push(reason),
          trouble: (is) => told.push(is ? "trouble" : "fine")
        }
      }))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(work)).toBe("done")
      expect(told.filter((one) => one !== "fine")).toEqual(["trouble", "done"])
    }))

  it.effect("leaves out what was retried since, also where the newest id is of a clock that is ahead", () =>
    Effect.gen(function*() {
      const now = 1_000_000
      const old = accepted(now - 5_000)
      const ahead = accepted(now + 5_000)
      const retried = { ...accepted(now + 1_000), retryOf: old.taskId }
      const later = accepted(now + 9_000)
      const rows = [later, ahead, retried, old]
      const source = Work.ofPlan(
        {
          list: ({ cursor }) =>
            Effect.succeed({
              items: rows.filter(({ taskId }) => cursor === undefined || taskId < cursor),
              nextCursor: null
            })
        },
        plan([], { now }),
        { newest: ahead.taskId, now }
      )
      expect(yield* source.next(10)).toEqual([ahead.taskId, old.taskId])
      expect(yield* source.next(10)).toEqual([])
    }))
})

describe("batches of long running tasks", () => {
  it.scoped("count those that were told to stop as done", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(open)
      const { taskId } = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(taskId, "running")
      const batch = yield* start(ask, { action: "cancel", selection: { filter: { task: "hangs" } } })
      yield* TestClock.adjust("1 second")
      expect(yield* read(ask, batch)).toMatchObject({ state: "done", done: 1, total: 1 })
      yield* awaitStatus(taskId, "cancelled")
    }).pipe(Effect.provide(tasks())))
})
