/**
 * What things cost without the engine: fibers alone, and the queue alone.
 */
import { Effect, Fiber } from "effect"
import * as TaskflowConfig from "../../../src/TaskflowConfig.js"
import { random, type TaskId } from "../../../src/TaskId.js"
import * as TaskQueue from "../../../src/TaskQueue.js"
import { fromEnqueued, type TaskRecord } from "../../../src/TaskRecord.js"
import * as Elapsed from "./elapsed.js"

/** To fork `n` fibers that do nothing, each awaited before the next. */
export const forkAndAwait = Effect.fnUntraced(function*(n: number) {
  const elapsed = Elapsed.start()
  for (let index = 0; index < n; index += 1) yield* Fiber.join(yield* Effect.fork(Effect.void))
  return elapsed()
})

/** To fork `n` fibers that do nothing, 10,000 at a time, and await them afterwards. */
export const forkThenAwait = Effect.fnUntraced(function*(n: number) {
  const elapsed = Elapsed.start()
  for (let left = n; left > 0; left -= 10_000) {
    const fibers: Array<Fiber.Fiber<void>> = []
    for (let index = Math.min(left, 10_000); index > 0; index -= 1) fibers.push(yield* Effect.fork(Effect.void))
    for (const fiber of fibers) yield* Fiber.join(fiber)
  }
  return elapsed()
})

const pendingRecord = (taskId: TaskId, priority: number): TaskRecord =>
  fromEnqueued({
    _tag: "Enqueued",
    taskId,
    at: 0,
    taskName: "bench.noop",
    kind: "task",
    payload: "{}",
    priority,
    tags: {},
    idempotencyKey: null,
    keyTtl: null,
    source: "manual",
    schedule: null,
    executor: "fiber",
    requeueOnInterrupt: false,
    maxCrashes: 3,
    definitionVersion: 1,
    runAt: null,
    retryOf: null,
    trace: null,
    owner: null
  })

/** For `n` pairs of take and offer on a queue that holds `size` tasks of random priorities. */
export const queuePairs = Effect.fnUntraced(function*(size: number, priorities: number, n: number) {
  const queue = yield* Effect.provideService(
    TaskQueue.make,
    TaskflowConfig.TaskflowConfig,
    TaskflowConfig.make({ windowSize: size })
  )
  const ids = random()
  // What is not queued, by priority: a taken record waits here until its priority is drawn again.
  const idle = Array.from(
    { length: priorities },
    (_, priority) => Array.from({ length: size + 1 }, () => pendingRecord(ids.next(0), priority))
  )
  const draws = Array.from({ length: 4_096 }, () => Math.floor(Math.random() * priorities))
  for (let index = 0; index < size; index += 1) queue.offer(idle[index % priorities]!.pop()!)
  const always = () => true
  const elapsed = Elapsed.start()
  for (let index = 0; index < n; index += 1) {
    const taken = queue.take(always)!
    idle[taken.priority]!.push(taken)
    queue.offer(idle[draws[index % draws.length]!]!.pop()!)
  }
  return elapsed()
})
