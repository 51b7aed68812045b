/**
 * Hints between instances, as letters on a channel of the backend: many that come at once are sent as one, at most fifty
 * times a second, and only while others are alive. Only hints: what is missed is found by looking, a little later.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { v4 } from "uuid"
import type { SlotOutcome } from "../ScheduleStore.js"
import type { Batch, CancelResult, Claimed } from "../TaskBackend.js"
import type { Hint } from "../TaskChange.js"
import type { Heartbeat, Reaped } from "../TaskPeer.js"
import * as Backoff from "./backoff.js"
import * as HintBoard from "./hintBoard.js"

/** How a backend has it. */
export interface Channel {
  /** Connects and listens: `hear` is called with each message, its own too. Fails then when the connection is lost. */
  readonly listen: (
    hear: (message: string) => void
  ) => Effect.Effect<{ readonly lost: Effect.Effect<never, unknown> }, unknown, Scope.Scope>
  /** Sends to all who listen. Not waited for; what fails is lost. */
  readonly send: (message: string) => void
}

export interface Notices extends HintBoard.HintBoard {
  /** Wakes others; with `changes`, those who listen here too. */
  readonly tell: (hint: Hint) => void
  /** After a commit of ours. */
  readonly wrote: (batch: Batch) => void
  /** Whether others are alive, as far as we know. */
  readonly others: () => boolean
  readonly heard: (heartbeat: Heartbeat) => void
  /** The others hear of what the backend did besides. */
  readonly reaped: (reaped: Reaped) => void
  readonly cancelled: (result: CancelResult) => void
  readonly fired: (outcome: SlotOutcome) => void
  readonly steered: () => void
  /** What was paused may be claimed again. */
  readonly resumed: () => void
  readonly claimed: (claimed: Claimed) => void
}

const letters: Record<string, Hint> = { w: "work", c: "changes", s: "steer" }
const letterOf: Record<Hint, string> = { work: "w", changes: "c", steer: "s" }
const all: ReadonlyArray<Hint> = ["work", "changes", "steer"]

// Milliseconds between two of ours.
const betweenNotices = 20

// Whether the batch left something that anyone may take, now or later.
const leavesWork = ({ changes }: Batch): boolean => {
  for (const change of changes) {
    if (change._tag === "Unclaim") return true
    if (change._tag !== "Insert" && change._tag !== "Release") continue
    if (change.record.owner === null && change.record.status === "pending") return true
  }
  return false
}

/** `otherwise` is what to do, where there is no channel, while somebody listens. */
export const make = (channel: Channel | null, otherwise: Effect.Effect<unknown> = Effect.never): Notices => {
  const sender = v4()
  let others = false
  let toTell = ""
  let timer: ReturnType<typeof setTimeout> | null = null

  const flush = (): void => {
    timer = null
    if (toTell === "") return
    channel?.send(`${sender} ${toTell}`)
    toTell = ""
    timer = setTimeout(flush, betweenNotices)
    timer.unref()
  }

  const tell = (hint: Hint): void => {
    if (hint === "changes") board.emit(hint)
    if (!others || channel === null || toTell.includes(letterOf[hint])) return
    toTell += letterOf[hint]
    if (timer === null) flush()
  }

  const hear = (message: string): void => {
    const [from, told = ""] = message.split(" ")
    if (from === sender) return
    others = true
    for (const letter of told) if (letters[letter] !== undefined) board.emit(letters[letter])
  }

  // Of connections that failed one after the other.
  let failures = 0

  const connected = ({ send }: Channel) => {
    const again = failures > 0
    failures = 0
    // Those who are there learn of us; and something may have been told while we did not hear.
    send(`${sender} h`)
    for (const hint of all) board.emit(hint)
    return again ? Effect.logInfo("task hints: there is a connection that listens again") : Effect.void
  }

  const disconnected = (cause: Cause.Cause<unknown>) => {
    failures += 1
    const told = failures === 1
      ? Effect.logWarning(
        "task hints: there is no connection that listens; until there is, tasks of other instances are found by looking",
        cause
      )
      : Effect.logDebug("task hints: there is still no connection that listens", cause)
    return Effect.zipRight(told, Backoff.afterFailure(failures))
  }

  const listening = (to: Channel): Effect.Effect<never> =>
    to.listen(hear).pipe(
      Effect.flatMap(({ lost }) => Effect.zipRight(connected(to), lost)),
      Effect.scoped,
      Effect.catchAllCause((cause) => Effect.suspend(() => disconnected(cause))),
      Effect.forever
    )

  const board = HintBoard.make(channel === null ? otherwise : listening(channel))

  return {
    ...board,
    tell,
    wrote: (batch) => {
      if (!others && !board.isWanted("changes")) return
      tell("changes")
      if (others && leavesWork(batch)) tell("work")
    },
    others: () => others,
    heard: ({ peers }) => {
      others = peers.some(({ state }) => state === "live")
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
    resumed: () => {
      tell("steer")
      tell("work")
    }
  }
}
