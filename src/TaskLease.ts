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
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as Backoff from "./internal/backoff.js"
import * as LoopLag from "./internal/loopLag.js"
import { isProvenGone } from "./internal/processFacts.js"
import * as Signal from "./internal/signal.js"
import * as Steering from "./internal/steering.js"
import { TaskBackend } from "./TaskBackend.js"
import { TaskBackendError } from "./TaskError.js"
import type { InstanceId } from "./TaskEvent.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
import { TaskInstance } from "./TaskInstance.js"
import type { Heartbeat, Peer } from "./TaskPeer.js"
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
  readonly listen: (listener: LeaseListener) => void
}>() {}

const reapChunk = 500
const pauseAfterFailure = 2_000
const steeredAfter = 50

// A clock further off than this, and an event loop that stood still for longer, are worth a warning. Milliseconds.
const wrongClock = 5_000
const longStall = 1_000

interface Moment {
  readonly monotonic: number
  readonly wall: number
}

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const { heartbeatInterval, lease, maxConcurrentTasks, sameHostDetection } = yield* TaskflowConfig
  const instance = yield* TaskInstance
  const listeners: Array<LeaseListener> = []
  const steering = Steering.make(maxConcurrentTasks, listeners)
  let held = true
  const service = TaskLease.of({
    isHeld: () => held,
    isDraining: steering.isDraining,
    listen: (listener) => {
      listeners.push(listener)
    }
  })
  if (!backend.info.shared) return service

  const clock = yield* Effect.clock
  const scope = yield* Effect.scope
  const regained = yield* Signal.make
  const steered = yield* Signal.make
  const margin = lease / 6
  const seen = new Map<InstanceId, { readonly beat: number; readonly since: number }>()
  const monotonic = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
  const moment = (): Moment => ({ monotonic: monotonic(), wall: clock.unsafeCurrentTimeMillis() })
  // A suspended machine stops the monotonic clock, and the wall clock may be set back: the larger one counts.
  const since = (then: Moment): number =>
    Math.max(monotonic() - then.monotonic, clock.unsafeCurrentTimeMillis() - then.wall)
  // When the last heartbeat that succeeded was sent: the backend cannot have counted it before.
  let last = moment()
  let reaping = false
  let failing = false
  let deaths = 0

  // ── the own lease ──────────────────────────────────────────────────────────────────────────────────────────────

  const loseInTime = Effect.suspend(() => {
    if (!held || since(last) < lease - margin) return Effect.void
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
    return Effect.zipRight(loseInTime, regained.await)
  })

  const renewed = (sent: Moment): void => {
    // Beats that nobody could see count for nobody: what was observed before a gap starts again.
    if (sent.monotonic - last.monotonic > lease / 2) seen.clear()
    last = sent
    failing = false
    if (held) return
    held = true
    regained.notify()
    for (const { onRegained } of listeners) onRegained()
  }

  // ── the others ─────────────────────────────────────────────────────────────────────────────────────────────────

  const isSuspect = (peer: Peer, sentAt: number): boolean => {
    if (peer.state === "dead") return true
    if (sameHostDetection && isProvenGone(peer, instance.facts)) return true
    const known = seen.get(peer.id)
    if (known?.beat === peer.beat) return sentAt - known.since >= lease
    seen.set(peer.id, { beat: peer.beat, since: monotonic() })
    return false
  }

  const suspectsAmong = (peers: ReadonlyArray<Peer>, sentAt: number): ReadonlyArray<Peer> => {
    const there = new Set(peers.map(({ id }) => id))
    for (const id of seen.keys()) if (!there.has(id)) seen.delete(id)
    return peers.filter((peer) => peer.id !== instance.id && isSuspect(peer, sentAt))
  }

  // A chunk that brings nothing waits for the next heartbeat: somebody is changing those tasks just now.
  const reap = (suspect: Peer, taken: number): Effect.Effect<void, TaskBackendError> =>
    Effect.flatMap(
      // One that is never answered must not keep the engine from closing.
      Effect.disconnect(
        backend.reap({ suspect: suspect.id, beat: suspect.beat, now: instance.now(), limit: reapChunk })
      ),
      ({ left, records }) => {
        for (const { onReaped } of listeners) onReaped(records)
        const total = taken + records.length
        if (left && records.length > 0) return reap(suspect, total)
        return total === 0
          ? Effect.void
          : Effect.logWarning(
            `task lease: instance ${suspect.id} on ${suspect.host} died: ${total} tasks were taken over`
          )
      }
    )

  // One whose tasks cannot be taken over must not keep those behind it from being taken over.
  const reapOne = (suspect: Peer): Effect.Effect<void> =>
    Effect.catchAllCause(
      Effect.suspend(() => reap(suspect, 0)),
      (cause) =>
        Effect.logWarning(
          `task lease: taking over the tasks of instance ${suspect.id} failed, the next round goes on`,
          cause
        )
    )

  // Beside the heartbeats: taking over many tasks must not cost this instance its own lease.
  const reapAll = (suspects: ReadonlyArray<Peer>): Effect.Effect<void> => {
    if (suspects.length === 0 || reaping) return Effect.void
    reaping = true
    return Effect.forEach(suspects, reapOne, { discard: true }).pipe(
      Effect.ensuring(Effect.sync(() => reaping = false)),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  }

  // ── heartbeats ─────────────────────────────────────────────────────────────────────────────────────────────────

  // The backend's clock is only compared with, never waited for; a Clock of a test's own is as right as it says.
  const live = Context.get(DefaultServices.liveServices, Clock.Clock) === clock
  let warned = false
  const compareClocks = (sent: Moment, backendNow: number | null): Effect.Effect<void> => {
    if (backendNow === null || !live) return Effect.void
    const offset = backendNow - (sent.wall + clock.unsafeCurrentTimeMillis()) / 2
    instance.correct(offset)
    if (warned || Math.abs(offset) <= wrongClock) return Effect.void
    warned = true
    const by = `${Math.round(Math.abs(offset))} ms ${offset > 0 ? "behind" : "ahead of"}`
    return Effect.logWarning(
      `task lease: this machine's clock is ${by} the backend's; tasks are timed by the backend's: is NTP running here?`
    )
  }

  const heard = (id: InstanceId, sent: Moment, answer: Heartbeat): Effect.Effect<void> => {
    if (!answer.alive) {
      deaths += 1
      // At once under the new identity, but not in a circle when the backend refuses every one.
      return Effect.zipRight(instance.renew(id), Effect.zipRight(Backoff.afterFailure(deaths), beat))
    }
    deaths = 0
    renewed(sent)
    if (answer.cancels.length > 0) { for (const { onCancels } of listeners) onCancels(answer.cancels) }
    return Effect.zipRight(
      Effect.zipRight(compareClocks(sent, answer.backendNow), steering.asked(answer.draining)),
      reapAll(suspectsAmong(answer.peers, sent.monotonic))
    )
  }

  const noAnswer = () =>
    new TaskBackendError({ method: "heartbeat", cause: new Error(`no answer within ${lease / 2} ms`) })

  const beat: Effect.Effect<void> = Effect.suspend(() => {
    const sent = moment()
    const { id } = instance
    return Effect.matchCauseEffect(
      backend.heartbeat(id, instance.now(), steering.vitals()).pipe(
        Effect.disconnect,
        Effect.timeoutFail({ duration: lease / 2, onTimeout: noAnswer })
      ),
      {
        onFailure: (cause) => {
          seen.clear()
          failing = true
          return Effect.logWarning("task lease: a heartbeat failed", cause)
        },
        onSuccess: (answer) => heard(id, sent, answer)
      }
    )
  })

  // The next one comes early when it could tell that somebody is dead, and when the last one failed.
  const untilNext = Effect.suspend(() => {
    const now = monotonic()
    let wait = failing ? Math.min(heartbeatInterval, pauseAfterFailure) : heartbeatInterval
    for (const known of seen.values()) {
      if (known.since + lease > now) wait = Math.min(wait, known.since + lease - now)
    }
    // Somebody wants one of ours to stop: soon, but not time and again for one that does not.
    const soon = Effect.zipRight(Effect.sleep(Math.min(wait, steeredAfter)), steered.await)
    return Effect.raceFirst(Effect.sleep(Math.ceil(wait)), soon)
  })
  yield* Effect.forkIn(
    Effect.interruptible(Stream.runForEach(backend.hints("steer"), () => Effect.sync(steered.notify))),
    scope
  )

  const round = loseInTime.pipe(Effect.zipRight(beat), Effect.zipRight(untilNext))
  const forever = (self: Effect.Effect<void>) => Effect.forkIn(Effect.interruptible(Effect.forever(self)), scope)
  yield* forever(round)
  yield* forever(watch)

  const runtime = yield* Effect.runtime<never>()
  let running: ReadonlyArray<string> = []
  const runningNow = () => listeners.flatMap((listener) => listener.running())
  yield* LoopLag.watch({
    longerThan: longStall,
    onTurn: (late) => {
      steering.late(late)
      running = runningNow()
    },
    onStall: (millis) => {
      steering.late(millis)
      const names = [...new Set([...running, ...runningNow()])]
      const meanwhile = names.length === 0 ? "" : ` while these tasks ran: ${names.join(", ")}`
      const message = `the event loop stood still for ${
        Math.round(millis)
      } ms${meanwhile}; no heartbeat is sent meanwhile`
      Runtime.runFork(runtime, Effect.logWarning(message))
    }
  })
  return service
})

export const layer: Layer.Layer<TaskLease, never, TaskBackend | TaskflowConfig | TaskInstance> = Layer.scoped(
  TaskLease,
  make
)
