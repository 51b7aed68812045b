import { Effect } from "effect"
import type { Fault } from "./Fault.js"

const hour = 3_600_000

/** Not on SQLite: processes on one file are on one machine, which has one clock. */
export const skew: Fault = {
  name: "skew",
  what: "a process whose clock is an hour ahead or behind",
  backends: ["postgres", "mariadb", "redis"],
  hits: "process",
  lasts: (lease) => [lease * 1.5, lease * 2.5],
  inflict: ({ fleet }, { random, slot }) =>
    Effect.acquireRelease(
      fleet.restart(slot, { deployment: "both", skew: random() < 0.5 ? hour : -hour }),
      () => fleet.restart(slot)
    )
}
