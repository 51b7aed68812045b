import { Effect } from "effect"
import { kinds } from "../support/places.js"
import type { Fault } from "./Fault.js"

export const kill: Fault = {
  name: "kill",
  what: "kill -9 of a process, which is started again",
  backends: kinds,
  hits: "process",
  lasts: () => [0, 0],
  inflict: ({ fleet }, { slot }) => Effect.sync(() => fleet.kill(slot))
}
