/**
 * Hands new tasks to the engine and waits for their commit. From outside a task no longer than `journal.maxOutage` allows; a
 * running task waits for the backend as long as it takes, like everything it writes.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Outcome } from "../TaskBackend.js"
import { currentAttempt } from "../TaskContext.js"
import type { TaskDispatcher } from "../TaskDispatcher.js"
import { type TaskBackendError, TaskKeyBusy } from "../TaskError.js"
import type { TaskJournal } from "../TaskJournal.js"
import type { EnqueueResult } from "../TaskManager.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { TaskVolatile } from "../TaskVolatile.js"

type Failure = TaskBackendError | TaskKeyBusy
type Committed = Exit.Exit<Outcome, TaskBackendError>

/** What the caller is told. */
export const resultOf = (
  record: TaskRecord,
  exit: Committed
): Exit.Exit<EnqueueResult, Failure> => {
  if (Exit.isFailure(exit)) return Exit.failCause(exit.cause)
  if (exit.value._tag === "KeyBusy") return Exit.fail(new TaskKeyBusy({ task: record.taskName }))
  return Exit.succeed(
    exit.value._tag === "Duplicate"
      ? { _tag: "Deduplicated", taskId: exit.value.taskId }
      : { _tag: "Enqueued", taskId: record.taskId }
  )
}

export const make = ({ dispatcher, journal, volatile }: {
  readonly dispatcher: TaskDispatcher["Type"]
  readonly journal: TaskJournal["Type"]
  readonly volatile: TaskVolatile["Type"]
}) => {
  const accept = (record: TaskRecord, onCommitted: (exit: Committed) => void, way = dispatcher.accept): void =>
    way(record, (exit) => {
      volatile.settled(record.taskId)
      onCommitted(exit)
    })

  /** Gives up when the backend takes too long; the engine does not, what was sent may still be written. */
  const patient = <A, E>(
    taskIds: ReadonlyArray<TaskRecord["taskId"]>,
    register: (resume: (exit: Exit.Exit<A, E | TaskBackendError>) => void) => void
  ): Effect.Effect<A, E | TaskBackendError> =>
    Effect.withFiberRuntime((fiber) => {
      const outside = Option.isNone(fiber.getFiberRef(currentAttempt))
      return Effect.async<A, E | TaskBackendError>((resume) => {
        const settled = outside ? journal.impatient(taskIds, (error) => resume(Effect.fail(error))) : () => {}
        register((exit) => {
          settled()
          resume(exit)
        })
      })
    })

  /** Waits for what became of it. */
  const submit = (record: TaskRecord): Effect.Effect<Outcome, TaskBackendError> =>
    patient<Outcome, TaskBackendError>([record.taskId], (resume) => accept(record, resume))

  /** As `commit`; `told` hears of the result, whether or not anybody waits for it any more. */
  const commitWith = (
    record: TaskRecord,
    told: (result: Exit.Exit<EnqueueResult, Failure>) => void,
    way?: typeof dispatcher.accept
  ) =>
    patient<EnqueueResult, Failure>([record.taskId], (resume) =>
      accept(record, (exit) => {
        const result = resultOf(record, exit)
        told(result)
        resume(result)
      }, way))

  return {
    submit,
    commitWith,
    commit: (record: TaskRecord): Effect.Effect<EnqueueResult, Failure> => commitWith(record, () => {}),
    /** In one commit, wholly or not at all. */
    commitAll: (all: ReadonlyArray<TaskRecord>): Effect.Effect<Array<EnqueueResult>, Failure> =>
      all.length === 0 ? Effect.succeed([]) : patient<Array<EnqueueResult>, Failure>(
        all.map(({ taskId }) => taskId),
        (resume) => {
          const results: Array<EnqueueResult> = []
          let left = all.length
          let failed: Exit.Exit<never, Failure> | null = null
          journal.grouped(() => {
            all.forEach((record, index) =>
              dispatcher.accept(record, (exit) => {
                volatile.settled(record.taskId)
                left -= 1
                const result = resultOf(record, exit)
                if (Exit.isSuccess(result)) results[index] = result.value
                else failed = Exit.failCause(result.cause)
                if (left === 0) resume(failed ?? Exit.succeed(results))
              })
            )
          })
        }
      )
  }
}
