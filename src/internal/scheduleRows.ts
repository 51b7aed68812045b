/** Reads the schedules that are kept, page by page, and retires those that no program has any more. */
import * as Effect from "effect/Effect"
import type { StoredSchedule } from "../ScheduleStore.js"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"

const page = 200

/** One round. Answers whether some are kept that the code of another program has, or had. */
export const make = (options: {
  readonly backend: TaskBackend["Type"]
  readonly now: () => number
  /** Counts what changed here: what is read now is older than what changes from now on. */
  readonly moment: () => number
  /** Whether it is to be retired. */
  readonly isLeft: (stored: StoredSchedule) => boolean
  readonly isOfCode: (name: string) => boolean
  readonly seen: (stored: StoredSchedule, moment: number) => void
  readonly notSeen: (seen: ReadonlySet<string>, moment: number) => void
}): Effect.Effect<boolean, TaskBackendError> => {
  const { isLeft, isOfCode, moment, notSeen, now, seen } = options
  const { schedules } = options.backend

  const retire = ({ name, taskName }: StoredSchedule): Effect.Effect<void, TaskBackendError> =>
    Effect.zipRight(
      schedules.retire(name, now()),
      Effect.logInfo(
        `task schedules: ${JSON.stringify(name)} of task ${
          JSON.stringify(taskName)
        } is in no program's code any more: retired`
      )
    )

  return Effect.suspend(() => {
    const began = moment()
    const names = new Set<string>()
    let others = false
    const from = (cursor: string | undefined): Effect.Effect<void, TaskBackendError> =>
      // An answer that never comes must not keep the engine from closing.
      Effect.flatMap(Effect.disconnect(schedules.list({ limit: page, cursor })), ({ items, nextCursor }) => {
        for (const stored of items) {
          names.add(stored.name)
          if (stored.origin === "code" && stored.retiredAt === null && !isOfCode(stored.name)) others = true
          seen(stored, began)
        }
        const next = nextCursor === null
          ? Effect.sync(() => notSeen(names, began))
          : Effect.suspend(() => from(nextCursor))
        return Effect.zipRight(Effect.forEach(items.filter(isLeft), retire, { discard: true }), next)
      })
    return Effect.map(from(undefined), () => others)
  })
}
