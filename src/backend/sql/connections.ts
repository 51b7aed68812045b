/**
 * The engine's own connections, and transactions on them.
 *
 * SQLite has one connection behind the client's lock, so each use takes it and gives it back, unless the client is the backend's
 * own. A server gives a connection
 * that is kept from the start, so that the application's queries can never starve the engine.
 */
import { type SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as RealTime from "../../internal/realTime.js"
import * as Signal from "../../internal/signal.js"
import type { Db, Dialect } from "./dialect.js"
import * as Silence from "./silence.js"

export interface Connections {
  /** Runs statements that need no transaction. One user at a time. */
  readonly use: <A, E>(
    body: (db: Db) => Effect.Effect<A, E>,
    /** How long a server may say nothing, in milliseconds. Default 15 seconds. */
    limit?: number
  ) => Effect.Effect<A, E | SqlError>
  /** As `use`, before all others that wait: behind one of them at most. */
  readonly urgent: Connections["use"]
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

// How long somebody else's lock on an SQLite file is waited for before the caller is told: ten seconds.
export const maxWaitMillis = 10_000

const command = (db: Db, sql: string) => db.all({ sql, params: [] })

/** `body`, which has begun a transaction, then COMMIT. */
const committed = <A, E>(db: Db, body: Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> =>
  Effect.matchCauseEffect(body, {
    onFailure: (cause) => Effect.zipRight(Effect.ignore(command(db, "ROLLBACK")), Effect.failCause(cause)),
    onSuccess: (value) =>
      Effect.matchCauseEffect(command(db, "COMMIT"), {
        onFailure: (cause) => Effect.zipRight(Effect.ignore(command(db, "ROLLBACK")), Effect.failCause(cause)),
        onSuccess: () => Effect.succeed(value)
      })
  })

/** BEGIN … COMMIT around `body`. */
const inTransaction = <A, E>(dialect: Dialect, db: Db, body: (db: Db) => Effect.Effect<A, E>) =>
  Effect.flatMap(command(db, dialect.begin), () => committed(db, body(db)))

// What writes takes the write lock or fails at once: waiting is ours, with the connection given back meanwhile.
const waiting =
  (dialect: Dialect) => <A, E>(attempt: Effect.Effect<A, E | SqlError>): Effect.Effect<A, E | SqlError> => {
    const again = (waited: number, pause: number): Effect.Effect<A, E | SqlError> =>
      Effect.catchAll(attempt, (error) => {
        const busy = error instanceof SqlError && dialect.problemOf(error) === "busy"
        if (!busy || waited >= maxWaitMillis) return Effect.fail(error)
        return Effect.zipRight(pauseFor(pause), again(waited + pause, Math.min(pause * 1.5, 25)))
      })
    return again(0, 1)
  }

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
  const patiently = waiting(dialect)
  const unwaited: Connections["use"] = (body) => patiently(Effect.uninterruptible(use((db) => unhurried(db, body(db)))))
  return {
    use: unwaited,
    urgent: unwaited,
    transaction: (body) =>
      patiently(Effect.uninterruptible(use((db) => unhurried(db, inTransaction(dialect, db, body)))))
  }
}

/**
 * Keeps the one connection of a client that nobody else has, from now on: asking the client for it cost a scope for each use, a
 * sixth of what a single `enqueue` takes.
 */
export const kept = (client: SqlClient, dialect: Dialect): Effect.Effect<Connections, SqlError, Scope.Scope> =>
  Effect.map(client.reserve, (connection) => {
    const db = dialect.db(connection)
    const turn = Effect.unsafeMakeSemaphore(1).withPermits(1)
    const patiently = waiting(dialect)
    const use: Connections["use"] = (body) => patiently(Effect.uninterruptible(turn(Effect.suspend(() => body(db)))))
    return {
      use,
      urgent: use,
      transaction: (body) => patiently(Effect.uninterruptible(turn(inTransaction(dialect, db, body))))
    }
  })

// Real time, whatever clock the engine runs on: another process holds the lock. Jittered, so that two do not stay in step.
export const pauseFor = (millis: number): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis * (0.5 + Math.random()))
    return Effect.sync(() => clearTimeout(timer))
  })

interface Held {
  readonly connection: Connection
  readonly db: Db
  readonly scope: Scope.CloseableScope
}

/**
 * Keeps one connection of the client's pool, from now on. It was told things that are not for others, so it is ended, not given
 * back. When it broke another is asked for at once: what queues for the pool later stands behind.
 */
export const dedicated = (
  client: SqlClient,
  dialect: Dialect,
  longest = Silence.longestSilence,
  /** Where the dialect can: a transaction begins with its first statement, not with one of its own. Each use is one then. */
  beginsAlone = false
): Effect.Effect<Connections, SqlError, Scope.Scope> =>
  Effect.gen(function*() {
    const turn = yield* Effect.makeSemaphore(1)
    // Who is in no hurry waits in line, and at its head until nobody is in a hurry.
    const line = yield* Effect.makeSemaphore(1)
    const calm = yield* Signal.make
    let hurried = 0
    const alone = beginsAlone ? dialect.beginsAlone : null
    let held: Held | null = null
    // Who is being waited for. One that takes too long is not waited for any more, but welcome if it comes first after all.
    let opening: Fiber.Fiber<Held, SqlError> | null = null
    let over = false

    // One that does not answer, because it waits for a lock or its server is silent, is hung up: the client's own end would wait for
    // it, and MySQL's without a limit.
    const end = ({ connection, db }: Pick<Held, "connection" | "db">): Effect.Effect<void> =>
      dialect.end === null
        ? Effect.void
        // The second statement is answered when the client has seen the end, and will not give the connection to others.
        : Effect.map(
          RealTime.endsWithin(
            Effect.zipRight(Effect.ignore(command(db, dialect.end)), Effect.ignore(command(db, "SELECT 1"))),
            1_000
          ),
          (ended) => ended ? undefined : dialect.hangUp(connection)
        )

    const open = Effect.flatMap(Scope.make(), (scope) =>
      Scope.extend(client.reserve, scope).pipe(
        Effect.flatMap((connection) => {
          const db = dialect.db(connection)
          const session = alone === null ? dialect.session : [...dialect.session, alone]
          return Effect.forEach(session, (sql) => command(db, sql), { discard: true }).pipe(
            Effect.zipRight(Effect.forEach(dialect.sessionHints, (sql) => Effect.ignore(command(db, sql)))),
            Effect.tapErrorCause(() => end({ connection, db })),
            Effect.as<Held>({ connection, db, scope })
          )
        }),
        Effect.tapErrorCause(() => Scope.close(scope, Exit.void))
      ))

    const letGo = (gone: Held) => Effect.zipRight(end(gone), Scope.close(gone.scope, Exit.void))

    const opened: Effect.Effect<Held, SqlError> = Effect.suspend(() => {
      if (over) return Effect.fail(closed)
      if (held !== null) return Effect.succeed(held)
      if (opening !== null) return Effect.flatMap(Fiber.join(opening), () => opened)
      let asked: Fiber.Fiber<Held, SqlError> | null = null
      const asking = open.pipe(
        Effect.onExit((exit) => {
          if (opening === asked) opening = null
          if (Exit.isFailure(exit)) return Effect.void
          if (over || held !== null) return letGo(exit.value)
          held = exit.value
          return Effect.void
        }),
        Effect.uninterruptible
      )
      return Effect.flatMap(Effect.forkDaemon(asking), (fiber) => {
        asked = fiber
        if (fiber.unsafePoll() === null) opening = fiber
        return Effect.flatMap(Fiber.join(fiber), () => opened)
      })
    })

    const drop = (gone: Held) =>
      Effect.suspend(() => {
        if (held !== gone) return letGo(gone)
        held = null
        return Effect.zipRight(Effect.forkDaemon(Effect.ignore(opened)), letGo(gone))
      })

    // After anything that is not expected the connection may be broken: a server also hangs up on what is too large for it.
    const isSuspicious = (cause: Cause.Cause<unknown>): boolean => {
      if (cause._tag !== "Fail") return true
      const problem = cause.error instanceof SqlError ? dialect.problemOf(cause.error) : "busy"
      return problem === "transient" || problem === "permanent"
    }

    const turned = <A, E>(body: (db: Db) => Effect.Effect<A, E>, limit = longest): Effect.Effect<A, E | SqlError> =>
      Effect.uninterruptible(Effect.suspend(() => {
        let mine: Held | null = null
        let givenUp = false
        // A use that was given up still ends some day: then it lets go of its own connection, and of no other.
        const used = (answered: () => void) =>
          Effect.flatMap(opened, (connection): Effect.Effect<A, E | SqlError> => {
            if (givenUp) return Effect.interrupt
            mine = connection
            return Effect.onExit(
              body(Silence.telling(connection.db, answered)),
              (exit) => givenUp || (Exit.isFailure(exit) && isSuspicious(exit.cause)) ? drop(connection) : Effect.void
            )
          })
        return Silence.within(limit, used, () => {
          givenUp = true
          if (mine === null) {
            opening = null
            return
          }
          if (held === mine) {
            held = null
            Effect.runFork(Effect.ignore(opened))
          }
          dialect.hangUp(mine.connection)
        })
      })).pipe(turn.withPermits(1))
    const use: Connections["use"] = (body, limit) =>
      line.withPermits(1)(Effect.zipRight(calm.until(() => hurried === 0), turned(body, limit)))
    const urgent: Connections["use"] = (body, limit) =>
      Effect.acquireUseRelease(
        Effect.sync(() => (hurried += 1)),
        () => turned(body, limit),
        () =>
          Effect.sync(() => {
            hurried -= 1
            calm.notify()
          })
      )

    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        over = true
        const last = held
        held = null
        return last === null ? Effect.void : letGo(last)
      })
    )
    yield* use(() => Effect.void)
    if (alone === null) return { use, urgent, transaction: (body) => use((db) => inTransaction(dialect, db, body)) }
    const whole: Connections["use"] = (body, limit) => use((db) => committed(db, body(db)), limit)
    return { use: whole, urgent: (body, limit) => urgent((db) => committed(db, body(db)), limit), transaction: whole }
  })
