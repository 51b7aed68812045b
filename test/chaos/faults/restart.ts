import { kinds } from "../support/places.js"
import type { Fault } from "./Fault.js"

export const restart: Fault = {
  name: "restart",
  what: "SIGTERM of a process, which ends in its own time and is started again",
  backends: kinds,
  hits: "process",
  lasts: () => [0, 0],
  inflict: ({ fleet }, { slot }) => fleet.restart(slot)
}
