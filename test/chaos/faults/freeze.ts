import { Effect } from "effect"
import { kinds } from "../support/places.js"
import type { Fault } from "./Fault.js"

/** Others take its tasks over meanwhile; it wakes up among them and goes on where it was. */
export const freeze: Fault = {
  name: "freeze",
  what: "SIGSTOP of a process for longer than its lease, then SIGCONT",
  backends: kinds,
  hits: "process",
  lasts: (lease) => [lease * 1.5, lease * 2.2],
  inflict: ({ fleet }, { slot }) =>
    Effect.acquireRelease(
      Effect.sync(() => fleet.freeze(slot)),
      (life) => Effect.sync(() => fleet.thaw(life))
    )
}
