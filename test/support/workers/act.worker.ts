/** The handlers that the tests of the engine run in threads and processes. */
import { isMainThread } from "node:worker_threads"
import * as Effect from "effect/Effect"
import { Task, TaskContext, TaskLog, TaskProgress } from "effect-taskflow"
import { InProcess, InThread, TimedProcess, TimedThread, TooLarge } from "./tasks.js"

const spin = (): never => {
  for (;;);
}

// Says so and never lets go of its thread.
const busy = Effect.gen(function*() {
  yield* TaskLog.info("spinning", { since: "now" })
  yield* TaskProgress.set(0.25, "in a loop")
  return spin()
})

const acts: Readonly<Record<string, (text: string) => Effect.Effect<string, TooLarge, TaskContext>>> = {
  where: () => Effect.succeed(isMainThread ? "process" : "thread"),
  facts: () =>
    Effect.map(
      TaskContext.current,
      ({ attempt, fence, instance, schedule, source, tags, taskId, taskName }) =>
        JSON.stringify({ attempt, fence, instance, schedule, source, tags, taskId, taskName })
    ),
  length: (text) => Effect.succeed(`${text.length} ${text}`),
  flaky: () =>
    Effect.flatMap(
      TaskContext.current,
      ({ attempt }) => attempt === 0 ? Effect.fail(new TooLarge({ most: 1 })) : Effect.succeed("at last")
    ),
  // Two things at once, of which one is final.
  twice: () =>
    Effect.zipRight(
      Effect.die(new RangeError("beside it")),
      Task.unrecoverable(new TooLarge({ most: 8 })),
      { concurrent: true }
    ).pipe(Effect.uninterruptible),
  refuse: () => Task.unrecoverable(new TooLarge({ most: 7 })),
  snooze: () =>
    Effect.flatMap(
      TaskContext.current,
      ({ fence }) => fence === 1 ? Task.snooze("50 millis") : Effect.succeed("awake")
    ),
  busy: () => busy,
  // As many MiB as the text says, in use.
  hold: (text) =>
    Effect.sync(() => {
      const held = Buffer.alloc(Number(text) * 1024 * 1024, 1)
      return `${process.pid} ${process.memoryUsage.rss() / held.length}`
    }),
  diesOnce: () =>
    Effect.flatMap(
      TaskContext.current,
      ({ attempt }) => attempt === 0 ? Effect.sync(() => process.exit(7)) : Effect.succeed("alive")
    )
}

const handler = (payload: Task.Payload<typeof InThread>) =>
  Effect.map(acts[payload.act]!(payload.text), (text) => ({ text, at: new Date(0) }))

export default Task.worker(InThread, handler)
export const inProcess = Task.worker(InProcess, handler)
export const timedThread = Task.worker(TimedThread, () => busy)
export const timedProcess = Task.worker(TimedProcess, () => busy)
