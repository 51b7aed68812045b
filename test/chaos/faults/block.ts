import { Effect } from "effect"
import { kinds } from "../support/places.js"
import type { Fault } from "./Fault.js"

export const block: Fault = {
  name: "block",
  what: "a busy loop in a process for longer than its lease",
  backends: kinds,
  hits: "process",
  lasts: (lease) => [lease * 1.2, lease * 1.8],
  inflict: ({ fleet }, { lasts, slot }) => Effect.sync(() => fleet.block(slot, lasts))
}
