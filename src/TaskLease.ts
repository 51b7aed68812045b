/**
 * Says that this instance is alive, and finds out who is not. One heartbeat after the other, as long as the engine lives.
 *
 * No clock is compared with another: each instance counts its beats, and who sees a count unchanged for one lease, by its
 * own monotonic clock, takes the tasks over. What one sees counts only while its own heartbeats succeed: after an outage
 * of the backend nobody may take the whole fleet for dead. Who cannot renew its own lease stops what others may start.
 * A backend that is not shared has no others, so nothing of this happens there.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Paused } from "./ControlStore.js"
import { whyLate } from "./internal/backendTrouble.js"
import * as Backoff from "./internal/backoff.js"
import * as ClockOffset from "./internal/clockOffset.js"
import { isProvenGone } from "./internal/processFacts.js"
import * as RealTime from "./internal/realTime.js"
import * as Reaping from "./internal/reaping.js"
import * as SaidAgain from "./internal/saidAgain.js"
import * as Signal from "./internal/signal.js"
import * as Stalls from "./internal/stalls.js"
import * as Steering from "./internal/steering.js"
import * as Watching from "./internal/watching.js"
import { TaskBackend } from "./TaskBackend.js"
import { TaskBackendError } from "./TaskError.js"
import type { InstanceId } from "./TaskEvent.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
import { TaskInstance } from "./TaskInstance.js"
import type { Heartbeat, Vitals } from "./TaskPeer.js"
import type { TaskRecord } from "./TaskRecord.js"

/** What the engine does about what its lease hears. Each is quick. */
export interface LeaseListener extends Steering.Steered {
  /** Running tasks of this instance that were asked to stop; the same ones again until they have. */
  readonly onCancels: (taskIds: ReadonlyArray<TaskId>) => void
  /** What became of tasks of an instance that died. */
  readonly onReaped: (records: ReadonlyArray<TaskRecord>) => void
  /** The lease could not be renewed in time: soon others may start what they can. */
  readonly onLost: () => void
  readonly onRegained: () => void
  /** The names of the tasks that run here. */
  readonly running: () => ReadonlyArray<string>
}

export class TaskLease extends Context.Tag("effect-taskflow/TaskLease")<TaskLease, {
  /** Whether tasks may be claimed and started. */
  readonly isHeld: () => boolean
  /** Whether tasks that anyone may claim are for others. */
  readonly isDraining: () => boolean
  /** Whether tasks of this name are left alone for the time being. */
  readonly isPaused: (taskName: string) => boolean
  /** A digest of the pauses that are heeded here. */
  readonly heeds: () => string
  /** How this instance is doing at the moment. */
  readonly vitals: () => Vitals
  /** Heeds these pauses from now on, before a heartbeat tells of them. */
  readonly heed: (paused: Paused) => Effect.Effect<void>
  readonly listen: (listener: LeaseListener) => void
}>() {}

const pauseAfterFailure = 2_000
const steeredAfter = { first: 50, again: 1_000 }
// Real milliseconds: between two heartbeats that are both due, and what a silence lasts at least, as a test's clock may jump.
const othersNeed = 100
const leastSilence = 1_000

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const { heartbeatInterval, lease, maxConcurrentTasks, sameHostDetection } = yield* TaskflowConfig
  const instance = yield* TaskInstance
  const listeners: Array<LeaseListener> = []
  const steering = Steering.make({
    maxConcurrentTasks,
    heartbeatInterval,
    beats: backend.info.shared,
    startedAt: instance.now(),
    listeners
  })
  let held = true
  let heededAt = Number.NEGATIVE_INFINITY
  const service = TaskLease.of({
    isHeld: () => held,
    isDraining: steering.isDraining,
    isPaused: steering.isPaused,
    heeds: steering.heeds,
    vitals: steering.vitalsNow,
    heed: (paused) =>
      Effect.suspend(() => {
        heededAt = RealTime.monotonic()
        return Effect.asVoid(steering.paused(paused))
      }),
    listen: (listener) => {
      listeners.push(listener)
    }
  })
  yield* Stalls.watch({
    warns: backend.info.shared,
    late: steering.late,
    running: () => listeners.flatMap((listener) => listener.running())
  })
  if (!backend.info.shared) return service

  const clock = yield* Effect.clock
  const scope = yield* Effect.scope
  const steered = yield* Signal.make
  // What a live clock shows is real. A Clock of a test's own may jump while an answer is on its way: that takes nobody's time.
  const live = Context.get(DefaultServices.liveServices, Clock.Clock) === clock
  const answered = yield* Signal.make
  const margin = lease / 6
  const monotonic = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
  const moment = (): ClockOffset.Moment => ({ monotonic: monotonic(), wall: clock.unsafeCurrentTimeMillis() })
  // A suspended machine stops the monotonic clock, and the wall clock may be set back: the larger one counts.
  const since = (then: ClockOffset.Moment): number =>
    Math.max(monotonic() - then.monotonic, clock.unsafeCurrentTimeMillis() - then.wall)
  // When the last heartbeat that succeeded was sent: the backend cannot have counted it before.
  let last = moment()
  let lastReal = RealTime.monotonic()
  const watching = Watching.make({
    lease,
    isProvenGone: (peer) => sameHostDetection && isProvenGone(peer, instance.facts)
  })
  // What is kept in this process alone answers at once, however busy the process is.
  const least = backend.info.durability === "none" ? 0 : leastSilence
  const real = () => ({ now: RealTime.monotonic(), least })
  let failing = false
  const trouble = SaidAgain.make(() => clock.unsafeCurrentTimeMillis())
  let deaths = 0
  let steeredLast = false

  // ── the own lease ──────────────────────────────────────────────────────────────────────────────────────────────

  const loseInTime = Effect.suspend(() => {
    if (!held || !(live || failing) || since(last) < lease - margin) return Effect.void
    held = false
    for (const { onLost } of listeners) onLost()
    return Effect.logWarning(
      `task lease: no heartbeat reached the backend for ${
        Math.round(since(last))
      } ms of a lease of ${lease} ms; until one ` +
        "does nothing is claimed or started here, and running tasks with requeueOnInterrupt are interrupted"
    )
  })

  const watch = Effect.suspend(() => {
    const left = lease - margin - since(last)
    if (left > 0) return Effect.sleep(Math.ceil(left))
    return Effect.zipRight(loseInTime, answered.await)
  })

  const renewed = (sent: ClockOffset.Moment, sentReal: number): void => {
    // Beats that nobody could see count for nobody: what was observed before a gap starts again.
    if (sentReal - lastReal > lease / 2) watching.restart()
    last = live ? sent : moment()
    lastReal = sentReal
    failing = false
    trouble.worked()
    if (held) return
    held = true
    for (const { onRegained } of listeners) onRegained()
  }

  // ── the others ─────────────────────────────────────────────────────────────────────────────────────────────────

  // Beside the heartbeats: taking over many tasks must not cost this instance its own lease.
  const reapAll = Reaping.make({
    backend,
    scope,
    now: instance.now,
    onReaped: (records) => {
      for (const { onReaped } of listeners) onReaped(records)
    }
  })

  // ── heartbeats ─────────────────────────────────────────────────────────────────────────────────────────────────

  // The backend's clock is only compared with, never waited for; a Clock of a test's own is as right as it says.
  const compareClocks = live ? ClockOffset.comparing(instance, moment) : () => Effect.void

  // That others can see it heeded: the next heartbeat says so, and comes soon.
  const heeding = ({ draining, paused }: Heartbeat, sentReal: number): Effect.Effect<void> =>
    Effect.zipRight(
      steering.asked(draining),
      // An answer that was asked for before somebody paused something here does not know of it.
      sentReal <= heededAt ? Effect.void : Effect.map(steering.paused(paused), (news) => {
        if (news) steered.notify()
      })
    )

  const heard = (
    id: InstanceId,
    sent: ClockOffset.Moment,
    sentReal: number,
    answer: Heartbeat
  ): Effect.Effect<void> => {
    if (!answer.alive) {
      deaths += 1
      // At once under the new identity, but not in a circle when the backend refuses every one.
      return Effect.zipRight(instance.renew(id), Effect.zipRight(Backoff.afterFailure(deaths), beat))
    }
    deaths = 0
    renewed(sent, sentReal)
    if (answer.cancels.length > 0) { for (const { onCancels } of listeners) onCancels(answer.cancels) }
    return Effect.zipRight(
      Effect.zipRight(compareClocks(sent, answer.backendNow), heeding(answer, sentReal)),
      reapAll(
        watching.suspects(
          answer.peers.filter((peer) => peer.id !== id),
          sent.monotonic,
          monotonic(),
          real()
        )
      )
    )
  }

  const noAnswer = () =>
    new TaskBackendError({ method: "heartbeat", cause: new Error(`no answer within ${lease / 2} ms`) })

  let begun = 0
  const beat: Effect.Effect<void> = Effect.suspend(() => {
    const sent = moment()
    const sentReal = RealTime.monotonic()
    const { id } = instance
    begun = sent.monotonic
    return Effect.matchCauseEffect(
      RealTime.within(backend.heartbeat(id, instance.now(), steering.vitals()), lease / 2, noAnswer),
      {
        onFailure: (cause) => {
          watching.restart()
          failing = true
          const why = whyLate(backend.info.kind, RealTime.monotonic() - sentReal, lease / 2)
          return trouble.failed(`task lease: a heartbeat failed${why}`, cause)
        },
        onSuccess: (answer) => heard(id, sent, sentReal, answer)
      }
    )
  }).pipe(Effect.ensuring(Effect.sync(answered.notify)))

  // The next one comes early when it could tell that somebody is dead, and when the last one failed. A clock that jumped past
  // its time meanwhile gets it at once, but the others get a moment to send theirs.
  const untilNext = Effect.suspend(() => {
    const now = monotonic()
    const usual = failing ? Math.min(heartbeatInterval, pauseAfterFailure) : begun + heartbeatInterval - now
    const wait = Math.min(usual, watching.untilNext(now, real()))
    if (wait <= 0) return RealTime.pause(othersNeed)
    // Somebody wants one of ours to stop: soon, but not time and again for one that does not.
    const pause = steeredLast ? steeredAfter.again : steeredAfter.first
    steeredLast = false
    const soon = Effect.map(Effect.zipRight(Effect.sleep(Math.min(wait, pause)), steered.await), () => {
      steeredLast = true
    })
    return Effect.raceFirst(Effect.sleep(Math.ceil(wait)), soon)
  })

  // Before anything is claimed or timed here. Until it is known how far this clock is off, nothing that waits may be promoted.
  const measured = Effect.suspend(() => {
    const sent = moment()
    return Effect.matchCauseEffect(
      RealTime.within(backend.heartbeat(instance.id, instance.now(), steering.vitals()), lease / 2, noAnswer),
      {
        onFailure: (cause) => {
          held = false
          return Effect.logWarning(
            "task lease: the first heartbeat failed, nothing starts here until one succeeds",
            cause
          )
        },
        onSuccess: (answer) =>
          Effect.zipRight(compareClocks(sent, answer.backendNow), heeding(answer, Number.POSITIVE_INFINITY))
      }
    )
  })
  if (live) yield* measured
  yield* Effect.forkIn(
    Effect.interruptible(Stream.runForEach(backend.hints("steer"), () => Effect.sync(steered.notify))),
    scope
  )

  const round = loseInTime.pipe(Effect.zipRight(beat), Effect.zipRight(untilNext))
  const forever = (self: Effect.Effect<void>) => Effect.forkIn(Effect.interruptible(Effect.forever(self)), scope)
  yield* forever(round)
  yield* forever(watch)
  return service
})

export const layer: Layer.Layer<TaskLease, never, TaskBackend | TaskflowConfig | TaskInstance> = Layer.scoped(
  TaskLease,
  make
)
