/**
 * The batches of one instance: kept in its memory, done by its fibers, stopped when it stops. Called by the routes of batches and by
 * the live stream.
 *
 * Nothing of it is in the backend: an instance that dies ends its batches where they are. Asking for the same again does nothing
 * twice, because what was retried or cancelled is skipped.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as RealTime from "../../internal/realTime.js"
import { quoted } from "../../internal/shown.js"
import type { TaskBackendError } from "../../TaskError.js"
import * as Audited from "../audited.js"
import type * as Shapes from "../BatchShapes.js"
import * as Bulk from "../bulk.js"
import type { Parts } from "../parts.js"
import { BatchNotFound, BatchOver, TooManyBatches } from "../TaskProblem.js"
import * as Batch from "./batch.js"
import * as Work from "./work.js"

/** What is wanted, with where its tasks come from. */
export interface Wanted extends Omit<Batch.Asked, "createdAt"> {
  readonly source: Work.Source
  /** Milliseconds. */
  readonly startAfter: number
}

export interface Batches {
  /** Fails when there is no room for another one. */
  readonly room: Effect.Effect<void, TooManyBatches>
  readonly start: (wanted: Wanted) => Effect.Effect<Shapes.Batch, TooManyBatches>
  /** Newest first. */
  readonly list: Effect.Effect<ReadonlyArray<Shapes.Batch>>
  readonly get: (id: string) => Effect.Effect<Shapes.Batch, BatchNotFound>
  /** Ends the undo window. */
  readonly begin: (id: string) => Effect.Effect<Shapes.Batch, BatchNotFound | BatchOver>
  readonly stop: (id: string) => Effect.Effect<typeof Shapes.BatchStopped.Type, BatchNotFound | BatchOver>
  /** Those that have not ended, and those that ended within a minute: what the stream tells. */
  readonly recent: Effect.Effect<ReadonlyArray<Shapes.Batch>>
  /** Calls back whenever one of them changes. */
  readonly onChange: (listener: () => void) => void
}

const most = {
  /** Waiting or running at once. */
  active: 10,
  /** Kept behind their end. */
  ended: 50
}

// For how long the stream tells of one that ended.
const toldFor = 60_000

// Real milliseconds that the tasks under way have when the server stops.
const grace = 2_000

const words = {
  backend:
    "the task backend did not answer for a minute: ask for the rest again when it does; the server's log says why",
  waits: "the task backend is not available: asking it again",
  fault: "a fault of the server: its log says which",
  shutdown: "the server was shut down: ask for the rest again"
}

export const make = ({ manager }: Pick<Parts, "manager">): Effect.Effect<Batches, never, Scope.Scope> =>
  Effect.gen(function*() {
    // Of its own: what a batch does has nothing of the request that asked for it.
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const all = new Map<string, Batch.Kept>()
    const fibers = new Map<string, Fiber.RuntimeFiber<void>>()
    const listeners = new Set<() => void>()
    let closed = false

    const changed = (kept: Batch.Kept) => {
      kept.v += 1
      listeners.forEach((listener) => listener())
    }
    const shown = (kept: Batch.Kept): Shapes.Batch => Batch.shown(kept, manager.instance)
    const newestFirst = () => Array.from(all.values()).reverse()

    const forgetOld = () => {
      const ended = newestFirst().filter(Batch.isEnded)
      for (const { id } of ended.slice(most.ended)) all.delete(id)
    }

    const end = (kept: Batch.Kept, state: Batch.EndState, error: string | null) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (Batch.isEnded(kept)) return Effect.void
        kept.state = state
        kept.endedAt = now
        kept.error = error
        changed(kept)
        forgetOld()
        const { action, done, total, who } = kept
        return Audited.write(manager, {
          who,
          action: "batch.end",
          target: kept.id,
          parameters: { action, done, ...Batch.skips(kept), total, ...error === null ? {} : { error } },
          outcome: state
        })
      })

    const tellOf = (kept: Batch.Kept): Work.Work["tell"] => ({
      done: () => {
        kept.done += 1
        changed(kept)
      },
      skipped: (reason) => {
        kept.reasons.set(reason, (kept.reasons.get(reason) ?? 0) + 1)
        changed(kept)
      },
      trouble: (is) => {
        if (is === (kept.error !== null)) return
        kept.error = is ? words.waits : null
        changed(kept)
      }
    })

    const whole = (kept: Batch.Kept, { source, startAfter }: Wanted): Effect.Effect<void> =>
      Effect.gen(function*() {
        // Not within the request: whoever asked is answered first.
        yield* Effect.yieldNow()
        if (startAfter > 0) yield* Effect.raceFirst(Effect.sleep(startAfter), Deferred.await(kept.begun))
        if (Batch.isEnded(kept)) return
        if (kept.stopRequested) return yield* end(kept, "stopped", kept.stopReason)
        kept.state = "running"
        kept.startsAt = yield* Clock.currentTimeMillis
        changed(kept)
        const result = yield* Effect.either(Work.run({
          source,
          act: (taskId): Effect.Effect<Bulk.Fate<unknown>, TaskBackendError> =>
            kept.action === "retry" ? Bulk.retryOne(manager, taskId) : Bulk.cancelOne(manager, taskId),
          perSecond: kept.perSecond,
          halted: kept.halted,
          tell: tellOf(kept)
        }))
        if (Either.isLeft(result)) {
          yield* Effect.logError(`batch ${kept.id}: the backend failed for too long`, Cause.fail(result.left))
          return yield* end(kept, "failed", words.backend)
        }
        return yield* result.right === "done" ? end(kept, "done", null) : end(kept, "stopped", kept.stopReason)
      }).pipe(
        Effect.catchAllCause((cause) =>
          Effect.zipRight(Effect.logError(`batch ${kept.id} broke off`, cause), end(kept, "failed", words.fault))
        ),
        Effect.ensuring(Effect.sync(() => fibers.delete(kept.id)))
      )

    const halt = (kept: Batch.Kept, reason: string | null) => {
      if (kept.stopRequested) return
      kept.stopRequested = true
      kept.stopReason = reason
      changed(kept)
      Deferred.unsafeDone(kept.halted, Effect.void)
      Deferred.unsafeDone(kept.begun, Effect.void)
    }

    const active = (id: string): Effect.Effect<Batch.Kept, BatchNotFound | BatchOver> =>
      Effect.flatMap(known(id), (kept) =>
        Batch.isEnded(kept)
          ? Effect.fail(
            new BatchOver({
              batch: id,
              state: kept.state,
              message: `batch ${quoted(id)} is over (${kept.state}): there is nothing to stop or go on with`
            })
          )
          : Effect.succeed(kept))

    const known = (id: string): Effect.Effect<Batch.Kept, BatchNotFound> =>
      Effect.suspend(() => {
        const kept = all.get(id)
        return kept === undefined
          ? Effect.fail(
            new BatchNotFound({
              batch: id,
              message: `this instance knows no batch ${quoted(id)}: another one does it, it was ` +
                "restarted, or the batch is long over; the audit trail says how it ended"
            })
          )
          : Effect.succeed(kept)
      })

    const room: Batches["room"] = Effect.suspend(() =>
      closed || newestFirst().filter((kept) => !Batch.isEnded(kept)).length >= most.active
        ? Effect.fail(
          new TooManyBatches({
            limit: most.active,
            message: closed
              ? "the server shuts down"
              : `${most.active} batches wait or run here, as many as one instance takes: stop one, or wait for its end`
          })
        )
        : Effect.void
    )

    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        closed = true
        for (const kept of all.values()) if (!Batch.isEnded(kept)) halt(kept, words.shutdown)
        if (fibers.size === 0) return Effect.void
        const ended = RealTime.endsWithin(Fiber.awaitAll(Array.from(fibers.values())), grace)
        return Effect.flatMap(ended, (inTime) => {
          if (inTime) return Effect.void
          const late = newestFirst().filter((kept) => !Batch.isEnded(kept))
          // What they still do is left behind with the backend that does not answer.
          return Effect.zipRight(
            Effect.logError("batches did not end with the server and were left behind", ...late.map(({ id }) => id)),
            Effect.sync(() => {
              for (const fiber of fibers.values()) fiber.unsafeInterruptAsFork(fiber.id())
            })
          )
        })
      })
    )

    return {
      room,
      start: (wanted) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.map(room, () => {
            const { source, startAfter, ...asked } = wanted
            const kept = Batch.make({ ...asked, createdAt: now }, now + startAfter)
            all.set(kept.id, kept)
            changed(kept)
            fibers.set(kept.id, fork(whole(kept, wanted)))
            return shown(kept)
          })),
      list: Effect.sync(() => newestFirst().map(shown)),
      get: (id) => Effect.map(known(id), shown),
      begin: (id) =>
        Effect.map(active(id), (kept) => {
          Deferred.unsafeDone(kept.begun, Effect.void)
          return shown(kept)
        }),
      stop: (id) =>
        Effect.flatMap(active(id), (kept) => {
          const outcome = kept.state === "waiting" ? "undone" : "stopping"
          halt(kept, null)
          return Effect.map(
            outcome === "undone" ? end(kept, "stopped", null) : Effect.void,
            () => ({ outcome, batch: shown(kept) } as const)
          )
        }),
      recent: Effect.map(
        Clock.currentTimeMillis,
        (now) => newestFirst().filter(({ endedAt }) => endedAt === null || now - endedAt < toldFor).map(shown)
      ),
      onChange: (listener) => {
        listeners.add(listener)
      }
    }
  })
