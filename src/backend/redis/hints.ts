/**
 * Waking the other instances, and being woken, by pub/sub. Only hints: what is missed here is found by looking, a little later.
 *
 * They are sent beside the scripts, at most fifty times a second, and only while others are alive.
 */
import * as Effect from "effect/Effect"
import { v4 } from "uuid"
import * as Backoff from "../../internal/backoff.js"
import * as HintBoard from "../../internal/hintBoard.js"
import { leavesWork } from "../../internal/leavesWork.js"
import type { SlotOutcome } from "../../ScheduleStore.js"
import type { Batch, CancelResult, Claimed } from "../../TaskBackend.js"
import type { Hint } from "../../TaskChange.js"
import type { Heartbeat, Reaped } from "../../TaskPeer.js"
import type { Connection } from "./connection.js"

export interface Hints extends Pick<HintBoard.HintBoard, "hints"> {
  readonly wrote: (batch: Batch) => void
  readonly claimed: (claimed: Claimed) => void
  readonly reaped: (reaped: Reaped) => void
  readonly cancelled: (result: CancelResult) => void
  readonly fired: (outcome: SlotOutcome) => void
  readonly steered: () => void
  readonly heard: (heartbeat: Heartbeat) => void
}

const letters: Record<string, Hint> = { w: "work", c: "changes", s: "steer" }
const letterOf: Record<Hint, string> = { work: "w", changes: "c", steer: "s" }
const all: ReadonlyArray<Hint> = ["work", "changes", "steer"]

// Milliseconds between two notices of ours.
const betweenNotices = 20

export const make = (
  { db, root, send, subscribe }: Pick<Connection, "db" | "root" | "send" | "subscribe">,
  { notify }: { readonly notify: boolean }
): Hints => {
  // Channels are of all databases of a server.
  const channel = `${root}hints:${db}`
  const sender = v4()
  let others = false
  let toTell = ""
  let timer: ReturnType<typeof setTimeout> | null = null

  const flush = (): void => {
    timer = null
    if (toTell === "") return
    send("PUBLISH", channel, `${sender} ${toTell}`)
    toTell = ""
    timer = setTimeout(flush, betweenNotices)
    timer.unref()
  }

  const tell = (hint: Hint): void => {
    if (hint === "changes") board.emit(hint)
    if (!notify || !others || toTell.includes(letterOf[hint])) return
    toTell += letterOf[hint]
    if (timer === null) flush()
  }

  const hear = (message: string): void => {
    const [from, told = ""] = message.split(" ")
    if (from === sender) return
    others = true
    for (const letter of told) if (letters[letter] !== undefined) board.emit(letters[letter])
  }

  const listening = (failures: number): Effect.Effect<never> =>
    Effect.scoped(Effect.flatMap(subscribe(channel, hear), ({ lost }) => {
      failures = 0
      // Those who are there learn of us; and something may have been told while we did not hear.
      send("PUBLISH", channel, `${sender} h`)
      for (const hint of all) board.emit(hint)
      return lost
    })).pipe(
      Effect.catchAllCause((cause) =>
        Effect.suspend(() => {
          const told = failures === 0
            ? Effect.logWarning(
              "task hints: the connection that listens was lost; until there is another, tasks of other instances are found by looking",
              cause
            )
            : Effect.logDebug("task hints: there is no connection that listens", cause)
          return told.pipe(
            Effect.zipRight(Backoff.afterFailure(failures + 1)),
            Effect.zipRight(Effect.suspend(() => listening(failures + 1)))
          )
        })
      )
    )

  const board = HintBoard.make(notify ? listening(0) : Effect.never)

  return {
    hints: board.hints,
    wrote: (batch) => {
      if (!others && !board.isWanted("changes")) return
      tell("changes")
      if (others && leavesWork(batch)) tell("work")
    },
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
    heard: ({ peers }) => {
      others = peers.some(({ state }) => state === "live")
    }
  }
}
