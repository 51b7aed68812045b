/**
 * Actions of people and programs: allowed or refused by who asks, and written down either way.
 *
 * Every route that changes something goes through here. What is written down says who, when, what, to what, with which
 * parameters, and how it went; refused actions of known callers too. Payloads are never part of it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { v7 as uuidv7 } from "uuid"
import type { AuditEntry } from "../AuditStore.js"
import type { TaskManager } from "../TaskManager.js"
import type { TaskForbidden } from "./auth/AuthProblem.js"
import { requires } from "./auth/permission.js"
import { current, type Permission } from "./TaskUser.js"

export interface Action<A> {
  /** As `retry` or `definition.pause`. */
  readonly action: string
  readonly target: string | null
  /** What was asked, and what came of it once it is known. JSON. */
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly outcome?: (done: A) => Readonly<Record<string, unknown>>
  /** Of several all are needed. */
  readonly permission: Permission | ReadonlyArray<Permission>
}

const maxTarget = 200
// Of a parameter: as long as a filter can be. And of a list.
const maxText = 2_000
const maxItems = 20

const cut = (text: string, most: number): string => text.length <= most ? text : `${text.slice(0, most - 1)}…`

// Whoever may do nothing may still ask for it, as often as they like: what is kept of that is bounded.
const bounded = (_: string, value: unknown): unknown =>
  typeof value === "string"
    ? cut(value, maxText)
    : Array.isArray(value) && value.length > maxItems
    ? [...value.slice(0, maxItems), "…"]
    : value

const tagOf = (cause: Cause.Cause<unknown>): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (typeof failure === "object" && failure !== null && "_tag" in failure) return String(failure._tag)
  return Cause.isInterruptedOnly(cause) ? "interrupted" : "defect"
}

type Auditor = Pick<TaskManager["Type"], "audit">

/** What is written down, with its parameters as they are. */
export interface Told extends Omit<AuditEntry, "id" | "at" | "parameters"> {
  readonly parameters: Readonly<Record<string, unknown>>
}

/**
 * Writes one entry. The action was done, or refused: that it cannot be written down must not say otherwise. The log keeps it
 * then.
 */
export const write = (manager: Auditor, { parameters, target, ...entry }: Told): Effect.Effect<void> =>
  Effect.flatMap(Effect.clock, (clock) => {
    const whole = {
      id: uuidv7(),
      at: clock.unsafeCurrentTimeMillis(),
      ...entry,
      target: target === null ? null : cut(target, maxTarget),
      parameters: JSON.stringify(parameters, bounded)
    }
    return Effect.catchAllCause(
      manager.audit.append([whole]),
      (cause) => Effect.logError("TaskHttp: an action could not be written to the audit trail", whole, cause)
    )
  })

/** What an audit entry is written with. `acted` is called after each action that was done. */
export const make = (manager: Auditor, acted: () => void = () => {}) =>
<A, E, R>(
  { action, outcome, parameters = {}, permission, target }: Action<A>,
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E | TaskForbidden, R> =>
  Effect.flatMap(current, ({ name: who }) => {
    const told = (how: string, more: Readonly<Record<string, unknown>> = {}) =>
      write(manager, { who, action, target, parameters: { ...parameters, ...more }, outcome: how })
    const needed = typeof permission === "string" ? [permission] : permission
    return Effect.matchEffect(Effect.forEach(needed, requires, { discard: true }), {
      onFailure: (forbidden) => Effect.zipRight(told("denied"), Effect.fail(forbidden)),
      onSuccess: () =>
        // Whoever asked may go away meanwhile: what was done is written down all the same.
        Effect.uninterruptibleMask((restore) =>
          Effect.matchCauseEffect(restore(run), {
            onFailure: (cause) => Effect.zipRight(told(tagOf(cause)), Effect.failCause(cause)),
            onSuccess: (done) => Effect.as(Effect.zipRight(Effect.sync(acted), told("done", outcome?.(done))), done)
          })
        )
    })
  })

export type Audited = ReturnType<typeof make>
