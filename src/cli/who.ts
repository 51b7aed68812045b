/** Who acts, as the audit trail names them, and what is written there. */
import * as os from "node:os"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { AuditStore } from "../AuditStore.js"
import * as Audited from "../http/audited.js"
import { Screen } from "./Screen.js"

const userName = (): string => {
  try {
    return os.userInfo().username
  } catch {
    // A process whose user has no entry, as in a container.
    return "unknown"
  }
}

export const whoIs = (by: Option.Option<string>): string =>
  Option.getOrElse(by, () => `cli:${userName()}`).slice(0, 200)

/** Writes an action down; that this fails must not say that the action did. */
export const audit = (
  store: Pick<AuditStore, "append">,
  entry: { readonly who: string; readonly action: string; readonly target: string | null; readonly outcome?: string },
  parameters: Readonly<Record<string, unknown>> = {}
): Effect.Effect<void> =>
  Audited.write({ audit: { append: store.append, page: () => Effect.succeed({ items: [], nextCursor: null }) } }, {
    outcome: "done",
    ...entry,
    parameters
  })

/**
 * Runs what is done in many steps, and writes down and says how it ended: a signal or a failure in the middle undoes nothing
 * of what was done. `soFar` and `told` say what that is: what was under way may have been done as well.
 */
export const audited = <A, E, R>(
  store: Pick<AuditStore, "append">,
  entry: { readonly who: string; readonly action: string },
  soFar: () => Readonly<Record<string, unknown>>,
  told: () => string,
  body: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Screen> =>
  Effect.onExit(body, (ended) => {
    const outcome = Exit.isSuccess(ended) ? "done" : Cause.isInterrupted(ended.cause) ? "interrupted" : "failed"
    const written = audit(store, { ...entry, target: null, outcome }, soFar())
    return outcome === "done"
      ? written
      : Effect.zipRight(Effect.flatMap(Screen, ({ note }) => note(`ended early: at least ${told()}`)), written)
  })
