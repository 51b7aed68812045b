/**
 * Decides which task runs next. Holds the slots, feeds the window from the backend, starts what may start.
 *
 * A new task goes the shortest way that is fair: with a free slot and nothing waiting it is written already started; with
 * room in the window it is written already claimed; else it is written for anyone to claim. Everything between two awaits
 * is one synchronous step, so no two decisions see different states.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as Backlog from "./internal/backlog.js"
import * as DueTimer from "./internal/dueTimer.js"
import * as Signal from "./internal/signal.js"
import * as Slots from "./internal/slots.js"
import * as Stopping from "./internal/stopping.js"
import * as Timers from "./internal/timers.js"
import { type Claimed, type ClaimRequest, TaskBackend } from "./TaskBackend.js"
import type { Enqueued } from "./TaskEvent.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { TaskInstance } from "./TaskInstance.js"
import { TaskJournal } from "./TaskJournal.js"
import { TaskQueue } from "./TaskQueue.js"
import type { TaskRecord } from "./TaskRecord.js"
import { TaskRegistry } from "./TaskRegistry.js"
import { TaskRunner } from "./TaskRunner.js"
import { type OnCommitted, TaskStore } from "./TaskStore.js"

export class TaskDispatcher extends Context.Tag("effect-taskflow/TaskDispatcher")<TaskDispatcher, {
  /** Accepts a new task on the shortest fair way. */
  readonly accept: (facts: Omit<Enqueued, "owner">, onCommitted: OnCommitted) => void
  /** Takes a task that ended by itself (a cancel) out of the window. */
  readonly forget: (record: TaskRecord) => void
  /** A handler came: its waiting tasks may run. Ends a stop that a leaving handler began. */
  readonly handlerAdded: (taskName: string) => void
  /**
   * Stops starting tasks; those of `taskName` (or all) may finish until the one deadline, then they are interrupted. When
   * only a handler left, the others start tasks again a second later.
   */
  readonly drain: (taskName?: string) => Effect.Effect<void>
  /** Returns when nothing runs here and nothing that could run waits. Delayed tasks and back-offs are not waited for. */
  readonly awaitIdle: Effect.Effect<void>
  /** Returns when the window has room: for one-off effects, which only memory can hold. */
  readonly windowRoom: Effect.Effect<void>
}>() {}

const claimRetries = Schedule.union(Schedule.exponential("50 millis"), Schedule.spaced("5 seconds")).pipe(
  Schedule.jittered
)

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const config = yield* TaskflowConfig
  const instance = yield* TaskInstance
  const journal = yield* TaskJournal
  const store = yield* TaskStore
  const queue = yield* TaskQueue
  const registry = yield* TaskRegistry
  const runner = yield* TaskRunner
  const clock = yield* Effect.clock
  const timers = yield* Timers.make
  const claimWanted = yield* Signal.make
  const changed = yield* Signal.make
  const runtime = yield* Effect.runtime<never>()
  const now = () => clock.unsafeCurrentTimeMillis()

  const limitOf = (taskName: string) => registry.get(taskName)?.definition.concurrency ?? Number.POSITIVE_INFINITY
  const slots = Slots.make({ max: config.maxConcurrentTasks, limitOf, onFree: () => pump() })
  const backlog = Backlog.make({ windowSize: config.windowSize, queue, slots, registry, limitOf })
  let claiming = false

  // ── starting ───────────────────────────────────────────────────────────────────────────────────────────────────

  const run = (record: TaskRecord, slot: Slots.Slot): void => {
    const registered = registry.of(record)
    if (registered !== undefined) return runner.start(record, registered, slot, onNext)
    // Its handler left between the claim and now: the attempt did not happen.
    const { taskId } = record
    store.commit({ _tag: "Requeued", taskId, at: now(), stopReason: "shutdown" }, () => backlog.add(record.taskName))
    slot.release()
  }

  const startFromWindow = (record: TaskRecord): void => {
    const slot = slots.take(record.taskName)
    const { claim, taskId } = record
    const started = { _tag: "Started", taskId, at: now(), instance: instance.id, claim } as const
    const legal = store.commit(started, (exit) => {
      const current = store.get(taskId)
      if (Exit.isSuccess(exit) && exit.value._tag === "Applied" && current !== undefined) run(current, slot)
      else slot.release()
    })
    if (!legal) slot.release()
  }

  let pumping = false
  const pump = (): void => {
    if (pumping) return
    pumping = true
    slots.resumeParked()
    while (!stop.isStopping() && backlog.urgent() === 0 && slots.free() > 0) {
      const record = queue.take(slots.mayStart)
      if (record === undefined) break
      startFromWindow(record)
    }
    pumping = false
    if (!stop.isStopping() && !claiming && backlog.claimable()) claimWanted.notify()
    changed.notify()
  }

  // ── waiting for a time ─────────────────────────────────────────────────────────────────────────────────────────

  const lookAgain = (): void => {
    backlog.addAll()
    pump()
  }
  const wakeAt = DueTimer.make(timers, lookAgain)

  const onNext = (record: TaskRecord, at: number): void => {
    if (at > now()) return wakeAt(at)
    backlog.add(record.taskName)
    pump()
  }

  // ── the window ─────────────────────────────────────────────────────────────────────────────────────────────────

  // Back to the backend, for whoever takes it; a one-off effect nobody else can run is cancelled instead.
  const unclaim = (record: TaskRecord): void => {
    if (record.kind === "task") return store.unclaim(record, () => backlog.add(record.taskName))
    Runtime.runFork(
      runtime,
      Effect.map(backend.cancel(record.taskId, now()), (result) => {
        if (result._tag === "Cancelled") {
          store.ended({ _tag: "Cancelled", taskId: record.taskId, at: now() }, result.record)
        }
      })
    )
  }

  const hold = (record: TaskRecord): void => stop.isStopping() ? unclaim(record) : queue.offer(record)

  // ── accepting ──────────────────────────────────────────────────────────────────────────────────────────────────

  const warnUnhandled = (taskName: string): void => {
    const first = backlog.countUnhandled(taskName)
    if (!first) return
    timers.schedule(now() + config.unhandledAfter, () => {
      const waiting = backlog.takeUnhandled(taskName)
      if (waiting === 0) return
      const message = `${waiting} × ${taskName} pending, no live instance has a handler: is its toLayer(…) in Main?`
      Runtime.runFork(runtime, Effect.logWarning(message))
    })
  }

  const accept: TaskDispatcher["Type"]["accept"] = (facts, onCommitted) => {
    const { priority, runAt, taskId, taskName } = facts
    const handled = registry.of(facts) !== undefined
    const local = facts.kind === "effect"
    const open = !stop.isStopping() && !claiming && runAt === null && handled && (local || !backlog.claimable())

    if (open && backlog.arriving() === 0 && slots.mayStart(taskName)) {
      const slot = slots.take(taskName)
      const started = { _tag: "Started", taskId, at: facts.at, instance: instance.id, claim: 1 } as const
      return store.enqueue({ ...facts, owner: instance.id }, [started], (exit) => {
        const record = store.get(taskId)
        if (Exit.isSuccess(exit) && exit.value._tag === "Applied" && record !== undefined) run(record, slot)
        else slot.release()
        onCommitted(exit)
      })
    }
    if (local || (open && backlog.windowRoom(taskName) > 0)) {
      backlog.arrive(taskName, 1)
      return store.enqueue({ ...facts, owner: instance.id }, [], (exit) => {
        backlog.arrive(taskName, -1)
        const record = store.get(taskId)
        if (Exit.isSuccess(exit) && exit.value._tag === "Applied" && record !== undefined) hold(record)
        pump()
        onCommitted(exit)
      })
    }
    store.enqueue({ ...facts, owner: null }, [], (exit) => {
      if (Exit.isSuccess(exit) && exit.value._tag === "Applied") {
        if (runAt !== null && runAt > now()) wakeAt(runAt)
        else backlog.add(taskName, priority)
        if (!handled) warnUnhandled(taskName)
      }
      pump()
      onCommitted(exit)
    })
  }

  // ── claiming ───────────────────────────────────────────────────────────────────────────────────────────────────

  const receive = (request: ClaimRequest, claimed: Claimed, urgentSeen: number): void => {
    for (const record of claimed.started) {
      store.adopt(record)
      run(record, slots.take(record.taskName))
    }
    for (const record of claimed.pending) {
      store.adopt(record)
      hold(record)
    }
    backlog.replace(request.tasks.map(({ name }) => name), claimed, urgentSeen)
    if (claimed.nextDueAt !== null) wakeAt(claimed.nextDueAt)
  }

  const claimFor = (request: ClaimRequest) => {
    const unreserve = slots.reserve(request.slots)
    const urgent = backlog.urgent()
    return backend.claim(request).pipe(
      Effect.tapError((error) => Effect.logWarning("task dispatcher: claiming failed, asking again", error)),
      Effect.retry({ schedule: claimRetries, while: () => !stop.isStopping() }),
      Effect.exit,
      Effect.map((exit) => {
        unreserve()
        if (Exit.isSuccess(exit)) receive(request, exit.value, urgent)
      })
    )
  }

  const claimOnce = Effect.suspend(() => {
    if (stop.isStopping()) return Effect.void
    claiming = true
    // What leaves the window has to be in the backend before the claim, so that it competes there.
    const evicted = backlog.makeRoomForUrgent()
    for (const record of evicted) unclaim(record)
    return Effect.zipRight(
      evicted.length === 0 ? Effect.void : journal.flush,
      Effect.suspend(() => {
        const request = backlog.request(instance.id, now())
        return request === null ? Effect.void : claimFor(request)
      })
    )
  }).pipe(
    Effect.ensuring(Effect.sync(() => {
      claiming = false
      pump()
    })),
    Effect.uninterruptible
  )

  const claimer = yield* Effect.forkDaemon(
    Effect.interruptible(Effect.forever(Effect.zipRight(claimWanted.await, claimOnce)))
  )

  // ── stopping ───────────────────────────────────────────────────────────────────────────────────────────────────

  const waitUntil = (condition: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => condition() ? Effect.void : Effect.zipRight(changed.await, waitUntil(condition)))

  const stop = Stopping.make({
    shutdownTimeout: config.shutdownTimeout,
    now,
    timers,
    runner,
    letGo: () => queue.takeAll().forEach(unclaim),
    ended: (taskName) => waitUntil(() => slots.active(taskName) === 0 && !claiming && backlog.arriving() === 0),
    flush: journal.flush,
    onReopen: lookAgain
  })

  const quiet = () =>
    slots.active() === 0 && queue.size() === 0 && backlog.arriving() === 0 && !claiming &&
    (stop.isStopping() || !backlog.claimable())

  // The flush may let something new begin, so idleness is asked again behind it.
  const awaitIdle: Effect.Effect<void> = Effect.suspend(() =>
    waitUntil(quiet).pipe(
      Effect.zipRight(journal.flush),
      Effect.zipRight(Effect.suspend(() => quiet() ? Effect.void : awaitIdle))
    )
  )

  yield* Effect.addFinalizer(() => Effect.zipRight(stop.close, Fiber.interrupt(claimer)))

  return TaskDispatcher.of({
    accept,
    awaitIdle,
    drain: stop.drain,
    windowRoom: waitUntil(() => queue.room() > backlog.arriving()),
    forget: (record) => {
      queue.remove(record.taskId)
      changed.notify()
    },
    handlerAdded: (taskName) => {
      backlog.takeUnhandled(taskName)
      backlog.add(taskName)
      stop.reopen()
    }
  })
})

export const layer: Layer.Layer<
  TaskDispatcher,
  never,
  TaskBackend | TaskflowConfig | TaskInstance | TaskJournal | TaskStore | TaskQueue | TaskRegistry | TaskRunner
> = Layer.scoped(TaskDispatcher, make)
