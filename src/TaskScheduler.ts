/**
 * Fires the slots of schedules: those of the code here, and those that were made at run time, which any instance fires.
 *
 * What is settled of a schedule is in the backend, so each slot fires once whoever asks. One sleeping fiber waits for the
 * earliest slot of all; where other instances are, the stored schedules are read once a heartbeat. Time is the instance's, as
 * it was compared with the backend's. A backend that fails delays slots and stops nothing: what is late by then follows
 * `misfire`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Attending from "./internal/attending.js"
import * as Backoff from "./internal/backoff.js"
import * as ClockJumps from "./internal/clockJumps.js"
import * as Firing from "./internal/firing.js"
import * as Hindrances from "./internal/hindrances.js"
import * as Known from "./internal/knownSchedule.js"
import * as RealTime from "./internal/realTime.js"
import type { Made } from "./internal/scheduleOptions.js"
import * as ScheduleRows from "./internal/scheduleRows.js"
import * as Signal from "./internal/signal.js"
import * as Timers from "./internal/timers.js"
import type { StoredSchedule } from "./ScheduleStore.js"
import { TaskBackend } from "./TaskBackend.js"
import { TaskDispatcher } from "./TaskDispatcher.js"
import { TaskflowWiringError } from "./TaskError.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { TaskIds } from "./TaskId.js"
import { TaskInstance } from "./TaskInstance.js"
import { TaskRegistry } from "./TaskRegistry.js"
import { TaskStore } from "./TaskStore.js"

/** How many schedules an instance knows at most. */
export const maxKnown = 10_000

export class TaskScheduler extends Context.Tag("effect-taskflow/TaskScheduler")<TaskScheduler, {
  /** Stores a definition of the code, and fires its slots until the scope closes. A name that is taken here is a defect. */
  readonly register: (made: Made) => Effect.Effect<void, never, Scope.Scope>
  /** Whether the code here has this name. */
  readonly isOfCode: (name: string) => boolean
  /** Whether another schedule can be known here. */
  readonly hasRoom: (name: string) => boolean
  /** This is how it is kept now: goes by it at once. */
  readonly heard: (stored: StoredSchedule) => void
  /** It was removed. */
  readonly removed: (name: string) => void
  /** Returns when each definition of the code was told to the backend once, whether or not it answered. */
  readonly told: Effect.Effect<void>
}>() {}

// How often the clocks are looked at, in milliseconds of real time.
const lookEvery = 1_000

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const config = yield* TaskflowConfig
  const dispatcher = yield* TaskDispatcher
  const ids = yield* TaskIds
  const instance = yield* TaskInstance
  const registry = yield* TaskRegistry
  const store = yield* TaskStore
  const clock = yield* Effect.clock
  const timers = yield* Timers.make
  const changed = yield* Signal.make
  const runtime = yield* Effect.runtime<never>()
  const { shared } = backend.info
  const { now } = instance
  const schedules = new Map<string, Known.Known>()
  // Definitions of the code that were not tried to be stored yet.
  const untold = new Set<Known.Known>()
  const startedAt = now()
  let moves = 0
  let full = false
  // Whether the first round is over.
  let read = false

  const warn = (message: string): void => {
    Runtime.runFork(runtime, Effect.logWarning(message))
  }

  const isClockRight = ClockJumps.make({
    moment: () => ({
      monotonic: Number(clock.unsafeCurrentTimeNanos()) / 1e6,
      wall: clock.unsafeCurrentTimeMillis()
    }),
    real: RealTime.monotonic,
    measuredAt: instance.measuredAt,
    patience: config.lease
  })
  // What others run here and there cannot be counted from one place: a shared backend has the disk for a bound.
  const maxLive = shared ? Number.POSITIVE_INFINITY : backend.info.maxLive
  const hindrance = Hindrances.make({ config, dispatcher, instance, store, isClockRight, maxLive, warn })

  // ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────

  const isCurrent = (known: Known.Known): boolean => schedules.get(known.name) === known

  const heard = (known: Known.Known, stored: StoredSchedule | null): void => {
    moves += 1
    known.movedAt = moves
    const { asked } = known
    if (stored !== null) {
      Known.take(known, stored)
      if (asked !== null && stored.lastTask === asked.records.at(-1)?.taskId) firing.recover(known, asked)
      const said = Known.newsOf(known, now())
      if (said !== null) warn(said)
    } else if (known.code !== null) {
      known.stored = null
      known.passedTo = Number.NEGATIVE_INFINITY
    }
    // One that was made at run time and was removed, or is some program's now.
    if (known.code === null && (stored === null || !Known.isOurs(known))) drop(known)
    else arm(known)
  }

  const add = (known: Known.Known): void => {
    schedules.set(known.name, known)
  }

  const drop = (known: Known.Known): void => {
    known.gone = true
    untold.delete(known)
    known.cancel()
    if (isCurrent(known)) schedules.delete(known.name)
    changed.notify()
  }

  const hasRoom = (name: string): boolean => schedules.size < maxKnown || schedules.has(name)

  /** One that nobody here knew. */
  const found = (stored: StoredSchedule, atStart: boolean): void => {
    if (stored.origin !== "dynamic" || stored.retiredAt !== null) return
    if (!hasRoom(stored.name)) {
      if (!full) warn(`more than ${maxKnown} schedules: those beyond are not fired by this instance`)
      full = true
      return
    }
    const known = Known.make(stored.name, null)
    add(known)
    Known.take(known, stored)
    if (atStart && stored.pausedAt === null && known.facts?.runOnStartup === true) known.startup = "wanted"
    heard(known, stored)
  }

  // ── what is to be done ───────────────────────────────────────────────────────────────────────────────────────────

  const arm = (known: Known.Known): void => {
    // What runs now looks again at its end.
    if (known.busy || !isCurrent(known)) return
    known.cancel()
    const at = Known.wakeAt(known, shared, now())
    if (at === null) return
    // Slots are told by the corrected clock, alarms sleep on the Clock.
    known.cancel = timers.schedule(at - instance.offset(), () => attend(known))
  }

  const firing = Firing.make({
    backend,
    ids,
    instance,
    // Long enough for a database that answers slowly: what is given up is asked for again, and takes as long again.
    patience: Math.max(5_000, config.lease / 2),
    hindrance,
    heard,
    inserted: (record) => {
      store.inserted(record)
      dispatcher.written(record)
    }
  })

  const attend = yield* Attending.make({
    now,
    attend: firing.attend,
    onEnd: (known) => {
      untold.delete(known)
      changed.notify()
      arm(known)
    }
  })

  // ── what others did ──────────────────────────────────────────────────────────────────────────────────────────────

  const load = ScheduleRows.make({
    backend,
    now,
    moment: () => moves,
    isOfCode: (name) => schedules.has(name),
    isLeft: (stored) =>
      !schedules.has(stored.name) &&
      Known.isLeft(stored, registry.get(stored.taskName) !== undefined, startedAt, now()),
    seen: (stored, moment) => {
      const known = schedules.get(stored.name)
      if (known === undefined) return found(stored, !read)
      if (known.busy || known.movedAt > moment) return
      if (!Known.isSame(known.stored, stored)) return heard(known, stored)
      known.stored = stored
      if (Known.needsDefine(known, shared, now())) arm(known)
    },
    // Those that a whole round did not bring are not there any more.
    notSeen: (seen, moment) => {
      for (const known of [...schedules.values()]) {
        if (!seen.has(known.name) && !known.busy && known.stored !== null && known.movedAt <= moment) heard(known, null)
      }
    }
  })

  const first = (failures: number): Effect.Effect<boolean> =>
    Effect.catchAllCause(
      Effect.tap(load, () =>
        Effect.sync(() => {
          read = true
        })),
      (cause) =>
        Effect.logWarning("task schedules: the backend failed, they are read again", cause).pipe(
          Effect.zipRight(Backoff.afterFailure(failures)),
          Effect.zipRight(Effect.suspend(() => first(failures + 1)))
        )
    )
  const again = Effect.catchAllCause(
    load,
    (cause) => Effect.logWarning("task schedules: the backend failed, the next round reads them", cause)
  )
  const rounds = shared
    ? Effect.forever(Effect.zipRight(Backoff.pause(config.heartbeatInterval), again))
    // Nobody else changes anything; only what the code of a program before had may have to be retired.
    : Effect.zipRight(Clock.sleep(Known.deadAfter + 1), again)
  yield* Effect.forkScoped(
    Effect.interruptible(Effect.flatMap(first(1), (left) => shared || left ? rounds : Effect.void))
  )

  let offset = instance.offset()
  yield* RealTime.every(lookEvery, () => {
    if (schedules.size === 0) return
    isClockRight()
    timers.look()
    if (instance.offset() === offset) return
    offset = instance.offset()
    for (const known of schedules.values()) arm(known)
  })

  return TaskScheduler.of({
    register: (made) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          const { name, taskName } = made.definition
          const before = schedules.get(name)
          if (before !== undefined && before.code !== null) {
            const message =
              `two schedules named ${JSON.stringify(name)}, of task ${
                JSON.stringify(before.code.definition.taskName)
              }` +
              ` and of task ${
                JSON.stringify(taskName)
              }: give one of the TaskSchedule.layer(…) calls a name of its own, ` +
              "as { name: \"…\" }"
            return Effect.die(new TaskflowWiringError({ message }))
          }
          if (before !== undefined) drop(before)
          const known = Known.make(name, made)
          if (made.facts.runOnStartup) known.startup = "wanted"
          add(known)
          untold.add(known)
          arm(known)
          return Effect.succeed(known)
        }),
        (known) => Effect.sync(() => drop(known))
      ),
    isOfCode: (name) => schedules.get(name)?.code != null,
    hasRoom,
    heard: (stored) => {
      const known = schedules.get(stored.name)
      if (known === undefined) found(stored, false)
      else heard(known, stored)
    },
    removed: (name) => {
      const known = schedules.get(name)
      if (known !== undefined) heard(known, null)
    },
    told: changed.until(() => untold.size === 0)
  })
})

export const layer = Layer.scoped(TaskScheduler, make)
