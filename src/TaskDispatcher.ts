/**
 * Decides which task runs next. Holds the slots, feeds the window from the backend, starts what may start.
 *
 * A new task goes the shortest way that is fair: with a free slot and nothing waiting it is written already started; with
 * room in the window it is written already claimed; else it is written for anyone to claim. Everything between two awaits
 * is one synchronous step, so no two decisions see different states.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Accepting from "./internal/accepting.js"
import * as Backlog from "./internal/backlog.js"
import * as CancelsAtStart from "./internal/cancelsAtStart.js"
import * as Claimer from "./internal/claimer.js"
import { count } from "./internal/counts.js"
import * as DueTimer from "./internal/dueTimer.js"
import * as Holding from "./internal/holding.js"
import * as Idle from "./internal/idle.js"
import * as LeaseEffects from "./internal/leaseEffects.js"
import * as Limits from "./internal/limits.js"
import * as LookSoon from "./internal/lookSoon.js"
import * as Poller from "./internal/poller.js"
import * as Prefetch from "./internal/prefetch.js"
import * as Signal from "./internal/signal.js"
import * as Slots from "./internal/slots.js"
import * as Starting from "./internal/starting.js"
import * as Stopping from "./internal/stopping.js"
import * as Timers from "./internal/timers.js"
import * as Unclaiming from "./internal/unclaiming.js"
import { type Claimed, TaskBackend } from "./TaskBackend.js"
import { TaskExecutor } from "./TaskExecutor.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
import { TaskInstance } from "./TaskInstance.js"
import { TaskJournal } from "./TaskJournal.js"
import { TaskLease } from "./TaskLease.js"
import { TaskQueue } from "./TaskQueue.js"
import type { TaskRecord } from "./TaskRecord.js"
import { TaskRegistry } from "./TaskRegistry.js"
import { TaskRunner } from "./TaskRunner.js"
import { type OnCommitted, TaskStore } from "./TaskStore.js"
import { TaskVolatile } from "./TaskVolatile.js"

export class TaskDispatcher extends Context.Tag("effect-taskflow/TaskDispatcher")<TaskDispatcher, {
  /** Accepts a new task, whose record nobody owns yet, on the shortest fair way. */
  readonly accept: (record: TaskRecord, onCommitted: OnCommitted) => void
  /** New tasks that start when they are released. At a shutdown they are given back. */
  readonly holding: Holding.Holding
  /** Something was written in a transaction of the application: looks for it until it was committed. */
  readonly lookSoon: () => void
  /** This task was written for anyone: it is claimed here if there is room. */
  readonly written: (record: TaskRecord) => void
  /** Takes a task that ended by itself (a cancel) out of the window. */
  readonly forget: (record: TaskRecord) => void
  /** An attempt of this instance was cancelled before it ran: it shall not. */
  readonly cancelAtStart: (taskId: TaskId) => void
  /** A handler came: its waiting tasks may run. Ends a stop that a leaving handler began. */
  readonly handlerAdded: (taskName: string) => void
  /**
   * Stops starting tasks; those of `taskName` (or all) may finish until the one deadline, then they are interrupted. When
   * only a handler left, the others start tasks again a second later.
   */
  readonly drain: (taskName?: string) => Effect.Effect<void>
  /** Whether nothing starts because the engine, or a handler, is closing. */
  readonly isStopping: () => boolean
  /** Returns when nothing runs here and nothing that could run waits. Delayed tasks and back-offs are not waited for. */
  readonly awaitIdle: Effect.Effect<void>
  /** Returns when the window has room: for one-off effects, which only memory can hold. */
  readonly windowRoom: Effect.Effect<void>
}>() {}

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const config = yield* TaskflowConfig
  const instance = yield* TaskInstance
  const lease = yield* TaskLease
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
  const { now } = instance

  const { groupOf, limitOf, ownLimitOf } = Limits.make(registry, yield* TaskExecutor)
  const { shared } = backend.info
  const { maxConcurrentTasks: max, windowSize } = config
  // Where nobody else is, a full window keeps nothing from anybody.
  const isShared = (taskName: string) => shared && registry.get(taskName) !== undefined
  const { add, most } = Prefetch.make((taskName) => Math.min(max, limitOf(taskName)), isShared)
  const held = { now, onRelease: add }
  const slots = Slots.make({ max, limitOf: ownLimitOf, groupOf, onFree: () => pump(), onActive: count.running, held })
  const { isPaused } = lease
  // Nobody else can run what is in this instance's memory alone.
  const isFleeting = Option.getOrUndefined(yield* Effect.serviceOption(TaskVolatile))?.has ?? (() => false)
  const backlog = Backlog.make({ windowSize, shared, queue, slots, registry, limitOf, groupOf, most, isPaused })

  // ── starting ───────────────────────────────────────────────────────────────────────────────────────────────────

  const cancels = CancelsAtStart.make(store)

  const { run, startFromWindow } = Starting.make({
    instance,
    lease,
    registry,
    runner,
    slots,
    store,
    cancels,
    isOver: () => stop.isOver(),
    lookAgain: () => lookAgain(),
    onNext: (record, at) => onNext(record, at),
    unclaim: (record) => unclaim(record)
  })

  const mayNotStart = () => stop.isStopping() || !lease.isHeld()
  const mayNotClaim = () => mayNotStart() || lease.isDraining()

  let pumping = false
  const pump = (): void => {
    if (pumping) return
    pumping = true
    try {
      slots.resumeParked()
      while (!mayNotStart() && backlog.urgent() === 0 && slots.free() > 0) {
        const record = queue.take(slots.mayStart)
        if (record === undefined) break
        startFromWindow(record)
      }
    } finally {
      pumping = false
    }
    if (!mayNotClaim() && !claimer.isClaiming() && backlog.claimable()) claimWanted.notify()
    changed.notify()
  }

  // ── waiting for a time ─────────────────────────────────────────────────────────────────────────────────────────

  const then = (change: () => void) => (): void => {
    change()
    pump()
  }
  const lookAgain = then(backlog.addAll)
  const haveALook = then(backlog.look)
  // Due times are the backend's; timers sleep on the Clock.
  const schedule: Timers.Timers["schedule"] = (at, run) => timers.schedule(at - instance.offset(), run)
  const wakeAt = DueTimer.make({ schedule }, lookAgain)

  const onNext = (record: TaskRecord, at: number): void => {
    if (at > now()) return wakeAt(at)
    backlog.add(record.taskName)
    pump()
  }

  // ── the window ─────────────────────────────────────────────────────────────────────────────────────────────────

  const waits = ({ priority, taskName }: TaskRecord, ranked: boolean): void => {
    backlog.add(taskName, ranked ? priority : undefined)
    pump()
  }
  const unclaim = Unclaiming.make({ backend, runtime, store, now, waits })

  // What came while its name was paused, or this instance was drained, is for later or for others.
  const isForOthers = (record: TaskRecord): boolean =>
    record.kind === "task" && (isPaused(record.taskName) || (lease.isDraining() && !isFleeting(record.taskId)))

  const hold = (record: TaskRecord): void =>
    stop.isStopping() || isForOthers(record) ? unclaim(record) : queue.offer(record)

  // ── claiming ───────────────────────────────────────────────────────────────────────────────────────────────────

  // An answer to an identity that was declared dead meanwhile: those tasks were given back.
  const isOurs = (record: TaskRecord) => record.owner === instance.id
  const poller = Poller.make({ ...config.poll, hints: backend.hints("work"), look: haveALook })

  const receive = (claimed: Claimed): void => {
    const joined = new Set(claimed.joined)
    if (claimed.started.length + claimed.pending.length > 0) poller.found()
    for (const record of claimed.started.filter(isOurs)) {
      store.adopt(record, joined.has(record.taskId))
      run(record, slots.take(record.taskName))
    }
    for (const record of claimed.pending.filter(isOurs)) {
      store.adopt(record, joined.has(record.taskId))
      hold(record)
    }
    // One that is due and was not taken is locked by somebody: it is not asked for at once.
    if (claimed.nextDueAt !== null) wakeAt(Math.max(claimed.nextDueAt, now() + 10))
  }

  const claimer = yield* Claimer.make({
    backend,
    instance,
    backlog,
    slots,
    wanted: claimWanted,
    isStopping: mayNotClaim,
    request: () => backlog.request(instance.id, now()),
    makeRoom: () => {
      const evicted = backlog.makeRoomForUrgent()
      evicted.forEach((record) => unclaim(record))
      return evicted.length > 0
    },
    flush: journal.written,
    known: store.known,
    receive,
    onEnd: then(backlog.endLook)
  })

  if (shared) yield* Effect.forkScoped(Effect.interruptible(poller.run))

  // ── stopping ───────────────────────────────────────────────────────────────────────────────────────────────────

  const stop = Stopping.make({
    shutdownTimeout: config.shutdownTimeout,
    now: () => clock.unsafeCurrentTimeMillis(),
    timers,
    runner,
    letGo: () => [...queue.takeAll(), ...holding.takeAll()].forEach((record) => unclaim(record)),
    ended: (taskName) =>
      changed.until(() => slots.active(taskName) === 0 && !claimer.isClaiming() && backlog.arriving() === 0),
    flush: journal.flush,
    onReopen: lookAgain
  })

  const quiet = () =>
    slots.active() === 0 && queue.size() === 0 && backlog.arriving() === 0 && !claimer.isClaiming() &&
    (stop.isStopping() || lease.isDraining() || !backlog.claimable())

  const effects = LeaseEffects.make({
    backlog,
    queue,
    runner,
    slots,
    ownLimitOf,
    store,
    now,
    cancelAtStart: cancels.add,
    isFleeting,
    isForOthers,
    unclaim,
    lookAgain
  })
  lease.listen(effects)
  instance.onRenewed(effects.onRenewed)

  yield* Effect.addFinalizer(() => Effect.zipRight(stop.close, claimer.stop))

  const { accept, place } = Accepting.make({
    backlog,
    instance,
    registry,
    runtime,
    slots,
    store,
    timers: { schedule },
    unhandledAfter: config.unhandledAfter,
    now,
    isPaused,
    isNobodyElses: (taskId) => lease.isDraining() && isFleeting(taskId),
    isOpen: () => !mayNotClaim() && (!claimer.isClaiming() || backlog.isLooking()),
    run,
    hold,
    unclaim,
    wakeAt,
    pump
  })
  const isClosed = stop.isStopping
  const holding = Holding.make({ instance, store, timers: { schedule }, isClosed, accept, waits, place })

  return TaskDispatcher.of({
    accept,
    holding,
    awaitIdle: Idle.make(changed, quiet, journal.flush),
    lookSoon: LookSoon.make({ schedule }, now, haveALook),
    written: (record) => waits(record, true),
    cancelAtStart: cancels.add,
    drain: stop.drain,
    isStopping: stop.isStopping,
    windowRoom: changed.until(() => queue.room() > backlog.arriving()),
    forget: (record) => {
      queue.remove(record.taskId)
      holding.forget(record.taskId)
      changed.notify()
    },
    handlerAdded: (taskName) => {
      backlog.takeUnhandled(taskName)
      backlog.add(taskName)
      stop.reopen()
    }
  })
})

export const layer = Layer.scoped(TaskDispatcher, make)
