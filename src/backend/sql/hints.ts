/**
 * Waking the other instances, and being woken. Only hints: what is missed here is found by looking, a little later.
 *
 * PostgreSQL tells by NOTIFY, sent beside the transactions, at most fifty times a second, and only while others are alive: in
 * a transaction it takes a lock that all commits share. SQLite counts the commits of others. Elsewhere one looks.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { v4 } from "uuid"
import * as Backoff from "../../internal/backoff.js"
import * as HintBoard from "../../internal/hintBoard.js"
import { leavesWork } from "../../internal/leavesWork.js"
import type { Batch, CancelResult, Claimed, ClaimRequest } from "../../TaskBackend.js"
import type { Hint } from "../../TaskChange.js"
import type { Heartbeat, Reaped } from "../../TaskPeer.js"
import type { Connections } from "./connections.js"
import type { Db, Sql } from "./dialect.js"
import type { Identity } from "./feed.js"
import * as PostgresListener from "./postgresListener.js"
import { nameText } from "./rows.js"

export interface Hints extends Pick<HintBoard.HintBoard, "hints"> {
  /** After a commit of ours. */
  readonly wrote: (batch: Batch) => void
  readonly claimed: (request: ClaimRequest, claimed: Claimed) => void
  readonly reaped: (reaped: Reaped) => void
  readonly cancelled: (result: CancelResult) => void
  readonly steered: () => void
  readonly heard: (heartbeat: Heartbeat) => void
  /** In a transaction of the application's, which may commit at any later time. */
  readonly joined: (db: Db) => Effect.Effect<void, unknown>
}

export interface HintOptions {
  /** Whether instances wake each other. Default true. */
  readonly notify?: boolean | undefined
  /** PostgreSQL: whether an enqueue inside a transaction does too. Default true; false where transactions are prepared. */
  readonly notifyInTransaction?: boolean | undefined
}

const letters: Record<string, Hint> = { w: "work", c: "changes", s: "steer" }
const letterOf: Record<Hint, string> = { work: "w", changes: "c", steer: "s" }
const all: ReadonlyArray<Hint> = ["work", "changes", "steer"]

// Milliseconds: between two notices of ours, and between two looks where nobody tells.
const betweenNotices = 20
const looks = { often: 100, seldom: 400 }

export const make = (
  { dialect, tables }: Sql,
  client: SqlClient,
  reads: Pick<Connections, "use">,
  identity: Identity,
  { notify = true, notifyInTransaction = true, shared }: HintOptions & { readonly shared: boolean }
): Hints => {
  const config = dialect.kind === "postgres" && notify ? PostgresListener.configOf(client) : null
  // One channel for each set of tables; its name is one of ours, so it needs no quotes.
  const channel = `${tables.live.name}_hints`
  const sender = v4()
  let others = false
  let names: ReadonlyArray<string> = []

  // ── telling ────────────────────────────────────────────────────────────────────────────────────────────────────

  let listener: PostgresListener.Listener | null = null
  let toTell = ""
  let timer: ReturnType<typeof setTimeout> | null = null

  const flush = (): void => {
    timer = null
    if (toTell === "") return
    listener?.notify(`${sender} ${toTell}`)
    toTell = ""
    timer = setTimeout(flush, betweenNotices)
    timer.unref()
  }

  const tell = (hint: Hint): void => {
    if (hint === "changes") board.emit(hint)
    if (!others || listener === null || toTell.includes(letterOf[hint])) return
    toTell += letterOf[hint]
    if (timer === null) flush()
  }

  // ── being told ─────────────────────────────────────────────────────────────────────────────────────────────────

  const hear = (payload: string): void => {
    const [from, told = ""] = payload.split(" ")
    if (from === sender) return
    others = true
    for (const letter of told) if (letters[letter] !== undefined) board.emit(letters[letter])
  }

  // Of connections that failed one after the other.
  let failures = 0

  const connected = (opened: PostgresListener.Listener) => {
    listener = opened
    const again = failures > 0
    failures = 0
    // Those who are there learn of us; and something may have been told while we did not hear.
    opened.notify(`${sender} h`)
    for (const hint of all) board.emit(hint)
    return again ? Effect.logInfo("task hints: there is a connection that listens again") : Effect.void
  }

  const disconnected = (cause: Cause.Cause<unknown>) => {
    listener = null
    failures += 1
    const told = failures === 1
      ? Effect.logWarning(
        "task hints: there is no connection that listens; until there is, tasks of other instances are found by looking",
        cause
      )
      : Effect.logDebug("task hints: there is still no connection that listens", cause)
    return Effect.zipRight(told, Backoff.afterFailure(failures))
  }

  const listening = (to: PostgresListener.Config): Effect.Effect<never> =>
    PostgresListener.listen(to, channel, hear).pipe(
      Effect.flatMap((opened) => Effect.zipRight(connected(opened), opened.lost)),
      Effect.scoped,
      Effect.catchAllCause((cause) => Effect.suspend(() => disconnected(cause))),
      Effect.forever,
      Effect.ensuring(Effect.sync(() => {
        listener = null
      }))
    )

  // What a look finds without taking any lock: something ready for us, somebody who wants one of ours to stop.
  const look = (db: Db) => {
    const live = tables.live.name
    const some = names.length === 0 ? { sql: "1 = 0", params: [] } : dialect.in("task", "name", names)
    return Effect.map(
      db.all({
        sql: `SELECT (SELECT 1 FROM ${live} WHERE ready = 1 AND ${some.sql} LIMIT 1) AS work, ` +
          `(SELECT 1 FROM ${live} WHERE owner = ? AND active = 1 AND cancel = 1 LIMIT 1) AS steer`,
        params: [...some.params, identity.id]
      }),
      ([row]) => {
        if (row !== undefined && row["work"] !== null) board.emit("work")
        if (row !== undefined && row["steer"] !== null) board.emit("steer")
      }
    )
  }

  let version: unknown = null
  const hasMoved = (db: Db) =>
    dialect.kind !== "sqlite"
      ? Effect.succeed(others)
      : Effect.map(db.all({ sql: "PRAGMA data_version", params: [] }), ([row]) => {
        const moved = version !== null && row?.["data_version"] !== version
        version = row?.["data_version"] ?? null
        return moved
      })

  const looking = (wait: number): Effect.Effect<never> =>
    Effect.zipRight(
      Backoff.pause(wait),
      reads.use((db) =>
        Effect.flatMap(hasMoved(db), (moved) => {
          if (!moved) return Effect.succeed(false)
          if (dialect.kind === "sqlite") board.emit("changes")
          return Effect.as(look(db), dialect.kind === "sqlite")
        })
      ).pipe(Effect.catchAllCause((cause) => Effect.as(Effect.logDebug("task hints: a look failed", cause), false)))
    ).pipe(
      Effect.flatMap((moved) => looking(moved ? looks.often : Math.min(looks.seldom, wait * 1.5)))
    )

  const source = !notify || !shared ? Effect.never : config === null ? looking(looks.often) : listening(config)
  const board = HintBoard.make(source)

  return {
    hints: board.hints,
    wrote: (batch) => {
      if (!others && !board.isWanted("changes")) return
      tell("changes")
      if (others && leavesWork(batch)) tell("work")
    },
    claimed: (request, { pending, started }) => {
      names = request.tasks.map(({ name }) => nameText(name))
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
    steered: () => tell("steer"),
    heard: ({ peers }) => {
      others = peers.some(({ state }) => state === "live")
    },
    // Of nobody in particular, so that we hear it too.
    joined: (db) =>
      others && listener !== null && notifyInTransaction
        ? Effect.asVoid(db.all({ sql: "SELECT pg_notify(?, ?)", params: [channel, "- wc"] }))
        : Effect.void
  }
}
