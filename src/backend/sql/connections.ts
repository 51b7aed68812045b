/**
 * The engine's own connections, and transactions on them.
 *
 * SQLite has one connection behind the client's lock, so each use takes it and gives it back. A server gives a connection
 * that is kept, so that the application's queries can never starve the engine; one that broke is replaced at the next use.
 */
import { type SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Db, Dialect } from "./dialect.js"

export interface Connections {
  /** Runs statements that need no transaction. One user at a time. */
  readonly use: <A, E>(
    body: (db: Db) => Effect.Effect<A, E>,
    /** How long it may take on a server, in milliseconds. Default 15 seconds. */
    limit?: number
  ) => Effect.Effect<A, E | SqlError>
  /**
   * Runs a transaction: committed when `body` succeeds, rolled back when it does not. Not interrupted in the middle. A
   * failed COMMIT fails with the driver's error: whether it was applied is unknown then.
   */
  readonly transaction: <A, E>(body: (db: Db) => Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError>
}

/** The connection of the transaction that the calling fiber is in. */
export const transactionConnection: Effect.Effect<Option.Option<Connection>> = Effect.map(
  Effect.serviceOption(TransactionConnection),
  Option.map(([connection]) => connection)
)

/** Whether two connections are of one client: each client has a class of its own, or only one connection. */
export const isSameClient = (a: object, b: object): boolean =>
  a === b || (a.constructor === b.constructor && a.constructor !== Object)

const closed = new SqlError({ message: "the backend is closed", cause: new Error("the backend is closed") })

// Real time, like the pauses below: no statement of the engine takes nearly as long on a server that answers.
const longestUseMillis = 15_000

const silent = new SqlError({
  message: "the connection is silent",
  cause: new Error(`the server did not answer for ${longestUseMillis / 1_000} seconds`)
})

// How long somebody else's lock on an SQLite file is waited for before the caller is told: ten seconds.
const maxWaitMillis = 10_000

const command = (db: Db, sql: string) => db.all({ sql, params: [] })

/** BEGIN … COMMIT around `body`. */
const inTransaction = <A, E>(dialect: Dialect, db: Db, body: (db: Db) => Effect.Effect<A, E>) =>
  Effect.flatMap(command(db, dialect.begin), () =>
    Effect.matchCauseEffect(body(db), {
      onFailure: (cause) =>
        Effect.zipRight(Effect.ignore(command(db, "ROLLBACK")), Effect.failCause(cause)) as Effect.Effect<A, E>,
      onSuccess: (value) =>
        Effect.matchCauseEffect(command(db, "COMMIT"), {
          onFailure: (cause) => Effect.zipRight(Effect.ignore(command(db, "ROLLBACK")), Effect.failCause(cause)),
          onSuccess: () => Effect.succeed(value)
        })
    }))

/**
 * Takes the client's one connection for each use. `busyTimeout`: how long that connection waits for locks by itself, in
 * milliseconds; it does so synchronously, so our transactions go without and it is put back behind them.
 */
export const shared = (client: SqlClient, dialect: Dialect, busyTimeout = 0): Connections => {
  const unhurried = <A, E>(db: Db, body: Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> =>
    busyTimeout === 0 ? body : Effect.acquireUseRelease(
      command(db, "PRAGMA busy_timeout = 0"),
      () => body,
      () => Effect.orDie(command(db, `PRAGMA busy_timeout = ${busyTimeout}`))
    )
  const use = <A, E>(body: (db: Db) => Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> =>
    Effect.scoped(Effect.flatMap(client.reserve, (connection) => body(dialect.db(connection))))
  // What writes takes the write lock or fails at once: waiting is ours, with the connection given back meanwhile.
  const waiting = <A, E>(attempt: Effect.Effect<A, E | SqlError>): Effect.Effect<A, E | SqlError> => {
    const again = (waited: number, pause: number): Effect.Effect<A, E | SqlError> =>
      Effect.catchAll(attempt, (error) => {
        const busy = error instanceof SqlError && dialect.problemOf(error) === "busy"
        if (!busy || waited >= maxWaitMillis) return Effect.fail(error)
        return Effect.zipRight(pauseFor(pause), again(waited + pause, Math.min(pause * 1.5, 25)))
      })
    return again(0, 1)
  }
  return {
    use: (body) => waiting(Effect.uninterruptible(use((db) => unhurried(db, body(db))))),
    transaction: (body) => waiting(Effect.uninterruptible(use((db) => unhurried(db, inTransaction(dialect, db, body)))))
  }
}

// Real time, whatever clock the engine runs on: another process holds the lock. Jittered, so that two do not stay in step.
const pauseFor = (millis: number): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis * (0.5 + Math.random()))
    return Effect.sync(() => clearTimeout(timer))
  })

interface Held {
  readonly db: Db
  readonly scope: Scope.CloseableScope
}

/**
 * For reads: inside a transaction of the application it is that connection that reads. Waiting for another one of the pool, or
 * for the only one, could be waiting for oneself.
 */
export const joining = (
  connections: Pick<Connections, "use">,
  dialect: Dialect,
  ours: object
): Pick<Connections, "use"> => ({
  use: (body) =>
    Effect.flatMap(
      transactionConnection,
      (connection) =>
        Option.isSome(connection) && isSameClient(connection.value, ours)
          ? body(dialect.db(connection.value))
          : connections.use(body)
    )
})

/** Keeps one connection of the client's pool. It was told things that are not for others, so it is ended, not given back. */
export const dedicated = (
  client: SqlClient,
  dialect: Dialect,
  longestUse = longestUseMillis
): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.gen(function*() {
    const turn = yield* Effect.makeSemaphore(1)
    let held: Held | null = null
    let over = false

    // A connection that does not answer any more is left to the pool, which finds out by itself.
    const end = (db: Db): Effect.Effect<void> =>
      dialect.end === null
        ? Effect.void
        // The second statement is answered when the client has seen the end, and will not give the connection to others.
        : Effect.zipRight(Effect.ignore(command(db, dialect.end)), Effect.ignore(command(db, "SELECT 1"))).pipe(
          Effect.disconnect,
          Effect.raceFirst(pauseFor(1_000)),
          Effect.interruptible
        )

    const drop = (gone: Held) =>
      Effect.suspend(() => {
        if (held === gone) held = null
        return Effect.zipRight(end(gone.db), Scope.close(gone.scope, Exit.void))
      })

    const open = Effect.flatMap(Scope.make(), (scope) =>
      Scope.extend(client.reserve, scope).pipe(
        Effect.flatMap((connection) => {
          const db = dialect.db(connection)
          return Effect.forEach(dialect.session, (sql) => command(db, sql), { discard: true }).pipe(
            Effect.zipRight(Effect.forEach(dialect.sessionHints, (sql) => Effect.ignore(command(db, sql)))),
            Effect.tapErrorCause(() => end(db)),
            Effect.as<Held>({ db, scope })
          )
        }),
        Effect.tapErrorCause(() => Scope.close(scope, Exit.void))
      ))

    // After anything that is not expected the connection may be broken: a server also hangs up on what is too large for it.
    const isSuspicious = (cause: Cause.Cause<unknown>): boolean => {
      if (cause._tag !== "Fail") return true
      const problem = cause.error instanceof SqlError ? dialect.problemOf(cause.error) : "busy"
      return problem === "transient" || problem === "permanent"
    }

    // A use that was given up still ends some day: then it lets go of its own connection, and of no other.
    const used = <A, E>(body: (db: Db) => Effect.Effect<A, E>, use: { givenUp: boolean; mine: Held | null }) =>
      Effect.suspend((): Effect.Effect<Held, SqlError> =>
        held !== null ? Effect.succeed(held) : over ? Effect.fail(closed) : open
      ).pipe(
        Effect.flatMap((mine): Effect.Effect<A, E | SqlError> => {
          if (use.givenUp) return Effect.zipRight(drop(mine), Effect.fail(silent))
          held = mine
          use.mine = mine
          return Effect.onExit(body(mine.db), (exit) =>
            use.givenUp || (Exit.isFailure(exit) && isSuspicious(exit.cause)) ? drop(mine) : Effect.void)
        })
      )

    // After a failover a connection may stay silent for a quarter of an hour. What is asked on it is given up then, and the
    // connection with it; whoever waits for the answer is told, and asks again on another one.
    const use = <A, E>(
      body: (db: Db) => Effect.Effect<A, E>,
      limit = longestUse
    ): Effect.Effect<A, E | SqlError> =>
      Effect.uninterruptible(Effect.suspend(() => {
        const state: { givenUp: boolean; mine: Held | null } = { givenUp: false, mine: null }
        return Effect.flatMap(Effect.forkDaemon(used(body, state)), (fiber) =>
          Effect.async<A, E | SqlError>((resume) => {
            const timer = setTimeout(() => {
              state.givenUp = true
              if (held === state.mine) {
                held = null
              }
              resume(Effect.fail(silent))
            }, limit)
            fiber.addObserver((exit) => {
              clearTimeout(timer)
              resume(exit)
            })
          }))
      })).pipe(turn.withPermits(1))

    yield* Effect.addFinalizer(() =>
      Effect.zipRight(
        Effect.sync(() => {
          over = true
        }),
        Effect.suspend(() =>
          held === null ? Effect.void : drop(held)
        )
      )
    )
    return {
      use,
      transaction: (body) => use((db) => inTransaction(dialect, db, body))
    }
  })

/** Takes a connection of the pool for each use: for reads, which may wait for the application's. */
export const pooled = (client: SqlClient, dialect: Dialect): Pick<Connections, "use"> => ({
  // PgClient never gives back a connection whose taker was interrupted while it waited for one.
  use: (body) =>
    Effect.scoped(
      Effect.flatMap(Effect.uninterruptible(client.reserve), (connection) => body(dialect.db(connection)))
    )
})
