/**
 * The work of a batch: which tasks, a few at a time, and what is done with each, as fast as was asked for and no faster.
 *
 * A backend that fails is asked again for a minute. Told to stop, it finishes the tasks that are under way.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Backoff from "../../internal/backoff.js"
import { type TaskBackendError } from "../../TaskError.js"
import { isTaskId, millisOf, type TaskId } from "../../TaskId.js"
import type { SkipReason } from "../ActionShapes.js"
import type { Fate } from "../bulk.js"
import type { Plan } from "../filter/plan.js"
import type { RowSource } from "../rowWalk.js"
import * as TaskSearch from "../TaskSearch.js"

/** Where the tasks of a batch come from: the next ones, at most so many; none at the end. */
export interface Source {
  /** Ids of the selection that no task can have. */
  readonly unknown: number
  readonly next: (most: number) => Effect.Effect<ReadonlyArray<TaskId>, TaskBackendError>
}

/** These, each once. */
export const ofIds = (ids: ReadonlyArray<string>): Source & { readonly size: number } => {
  const distinct = [...new Set(ids)]
  const known = distinct.filter(isTaskId)
  let at = 0
  return {
    size: distinct.length,
    unknown: distinct.length - known.length,
    next: (most) =>
      Effect.sync(() => {
        const some = known.slice(at, at + most)
        at += some.length
        return some
      })
  }
}

// Before the id of every task.
const lowest = "00000000-0000-7000-8000-000000000000" as TaskId // safe: it has the form of one

/** The plan for tasks up to an id alone. */
const upTo = (plan: Plan, newest: TaskId): Plan => {
  const first = plan.ids?.first ?? lowest
  const last = plan.ids === null || plan.ids.last > newest ? newest : plan.ids.last
  return first > last ? { ...plan, queries: [], never: true } : { ...plan, ids: { first, last } }
}

const pageSize = 200

/**
 * What a plan shows of the tasks that are there at `now`, newest first: those up to the id `newest`. Whether one fits is looked at
 * when its turn comes near.
 */
export const ofPlan = (
  manager: RowSource<TaskBackendError, never>,
  plan: Plan,
  { newest, now }: { readonly newest: TaskId; readonly now: number }
): Source => {
  const bounded = upTo(plan, newest)
  let ids: ReadonlyArray<TaskId> = []
  // Null: there are no more pages.
  let cursor: string | undefined | null = undefined
  const read = Effect.suspend(() =>
    TaskSearch.search(manager, bounded, { cursor: cursor ?? undefined, limit: pageSize })
  ).pipe(
    // It is the search's own, of the same question.
    Effect.catchTag("TaskCursorError", Effect.die),
    Effect.map(({ items, nextCursor }) => {
      // The newest id may be of an instance whose clock is ahead: what this batch makes could stand before it.
      ids = items.flatMap(({ retryOf, taskId }) => retryOf !== null && millisOf(taskId) >= now ? [] : [taskId])
      cursor = nextCursor
    })
  )
  const next = (most: number): Effect.Effect<ReadonlyArray<TaskId>, TaskBackendError> =>
    Effect.suspend(() => {
      if (ids.length === 0 && cursor !== null) return Effect.zipRight(read, next(most))
      const some = ids.slice(0, most)
      ids = ids.slice(some.length)
      return Effect.succeed(some)
    })
  return { unknown: 0, next }
}

/** Nothing. */
export const none: Source = ofIds([])

export interface Work {
  readonly source: Source
  /** Retries or cancels one task. */
  readonly act: (taskId: TaskId) => Effect.Effect<Fate<unknown>, TaskBackendError>
  readonly perSecond: number | null
  readonly halted: Deferred.Deferred<void>
  readonly tell: {
    readonly done: () => void
    readonly skipped: (reason: SkipReason) => void
    /** The backend fails, and is asked again; false when it answers again. */
    readonly trouble: (is: boolean) => void
  }
}

// Tasks under way at once: their commits share batches, and others get their turn.
const concurrency = 16

// Tasks between two pauses when no rate was asked for, and how long a pause is: as long as they took, within this.
const easy = { tasks: 64, shortest: 10, longest: 1_000 }

// How long a backend may fail.
const patience = 60_000

// At a rate: a part of a second's tasks, so that they are spread over it.
const partsOfSecond = 4

const halt = Symbol("halt")
type Halt = typeof halt

/** `done`: all that the source gave. `halted`: told to stop before. Fails when the backend did for a minute. */
export const run = (
  { act, halted, perSecond, source, tell }: Work
): Effect.Effect<"done" | "halted", TaskBackendError> =>
  Effect.gen(function*() {
    const isHalted = Deferred.isDone(halted)
    const pause = (millis: number) => Effect.raceFirst(Effect.sleep(millis), Deferred.await(halted))

    /** Asks again while the backend fails; `failures` tells how often it did. */
    const steadily = <A>(ask: (failures: number) => Effect.Effect<A, TaskBackendError>) => {
      const attempt = (failures: number, since: number): Effect.Effect<A | Halt, TaskBackendError> =>
        Effect.catchTag(ask(failures), "TaskBackendError", (error) =>
          Effect.gen(function*() {
            const now = yield* Clock.currentTimeMillis
            const from = failures === 0 ? now : since
            if (now - from >= patience) return yield* Effect.fail(error)
            tell.trouble(true)
            yield* pause(yield* Backoff.jittered(Backoff.millisAfter(failures + 1)))
            if (yield* isHalted) return halt
            return yield* attempt(failures + 1, from)
          }))
      return attempt(0, 0)
    }

    const one = (taskId: TaskId) =>
      Effect.map(
        steadily((failures) =>
          Effect.map(act(taskId), (fate): Fate<unknown> =>
            // An attempt whose answer was lost may have been the one that did it.
            failures > 0 && "reason" in fate && fate.reason === "alreadyRetried" ? { done: taskId } : fate)
        ),
        (fate) => {
          if (fate === halt) return
          tell.trouble(false)
          if ("reason" in fate) tell.skipped(fate.reason)
          else tell.done()
        }
      )

    const together = perSecond === null ? easy.tasks : Math.max(1, Math.ceil(perSecond / partsOfSecond))
    let due = yield* Clock.currentTimeMillis
    for (let skipped = 0; skipped < source.unknown; skipped += 1) tell.skipped("notFound")
    for (;;) {
      if (yield* isHalted) return "halted"
      const ids = yield* steadily(() => source.next(together))
      if (ids === halt) return "halted"
      tell.trouble(false)
      if (ids.length === 0) return "done"
      const before = yield* Clock.currentTimeMillis
      if (due > before) {
        yield* pause(due - before)
        if (yield* isHalted) return "halted"
      }
      const began = yield* Clock.currentTimeMillis
      yield* Effect.forEach(ids, one, { concurrency, discard: true })
      const now = yield* Clock.currentTimeMillis
      due = perSecond === null
        ? now + Math.min(easy.longest, Math.max(easy.shortest, now - began))
        : Math.max(due, began) + ids.length / perSecond * 1_000
    }
  })
