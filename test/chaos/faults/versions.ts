import { Effect } from "effect"
import { kinds } from "../support/places.js"
import type { Fault } from "./Fault.js"

/** One after the other, as a rolling deployment goes. One process knows the tasks of both and goes on meanwhile. */
export const versions: Fault = {
  name: "versions",
  what: "a process of an older and one of a newer version of the application, with different tasks",
  backends: kinds,
  hits: "process",
  lasts: (lease) => [lease * 1.5, lease * 2.5],
  inflict: ({ fleet }, { slot }) => {
    const next = (slot + 1) % fleet.follower
    return Effect.acquireRelease(
      Effect.zipRight(
        fleet.restart(slot, { deployment: "older", skew: 0 }),
        fleet.restart(next, { deployment: "newer", skew: 0 })
      ),
      () => Effect.zipRight(fleet.restart(slot), fleet.restart(next))
    )
  }
}
