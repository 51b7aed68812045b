/** What changes in the fleet, as a stream: on memory, in a time that the test moves. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Schema, Stream, TestClock } from "effect"
import { Task, type TaskChanges, TaskManager } from "effect-taskflow"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs, engine, gate, wrappedBackend } from "./support/engine.js"

const Crop = Task.make("crop", { payload: { image: Schema.String }, success: Schema.String })
const handler = Crop.toLayer(({ image }) => Effect.succeed(image))

const told = ({ changes }: TaskChanges) =>
  changes.map((change) => change._tag === "Changed" ? `${change.taskId} ${change.status}` : change._tag)

describe("TaskFeed", () => {
  it.scoped("tells what changes from now on, in order, once", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const before = yield* Crop.execute({ image: "cat" })
      expect(before).toBe("cat")
      const { cursor } = yield* manager.changesAfter()
      const { taskId } = yield* Crop.enqueue({ image: "dog" })
      yield* Crop.awaitResult(taskId)
      const page = yield* manager.changesAfter(cursor)
      expect(told(page)).toEqual([`${taskId} running`, `${taskId} success`])
      expect(page.changes[0]).toMatchObject({ taskName: "crop", owner: manager.instance, by: manager.instance })
      expect((yield* manager.changesAfter(page.cursor)).changes).toEqual([])
      const streamed = yield* manager.changes(cursor).pipe(Stream.take(1), Stream.runCollect)
      expect([...streamed].flatMap(told)).toEqual(told(page))
    }).pipe(Effect.provide(handler.pipe(Layer.provideMerge(engine())))))

  it.scoped("reads nothing while nobody watches, and is woken by what is written here", () => {
    let reads = 0
    const backend = wrappedBackend((one) => ({
      feed: (query) => {
        reads += 1
        return one.feed(query)
      }
    }))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      yield* Crop.execute({ image: "cat" })
      yield* TestClock.adjust("1 hour")
      expect(reads).toBe(0)
      const { cursor } = yield* manager.changesAfter()
      const pages = yield* Queue.unbounded<TaskChanges>()
      const watching = yield* Effect.fork(
        Stream.runForEach(manager.changes(cursor), (page) => Queue.offer(pages, page))
      )
      const first = yield* Crop.enqueue({ image: "dog" })
      // Without the clock being moved: by the hint alone.
      expect(told(yield* Queue.take(pages))[0]).toBe(`${first.taskId} running`)
      yield* Fiber.interrupt(watching)
      const sofar = reads
      yield* Crop.execute({ image: "cow" })
      yield* TestClock.adjust("1 hour")
      expect(reads).toBe(sofar)
    }).pipe(Effect.provide(handler.pipe(Layer.provideMerge(engine({}, backend)))))
  })

  it.scoped("goes on when the backend does, and says once that it failed", () => {
    const { layer, lines } = collectedLogs()
    let failing = false
    const backend = wrappedBackend((one) => ({
      feed: (query) =>
        failing ? Effect.fail(new TaskBackendError({ method: "feed", cause: new Error("down") })) : one.feed(query)
    }))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { cursor } = yield* manager.changesAfter()
      failing = true
      const watching = yield* Effect.fork(manager.changes(cursor).pipe(Stream.take(1), Stream.runCollect))
      const { taskId } = yield* Crop.enqueue({ image: "cat" })
      yield* Crop.awaitResult(taskId)
      yield* TestClock.adjust("1 minute")
      failing = false
      yield* TestClock.adjust("1 minute")
      expect([...yield* Fiber.join(watching)].flatMap(told).slice(-2)).toEqual([
        `${taskId} running`,
        `${taskId} success`
      ])
      const warnings = lines.filter(({ level, message }) => level === "Warning" && message.includes("task feed"))
      expect(warnings.length).toBe(1)
      // Whoever asks for one page is told.
      failing = true
      expect((yield* Effect.flip(manager.changesAfter(cursor)))._tag).toBe("TaskBackendError")
    }).pipe(Effect.provide(handler.pipe(Layer.provideMerge(engine({}, backend)))), Effect.provide(layer))
  })

  it.scoped("tells a watcher that was away for too long, and goes on", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const watched = yield* Effect.fork(
        manager.changes("of another backend").pipe(Stream.take(2), Stream.runCollect)
      )
      yield* TestClock.adjust("1 second")
      const { taskId } = yield* Crop.enqueue({ image: "cat" })
      yield* TestClock.adjust("1 second")
      const [first, second] = [...yield* Fiber.join(watched)]
      expect([first!.reset, first!.changes]).toEqual([true, []])
      expect([second!.reset, told(second!)[0]]).toEqual([false, `${taskId} running`])
    }).pipe(Effect.provide(handler.pipe(Layer.provideMerge(engine())))))
})

describe("a drained instance", () => {
  const shared = wrappedBackend(({ info }) => ({ info: { ...info, shared: true } }))

  it.scoped("claims nothing, runs what is its own alone, and claims again when it is to", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      expect(yield* manager.drain(manager.instance)).toBe(true)
      yield* TestClock.adjust("10 seconds")
      const { taskId } = yield* Crop.enqueue({ image: "cat" })
      yield* TestClock.adjust("10 seconds")
      expect((yield* manager.get(taskId)).status).toBe("pending")
      expect((yield* manager.instances)[0]).toMatchObject({ draining: true, vitals: { slots: { max: 3, active: 0 } } })
      const { open, wait } = yield* gate
      const effect = yield* manager.run("once", wait)
      yield* open
      expect((yield* manager.awaitResult(effect.taskId)).status).toBe("success")
      yield* manager.awaitIdle
      expect(yield* manager.drain(manager.instance, false)).toBe(true)
      yield* TestClock.adjust("10 seconds")
      expect((yield* manager.awaitResult(taskId)).status).toBe("success")
    }).pipe(
      Effect.provide(handler.pipe(Layer.provideMerge(engine({ maxConcurrentTasks: 3 }, shared)))),
      Effect.provide(collectedLogs().layer)
    ))
})
