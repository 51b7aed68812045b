/** A whole engine on a file that cannot grow, and on one that takes no writes: who is told what, and what is there afterwards. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { describe, expect, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { Task, TaskBackendError, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"
import { watchSqlite } from "../chaos/support/sqliteFaults.js"
import { collectedLogs } from "../support/engine.js"

const Note = Task.make("note", { payload: { n: Schema.Int, text: Schema.String } })
const Held = Task.make("held", { payload: {}, success: Schema.String })

// More than a page: what is written needs another one.
const text = "x".repeat(20_000)

const place = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const filename = join(folder, "tasks.db")
  const faults = yield* Effect.acquireRelease(
    Effect.sync(() => watchSqlite(filename)),
    ({ end }) => Effect.sync(end)
  )
  return { filename, faults }
})

/** An engine with a task that runs until it is told, and how often the others ran. */
const running = (filename: string) =>
  Effect.gen(function*() {
    const ran = new Map<number, number>()
    const release = yield* Deferred.make<void>()
    const begun = yield* Deferred.make<void>()
    const handlers = Layer.merge(
      Note.toLayer(({ n }) => Effect.sync(() => void ran.set(n, (ran.get(n) ?? 0) + 1))),
      Held.toLayer(() =>
        Effect.zipRight(Deferred.succeed(begun, undefined), Effect.as(Deferred.await(release), "as it should"))
      )
    )
    const engine = TaskflowLayer({ announce: false, journal: { maxOutage: "200 millis" } }).pipe(
      Layer.provide(SqliteBackend.layer({ filename }))
    )
    const context = yield* Layer.build(Layer.provideMerge(handlers, engine))
    const manager = Context.get(context, TaskManager)
    const note = (n: number) => manager.enqueue(Note, { n, text }, { idempotencyKey: `${n}` })
    const held = yield* manager.enqueue(Held, undefined)
    yield* Deferred.await(begun)
    return { ran, manager, note, held: held.taskId, release: Deferred.succeed(release, undefined) }
  })

/** What another connection finds in the file. */
const rowsIn = (filename: string) =>
  Effect.gen(function*() {
    const sql = yield* SqliteClient.make({ filename })
    const [row] = yield* sql<{ readonly live: number; readonly keys: number; readonly done: number }>`
      SELECT (SELECT COUNT(*) FROM taskflow_live) AS live, (SELECT COUNT(*) FROM taskflow_keys) AS keys,
        (SELECT COUNT(*) FROM taskflow_done) AS done`
    return row
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))

const cases = [
  { fault: "full", why: /database or disk is full: make room where it keeps its files.*written by itself/ },
  { fault: "readOnly", why: /readonly database: let it take writes again.*written by itself/ }
] as const

for (const { fault, why } of cases) {
  describe(`an engine on a file that is ${fault === "full" ? "full" : "read-only"}`, () => {
    it.scopedLive("says so to who enqueues, half-writes nothing, and has everything once it takes writes again", () => {
      const logs = collectedLogs()
      return Effect.gen(function*() {
        const { faults, filename } = yield* place
        const { held, manager, note, ran, release } = yield* running(filename)
        yield* note(0)
        yield* manager.awaitResult((yield* note(1)).taskId)
        faults.set(fault)
        const before = yield* rowsIn(filename)
        const errors = yield* Effect.forEach([2, 3, 4], (n) => Effect.flip(note(n)), { concurrency: "unbounded" })
        for (const error of errors) {
          expect(error).toBeInstanceOf(TaskBackendError)
          expect(error.message).toMatch(why)
        }
        expect(yield* rowsIn(filename)).toEqual(before)

        // What runs goes on, and its outcome waits for the file.
        const result = yield* Effect.fork(manager.awaitResult(held))
        yield* release
        const cancelled = yield* Effect.flip(manager.cancel(held))
        expect(cancelled).toBeInstanceOf(TaskBackendError)
        // What is in the file can be read all the while.
        expect((yield* manager.stats()).counts).toMatchObject({ success: 2, running: 1, pending: 0 })
        expect((yield* manager.list({})).items).toHaveLength(3)
        expect(yield* Fiber.poll(result)).toMatchObject({ _tag: "None" })

        faults.set("none")
        expect(yield* Fiber.join(result)).toMatchObject({ status: "success", attempts: 1 })
        const again = yield* Effect.forEach([2, 3, 4, 5], (n) => note(n), { concurrency: "unbounded" })
        for (const { taskId } of again) yield* manager.awaitResult(taskId)
        yield* manager.awaitIdle
        expect(ran).toEqual(new Map([0, 1, 2, 3, 4, 5].map((n) => [n, 1])))
        expect((yield* manager.stats()).counts).toMatchObject({ success: 7, running: 0, pending: 0, failed: 0 })

        for (const words of ["task journal: the backend failed", "takes writes again"]) {
          expect(logs.lines.filter(({ level, message }) => level !== "Debug" && message.includes(words))).toHaveLength(
            1
          )
        }
      }).pipe(Effect.provide(logs.layer))
    })
  })
}

describe("a layer on a file that takes no writes", () => {
  it.scopedLive("fails with the reason, and what to do", () =>
    Effect.gen(function*() {
      const { faults, filename } = yield* place
      faults.set("readOnly")
      const error = yield* Effect.flip(Effect.scoped(Layer.build(SqliteBackend.layer({ filename }))))
      expect(error).toBeInstanceOf(TaskBackendError)
      expect(error.message).toMatch(/let it take writes again/)
    }))
})
