/** Waking the other instances, and being woken, by pub/sub: sent beside the scripts, heard on a connection of its own. */
import * as Notices from "../../internal/notices.js"
import type { SlotOutcome } from "../../ScheduleStore.js"
import type { CancelResult, Claimed } from "../../TaskBackend.js"
import type { Reaped } from "../../TaskPeer.js"
import type { Connection } from "./connection.js"

export interface Hints extends Pick<Notices.Notices, "hints" | "wrote" | "heard"> {
  readonly claimed: (claimed: Claimed) => void
  readonly reaped: (reaped: Reaped) => void
  readonly cancelled: (result: CancelResult) => void
  readonly fired: (outcome: SlotOutcome) => void
  readonly steered: () => void
  /** What was paused may be claimed again. */
  readonly resumed: () => void
}

export const make = (
  { db, root, send, subscribe }: Pick<Connection, "db" | "root" | "send" | "subscribe">,
  { notify }: { readonly notify: boolean }
): Hints => {
  // Channels are of all databases of a server.
  const name = `${root}hints:${db}`
  const { heard, hints, tell, wrote } = Notices.make(
    notify ? { listen: (hear) => subscribe(name, hear), send: (message) => send("PUBLISH", name, message) } : null
  )
  return {
    hints,
    wrote,
    heard,
    claimed: ({ pending, started }) => {
      if (pending.length + started.length > 0) tell("changes")
    },
    reaped: ({ records }) => {
      if (records.length === 0) return
      tell("changes")
      tell("work")
    },
    cancelled: ({ _tag }) => {
      if (_tag === "Requested") tell("steer")
      if (_tag === "Requested" || _tag === "Cancelled") tell("changes")
    },
    fired: ({ _tag }) => {
      if (_tag !== "Fired") return
      tell("changes")
      tell("work")
    },
    steered: () => tell("steer"),
    resumed: () => {
      tell("steer")
      tell("work")
    }
  }
}
