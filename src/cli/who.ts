/** Who acts, as the audit trail names them, and what is written there. */
import * as os from "node:os"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AuditStore } from "../AuditStore.js"
import * as Audited from "../http/audited.js"

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
