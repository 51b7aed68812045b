/**
 * For the tests of applications: the real engine on memory, with ids that repeat and time that the test drives.
 *
 * Provide `TaskflowTest.layer` where main provides `TaskflowLayer` and a backend; swap handlers with `task.toLayer(fake)`.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import * as MemoryBackend from "../backend/MemoryBackend.js"
import type { Any, Payload } from "../Task.js"
import { type TaskBackendError, TaskflowWiringError, type TaskNotFound } from "../TaskError.js"
import { TaskflowLayer } from "../Taskflow.js"
import type { TaskflowOptions } from "../TaskflowConfig.js"
import * as TaskId from "../TaskId.js"
import { TaskManager } from "../TaskManager.js"
import { isDone, type TaskRecord } from "../TaskRecord.js"
import type { TaskStatus } from "../TaskStatus.js"

/**
 * A fresh engine on a fresh MemoryBackend. Waiting for a task without a handler dies at once and says which one, and a
 * scope that closes does not wait for running tasks (`shutdownTimeout` 0): virtual time would stand still meanwhile. What
 * would run in a worker runs in place (`executors.inPlace`), on the test's own clock.
 */
export const layerWith = (
  options?: TaskflowOptions,
  backend?: MemoryBackend.MemoryBackendOptions
): Layer.Layer<TaskManager, TaskBackendError> =>
  TaskflowLayer({
    announce: false,
    unhandled: "die",
    shutdownTimeout: 0,
    ...options,
    executors: { inPlace: true, ...options?.executors }
  }).pipe(
    Layer.provide(MemoryBackend.layer(backend)),
    Layer.provide(Layer.sync(TaskId.TaskIds, TaskId.deterministic))
  )

/** `layerWith` without options. */
export const layer: Layer.Layer<TaskManager, TaskBackendError> = layerWith()

/** Waits until the task is in this status. Dies when it ended in another one. */
export const awaitStatus = (
  taskId: string,
  status: TaskStatus
): Effect.Effect<TaskRecord, TaskNotFound | TaskBackendError, TaskManager> =>
  Effect.flatMap(TaskManager, (manager) =>
    Effect.scoped(Effect.gen(function*() {
      const changes = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const waiters: Array<() => void> = []
          const stop = manager.tap((event) => {
            if (event.taskId === taskId) { for (const wake of waiters.splice(0)) wake() }
          })
          return { waiters, stop }
        }),
        ({ stop }) => Effect.sync(stop)
      )
      while (true) {
        const record = yield* manager.get(taskId)
        if (record.status === status) return record
        if (isDone(record)) {
          return yield* Effect.die(
            new Error(`task ${record.taskName} ${taskId} ended as ${record.status}, not ${status}`)
          )
        }
        yield* Effect.async<void>((resume) => {
          changes.waiters.push(() => resume(Effect.void))
        })
      }
    })))

const unfinished: ReadonlyArray<TaskStatus> = ["pending", "running"]

const dieWithoutHandler = Effect.gen(function*() {
  const manager = yield* TaskManager
  const names = new Set((yield* manager.registered).map(({ taskName }) => taskName))
  const { items } = yield* manager.list({ status: unfinished, limit: 200 })
  const orphan = items.find(({ kind, taskName }) => kind === "task" && !names.has(taskName))
  if (orphan === undefined) return
  const message = `drain: task ${orphan.taskName} has no handler, so it would wait for ever: provide its toLayer(…)`
  return yield* Effect.die(new TaskflowWiringError({ message }))
})

const realPause = TestServices.provideLive(Effect.sleep("1 millis"))

/**
 * Runs everything to its end: delays, back-offs and sleeping handlers too, by moving the TestClock from one waking time
 * to the next. Dies when a task has no handler, or when for five real seconds nothing moved.
 */
export const drain: Effect.Effect<void, TaskBackendError, TaskManager> = Effect.gen(function*() {
  const manager = yield* TaskManager
  let idleRounds = 0
  while (true) {
    const { counts } = yield* manager.stats()
    if (counts.pending + counts.running === 0) return
    yield* dieWithoutHandler
    const sleeps = yield* TestClock.sleeps()
    const next = Chunk.reduce(
      sleeps,
      Option.none<number>(),
      (least, at) => Option.some(Option.match(least, { onNone: () => at, onSome: (other) => Math.min(other, at) }))
    )
    if (Option.isSome(next)) {
      idleRounds = 0
      yield* TestClock.setTime(next.value)
      continue
    }
    idleRounds += 1
    if (idleRounds > 5_000) {
      const left = counts.pending + counts.running
      return yield* Effect.die(new Error(`drain: ${left} tasks neither end nor wait for a time`))
    }
    yield* realPause
  }
})

/** One task as it was enqueued. */
export interface EnqueuedTask<T extends Any> {
  readonly taskId: TaskId.TaskId
  readonly payload: Payload<T>
  readonly record: TaskRecord
}

/** What was enqueued of this definition so far, oldest first. Needs no handler. */
export const enqueuedOf = <T extends Any>(
  task: T
): Effect.Effect<ReadonlyArray<EnqueuedTask<T>>, TaskBackendError, TaskManager | T["payloadSchema"]["Context"]> =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    const found: Array<EnqueuedTask<T>> = []
    let cursor: TaskId.TaskId | undefined
    do {
      const page = yield* manager.list({ taskName: task._tag, order: "oldest", limit: 200, cursor })
      for (const record of page.items) {
        // safe: decoded by the codec of this very definition
        const payload = (yield* Effect.orDie(task.definition.payload.decode(record.payload))) as Payload<T>
        found.push({ taskId: record.taskId, payload, record })
      }
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return found
  })
