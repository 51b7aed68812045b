/** What is said and counted of slots that were missed: once for each time that a schedule catches up. */
import * as Effect from "effect/Effect"
import { count as counts } from "./counts.js"
import type { Known } from "./knownSchedule.js"
import { mostCounted } from "./trigger.js"

// A schedule that misses slots time and again says so once a minute, with all of them.
const quiet = 60_000

const many = (slots: number): string => Number.isFinite(slots) ? `${slots}` : `more than ${mostCounted}`

/** A schedule caught up: so many slots were missed, so many of all that were due pass over, and so many fired. */
export const tell = (
  known: Known,
  { fired, missed, passed }: { readonly missed: number; readonly passed: number; readonly fired: number },
  now: number
): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (missed === 0) return Effect.void
    const { unsaid } = known
    unsaid.missed += missed
    unsaid.passed += passed
    unsaid.fired += fired
    if (now < known.quietUntil) return Effect.void
    known.quietUntil = now + quiet
    known.unsaid = { missed: 0, passed: 0, fired: 0 }
    const misfire = known.facts?.misfire ?? "once"
    const message =
      `schedule ${JSON.stringify(known.name)} missed ${many(unsaid.missed)} of its slots: now ${unsaid.fired} ` +
      `fired and ${many(unsaid.passed)} passed over (misfire: ${misfire})`
    return misfire === "all" && unsaid.passed > 0 ? Effect.logWarning(message) : Effect.logInfo(message)
  })

/** A slot was settled here: those that passed over before it are this instance's to count. */
export const count = (known: Known, taskName: string, passed: number): void => {
  const all = known.passed + passed
  known.passed = 0
  if (all > 0) counts.slots(taskName, "missed", Math.min(all, mostCounted))
}
