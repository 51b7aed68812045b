/** Follows the feed in a process of its own and says what it was told; and cancels what is doomed, which runs elsewhere. */
import { Effect, Schedule, Stream } from "effect"
import { TaskManager, TaskStatus } from "effect-taskflow"
import * as Tasks from "./definitions.js"
import { random } from "./random.js"
import type { Sighting } from "./witness.js"

// Milliseconds: at most so long after it heard of the task.
const cancelAfter = 1_500

/** `ready` is called as soon as nothing that happens from then on can escape it. */
export const make = (seed: number, say: (sighting: Sighting) => void, ready: () => void) =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    const { cursor } = yield* Effect.retry(manager.changesAfter(), Schedule.spaced("100 millis"))
    ready()
    const next = random(seed)
    const doomed = new Set<string>()

    const cancel = (taskId: string) =>
      Effect.suspend(() => {
        say({ what: "cancelling", taskId })
        return manager.cancel(taskId)
      }).pipe(
        Effect.catchTags({
          TaskWrongStatus: () => Effect.succeed("ended" as const),
          // Tasks of these end and stay; and what the feed told of is there.
          TaskNotFound: () =>
            Effect.sync(() => {
              say({ what: "wrong", message: "the feed told of a task that is not there", taskId })
              return "unknown" as const
            }),
          TaskBackendError: () => Effect.succeed("unknown" as const)
        }),
        Effect.flatMap((answer) => Effect.sync(() => say({ what: "cancel", taskId, answer })))
      )

    yield* Stream.runForEach(manager.changes(cursor), ({ changes, reset }) =>
      Effect.gen(function*() {
        if (reset) say({ what: "reset" })
        for (const change of changes) {
          if (change._tag !== "Changed") continue
          const { status, taskId, taskName } = change
          if (TaskStatus.isTerminal(status)) say({ what: "told", taskId, status })
          if (taskName !== Tasks.Doomed._tag || doomed.has(taskId)) continue
          doomed.add(taskId)
          yield* Effect.forkDaemon(Effect.delay(cancel(taskId), Math.floor(next() * cancelAfter)))
        }
      }))
  })
