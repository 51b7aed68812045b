/** A whole engine whose way to the server is refused, cut, divided or slow. Real servers, real time, no waiting but for events. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Logger, LogLevel, Schema } from "effect"
import {
  Task,
  type TaskBackend,
  TaskBackendError,
  TaskflowLayer,
  type TaskflowOptions,
  TaskManager
} from "effect-taskflow"
import { makeProxy } from "../chaos/support/proxy.js"
import { collectedLogs } from "../support/engine.js"
import { eventually } from "../support/schedules.js"
import { testServers } from "../support/servers.js"

const Note = Task.make("note", { payload: { text: Schema.String } })
const Again = Task.make("again", { payload: {}, requeueOnInterrupt: true, success: Schema.String })
const Once = Task.make("once", { payload: {}, success: Schema.String })

const engineOn = <H>(
  backend: Layer.Layer<TaskBackend, unknown>,
  handlers: Layer.Layer<H, never, TaskManager>,
  options: TaskflowOptions = {}
) =>
  Effect.map(
    Layer.build(handlers.pipe(
      Layer.provideMerge(
        TaskflowLayer({ announce: false, shutdownTimeout: "1 second", sameHostDetection: false, ...options })
      ),
      Layer.provide(backend)
    )),
    Context.unsafeGet(TaskManager)
  )

describe("the layer of a backend", () => {
  it.scopedLive("fails with the reason when the server refuses it, and within seconds when nobody answers", () =>
    Effect.forEach(
      testServers.filter(({ present }) => present),
      ({ layer, name, prefix, target }) =>
        Effect.gen(function*() {
          const proxy = yield* makeProxy({ target })
          const own = yield* prefix
          const fails = Effect.flip(Effect.scoped(Layer.build(layer(own, proxy.port))))
          for (const mode of ["refuse", "partition"] as const) {
            yield* proxy.set(mode)
            const error = yield* fails
            expect(error, name).toBeInstanceOf(TaskBackendError)
            expect(String(error), name).toMatch(/the task backend failed in connect: /)
            expect(String(error), name).not.toMatch(/Failed to connect/)
          }
          yield* proxy.set("pass")
          yield* Effect.scoped(Layer.build(layer(own, proxy.port)))
        }),
      { concurrency: "unbounded" }
    ).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
})

for (const { kind, layer, name, prefix, present, target } of testServers) {
  describe.skipIf(!present)(`an engine on a way to ${name}`, () => {
    it.scopedLive("that breaks in place of an answer runs everything once, and nothing twice", () =>
      Effect.gen(function*() {
        const proxy = yield* makeProxy({ target })
        const ran: Array<string> = []
        const handler = Note.toLayer(({ text }) => Effect.sync(() => void ran.push(text)))
        const manager = yield* engineOn(layer(yield* prefix, proxy.port), handler)
        const texts: Array<string> = []
        // The server has the task, or has committed something, and who asked does not know.
        const answers = kind === "redis" ? [/note-\d/, /EVALSHA/i] : [/note-\d/, /COMMIT/]
        for (let round = 0; round < 6; round += 1) {
          const text = `note-${round}`
          texts.push(text)
          yield* proxy.loseAnswer(answers[round % 2])
          const { _tag, taskId } = yield* manager.enqueue(Note, { text }, { idempotencyKey: text })
          expect(_tag).toBe("Enqueued")
          yield* manager.awaitResult(taskId)
        }
        yield* manager.awaitIdle
        expect(ran).toEqual(texts)
        expect((yield* manager.stats()).counts).toMatchObject({ success: 6, pending: 0, running: 0, failed: 0 })
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

    it.scopedLive("that was away for longer than its lease writes nothing of its old life, and goes on", () =>
      Effect.gen(function*() {
        const own = yield* prefix
        const proxy = yield* makeProxy({ target })
        const release = yield* Deferred.make<void>()
        const begun = { again: 0, once: 0 }
        // Neither its own interruption nor that of others keeps it from its end.
        const waiting = (which: keyof typeof begun) =>
          Effect.sync(() => begun[which] += 1).pipe(
            Effect.zipRight(Effect.uninterruptible(Deferred.await(release))),
            Effect.as("by the first")
          )
        const options = { lease: "1200 millis" } as const
        const a = yield* engineOn(
          layer(own, proxy.port),
          Layer.mergeAll(
            Again.toLayer(() => waiting("again")),
            Once.toLayer(() => waiting("once")),
            Note.toLayer(() => Effect.void)
          ),
          options
        )
        const before = a.instance
        const [again, once] = [yield* a.enqueue(Again, undefined), yield* a.enqueue(Once, undefined)]
        yield* eventually(Effect.sync(() => begun), (by) => by.again === 1 && by.once === 1)
        yield* proxy.set("partition")
        const b = yield* engineOn(
          layer(own, target.port),
          Layer.merge(
            Again.toLayer(() => Effect.succeed("by the second")),
            Once.toLayer(() => Effect.succeed("by nobody"))
          ),
          options
        )
        expect(yield* b.awaitResult(again.taskId)).toMatchObject({ status: "success", claim: 2, owner: null })
        expect(yield* b.awaitResult(once.taskId)).toMatchObject({ status: "interrupted", stopReason: "instanceDied" })
        // Both end here and are written, on a way that hands it on when it is back.
        yield* Deferred.succeed(release, undefined)
        yield* proxy.set("pass")
        yield* eventually(Effect.sync(() => a.instance), (now) => now !== before)
        const { taskId } = yield* Effect.retry(a.enqueue(Note, { text: "on" }), { times: 5 })
        expect(yield* a.awaitResult(taskId)).toMatchObject({ status: "success" })
        for (const manager of [a, b]) {
          expect(yield* manager.get(again.taskId)).toMatchObject({
            status: "success",
            result: JSON.stringify("by the second"),
            claim: 2
          })
          expect(yield* manager.get(once.taskId)).toMatchObject({ status: "interrupted", claim: 1, attempts: 1 })
        }
        expect((yield* b.stats()).counts).toMatchObject({ success: 2, interrupted: 1, pending: 0, running: 0 })
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

    it.scopedLive("that takes 300 ms longer keeps its lease, and runs everything once", () => {
      const logs = collectedLogs()
      return Effect.gen(function*() {
        const own = yield* prefix
        const proxy = yield* makeProxy({ target })
        const ran = new Map<number, number>()
        const handler = Note.toLayer(({ text }) =>
          Effect.sync(() => void ran.set(Number(text), (ran.get(Number(text)) ?? 0) + 1))
        )
        const options = { lease: "6 seconds", heartbeatInterval: "500 millis" } as const
        const a = yield* engineOn(layer(own, proxy.port), handler, options)
        const before = a.instance
        const b = yield* engineOn(layer(own, target.port), Layer.empty, options)
        yield* proxy.set({ slowMillis: 300 })
        const enqueued = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: 40 }, (_, n) => n),
            (n) => n % 2 === 0 ? a.enqueue(Note, { text: `${n}` }) : b.enqueue(Note, { text: `${n}` }),
            { concurrency: 10 }
          )
        )
        for (const { taskId } of yield* Fiber.join(enqueued)) yield* b.awaitResult(taskId)
        const beats = Effect.map(b.instances, (all) => all.find(({ id }) => id === before)?.beat ?? 0)
        const from = yield* beats
        yield* eventually(beats, (beat) => beat >= from + 3)
        expect(ran).toEqual(new Map(Array.from({ length: 40 }, (_, n) => [n, 1])))
        expect(a.instance).toBe(before)
        expect(logs.lines.filter(({ message }) => /declared dead|no heartbeat reached/.test(message))).toEqual([])
        yield* proxy.set("pass")
      }).pipe(Effect.provide(logs.layer))
    })
  })
}
