/**
 * Waking the other instances, and being woken. Only hints: what is missed here is found by looking, a little later.
 *
 * PostgreSQL tells by NOTIFY, sent beside the transactions, at most fifty times a second, and only while others are alive: in
 * a transaction it takes a lock that all commits share. SQLite counts the commits of others. Elsewhere one looks.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Notices from "../../internal/notices.js"
import * as RealTime from "../../internal/realTime.js"
import type { Claimed, ClaimRequest } from "../../TaskBackend.js"
import type { Connections } from "./connections.js"
import type { Db, Sql } from "./dialect.js"
import type { Identity } from "./feed.js"
import * as PostgresListener from "./postgresListener.js"
import { nameText } from "./rows.js"

export interface Hints extends Omit<Notices.Notices, "tell" | "claimed"> {
  readonly claimed: (request: ClaimRequest, claimed: Claimed) => void
  /** In a transaction of the application's, which may commit at any later time. */
  readonly joined: (db: Db) => Effect.Effect<void, unknown>
}

export interface HintOptions {
  /** Whether instances wake each other. Default true. */
  readonly notify?: boolean | undefined
  /** PostgreSQL: whether an enqueue inside a transaction does too. Default true; false where transactions are prepared. */
  readonly notifyInTransaction?: boolean | undefined
}

// Milliseconds between two looks where nobody tells.
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
  let names: ReadonlyArray<string> = []

  const listen = (to: PostgresListener.Config): Notices.Channel => {
    let listener: PostgresListener.Listener | null = null
    return {
      send: (message) => listener?.notify(message),
      listen: (hear) =>
        Effect.tap(PostgresListener.listen(to, channel, hear), (opened) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              listener = opened
            }),
            () =>
              Effect.sync(() => {
                listener = null
              })
          ))
    }
  }

  // How many pauses there were at the last look, and when the newest began.
  let seenPaused: string | null = null

  // What a look finds without taking any lock: something ready for us, somebody who wants one of ours to stop, other pauses.
  const look = (db: Db) => {
    const live = tables.live.name
    const some = names.length === 0 ? { sql: "1 = 0", params: [] } : dialect.in("task", "name", names)
    return Effect.map(
      db.all({
        sql: `SELECT (SELECT 1 FROM ${live} WHERE ready = 1 AND ${some.sql} LIMIT 1) AS work, ` +
          `(SELECT 1 FROM ${live} WHERE owner = ? AND active = 1 AND cancel = 1 LIMIT 1) AS steer, ` +
          `(SELECT COUNT(*) FROM ${tables.controls.name}) AS pauses, ` +
          `(SELECT MAX(since) FROM ${tables.controls.name}) AS paused_at`,
        params: [...some.params, identity.id]
      }),
      ([row]) => {
        if (row !== undefined && row["work"] !== null) notices.emit("work")
        const paused = `${row?.["pauses"]} ${row?.["paused_at"]}`
        if (row !== undefined && (row["steer"] !== null || (seenPaused !== null && seenPaused !== paused))) {
          notices.emit("steer")
        }
        seenPaused = paused
      }
    )
  }

  let version: unknown = null
  const hasMoved = (db: Db) =>
    dialect.kind !== "sqlite"
      ? Effect.succeed(notices.others())
      : Effect.map(db.all({ sql: "PRAGMA data_version", params: [] }), ([row]) => {
        const moved = version !== null && row?.["data_version"] !== version
        version = row?.["data_version"] ?? null
        return moved
      })

  const looking = (wait: number): Effect.Effect<never> =>
    Effect.zipRight(
      // Real time: what others write comes when it comes, and a test's clock that jumps a week ahead asks for no million looks.
      RealTime.pause(wait * (0.75 + Math.random() / 2)),
      // Alone there is nobody to look for, and no connection to take for it.
      Effect.suspend(() =>
        dialect.kind !== "sqlite" && !notices.others() ?
          Effect.succeed(false) :
          reads.use((db) =>
            Effect.flatMap(hasMoved(db), (moved) => {
              if (!moved) return Effect.succeed(false)
              if (dialect.kind === "sqlite") notices.emit("changes")
              return Effect.as(look(db), dialect.kind === "sqlite")
            })
          )
      ).pipe(Effect.catchAllCause((cause) => Effect.as(Effect.logDebug("task hints: a look failed", cause), false)))
    ).pipe(
      Effect.flatMap((moved) => looking(moved ? looks.often : Math.min(looks.seldom, wait * 1.5)))
    )

  const isSilent = !notify || !shared
  const notices = Notices.make(
    isSilent || config === null ? null : listen(config),
    isSilent ? Effect.never : looking(looks.often)
  )

  return {
    ...notices,
    claimed: (request, claimed) => {
      names = request.tasks.map(({ name }) => nameText(name))
      notices.claimed(claimed)
    },
    // Of nobody in particular, so that we hear it too.
    joined: (db) =>
      notices.others() && config !== null && !isSilent && notifyInTransaction
        ? Effect.asVoid(db.all({ sql: "SELECT pg_notify(?, ?)", params: [channel, "- wc"] }))
        : Effect.void
  }
}
