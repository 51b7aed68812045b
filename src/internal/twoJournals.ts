/**
 * The journal of an engine that also has tasks in memory alone: two journals behind one face, each with its own backend.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Change, TaskBackend } from "../TaskBackend.js"
import type { TaskId } from "../TaskId.js"
import type { TaskJournal } from "../TaskJournal.js"
import { TaskVolatile } from "../TaskVolatile.js"

type Journal = TaskJournal["Type"]

const idOf = (change: Change): TaskId => "record" in change ? change.record.taskId : change.taskId

// `isFleeting`: what goes to the second one. Room is a matter of the first: memory has bounds of its own.
const together = (isFleeting: (taskId: TaskId) => boolean, kept: Journal, fleeting: Journal): Journal => ({
  ...kept,
  submit: (change, onOutcome, onDeferred) =>
    (isFleeting(idOf(change)) ? fleeting : kept).submit(change, onOutcome, onDeferred),
  // Only one of them is given something.
  grouped: (submitAll) => kept.grouped(() => fleeting.grouped(submitAll)),
  flush: Effect.zipRight(fleeting.flush, kept.flush),
  written: Effect.zipRight(fleeting.written, kept.written),
  caughtUp: Effect.zipRight(fleeting.caughtUp, kept.caughtUp)
})

/** What is not persisted has a journal of its own, made like the other one, so that it waits for no backend. */
export const of = <E, R>(make: Effect.Effect<Journal, E, R>) =>
  Effect.gen(function*() {
    const volatile = yield* Effect.serviceOption(TaskVolatile)
    const kept = yield* make
    if (Option.isNone(volatile)) return kept
    const fleeting = yield* Effect.provideService(make, TaskBackend, volatile.value.memory)
    return together(volatile.value.has, kept, fleeting)
  })
