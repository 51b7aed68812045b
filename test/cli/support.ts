/** What tests of the command line share: runs of it with a screen that remembers, and databases with tasks in them. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, LogLevel, Schema, type Scope } from "effect"
import { Task, type TaskBackend, TaskCipher, TaskflowLayer, type TaskManager } from "effect-taskflow"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"
import { run } from "../../src/cli/app.js"
import { Screen } from "../../src/cli/Screen.js"
import {
  hasMysql,
  hasPostgres,
  hasRedis,
  mysql,
  mysqlPrefix,
  postgres,
  postgresPrefix,
  redis,
  redisPrefix
} from "../support/databases.js"

export interface Said {
  readonly code: number
  readonly out: string
  readonly note: string
  /** What was drawn over and over. */
  readonly live: string
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  /** Columns of a terminal. */
  readonly width?: number
}

/** Runs a command line, as a process of its own would. */
export const cli = (words: ReadonlyArray<string>, { env = {}, width }: Surroundings = {}): Effect.Effect<Said> =>
  Effect.suspend(() => {
    const said = { out: "", note: "", live: "" }
    const add = (to: keyof typeof said, end: string) => (text: string) =>
      Effect.sync(() => {
        said[to] += text + end
      })
    const screen = Screen.of({
      out: add("out", "\n"),
      note: add("note", "\n"),
      live: width === undefined ? null : add("live", ""),
      width: width ?? null,
      color: false,
      serving: () => {}
    })
    return run(words).pipe(
      Effect.provide(NodeContext.layer),
      Effect.provideService(Screen, screen),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.map((code) => ({ code, ...said }))
    )
  })

/** Asks again until it is so: what an application has handlers for is known from its next heartbeat on. */
export const until = <A>(ask: Effect.Effect<A, unknown>, isSo: (answer: A) => boolean): Effect.Effect<A> =>
  Effect.orDie(
    Effect.flatMap(
      ask,
      (answer) => isSo(answer) ? Effect.succeed(answer) : Effect.zipRight(Effect.sleep("50 millis"), until(ask, isSo))
    )
  )

export const jsonOf = ({ out }: Said): any => JSON.parse(out)

// ── databases ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A database of a test's own, gone when the scope ends. */
export interface Place {
  readonly url: string
  /** What says to the command line where it is. */
  readonly at: ReadonlyArray<string>
  readonly prefix: string
  readonly layer: Layer.Layer<TaskBackend, unknown>
}

export interface Kind {
  readonly name: string
  readonly present: boolean
  readonly place: Effect.Effect<Place, never, Scope.Scope>
}

export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-cli-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

export const postgresUrl = `postgres://${postgres.username}@${postgres.host}:${postgres.port}/${postgres.database}`
export const mysqlUrl = `mysql://${mysql.username}@${mysql.host}:${mysql.port}/${mysql.database}`
export const redisUrl = `redis://${redis.host}:${redis.port}`

const placed = (url: string, prefix: string, layer: Place["layer"]): Place => ({
  url,
  prefix,
  at: ["--url", url, "--prefix", prefix],
  layer
})

export const sqlite: Kind = {
  name: "SQLite",
  present: true,
  place: Effect.map(folder, (path) => {
    const filename = join(path, "tasks.db")
    return placed(`sqlite:${filename}`, "taskflow_", SqliteBackend.layer({ filename }))
  })
}

export const kinds: ReadonlyArray<Kind> = [
  sqlite,
  {
    name: "PostgreSQL",
    present: await hasPostgres(),
    place: Effect.map(
      postgresPrefix,
      (prefix) => placed(postgresUrl, prefix, PostgresBackend.layer({ ...postgres, prefix, maxConnections: 4 }))
    )
  },
  {
    name: "MySQL or MariaDB",
    present: await hasMysql(),
    place: Effect.map(
      mysqlPrefix,
      (prefix) => placed(mysqlUrl, prefix, MysqlBackend.layer({ ...mysql, prefix, maxConnections: 4 }))
    )
  },
  {
    name: "Redis",
    present: await hasRedis(),
    place: Effect.map(redisPrefix, (prefix) => placed(redisUrl, prefix, RedisBackend.layer({ ...redis, prefix })))
  }
]

// ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const Mail = Task.make("mail", {
  payload: { to: Schema.String, password: Schema.optional(Schema.String) },
  success: Schema.String
})
export const Charge = Task.make("charge", { payload: { amount: Schema.Number } })

const handlers = Layer.merge(
  Mail.toLayer(({ to }) => Effect.as(Effect.logInfo(`mailing ${to}`), `sent to ${to}`)),
  Charge.toLayer(({ amount }) => Effect.dieMessage(`${amount} is over the limit`))
)

/** An application on this database, as long as the scope is open. */
export const application = (place: Place, keys?: TaskCipher.TaskCipherOptions) => {
  const backend = keys === undefined ? place.layer : Layer.provide(TaskCipher.layer(keys), place.layer)
  return Layer.build(
    Layer.provideMerge(
      handlers,
      TaskflowLayer({ announce: false, shutdownTimeout: 0, heartbeatInterval: "100 millis" })
    )
      .pipe(
        Layer.provide(backend)
      )
  ).pipe(Effect.orDie)
}

/** Runs `body` with an application, which has gone afterwards. */
export const withApplication = <A, E>(
  place: Place,
  body: Effect.Effect<A, E, TaskManager>,
  keys?: TaskCipher.TaskCipherOptions
) => Effect.scoped(Effect.flatMap(application(place, keys), (context) => Effect.provide(body, context)))

/** One task that succeeded, and one that failed. */
export const ended = (place: Place) =>
  withApplication(
    place,
    Effect.gen(function*() {
      const mail = yield* Mail.enqueue({ to: "ada", password: "pw-17" })
      const charge = yield* Charge.enqueue({ amount: 17 })
      yield* Mail.awaitResult(mail.taskId)
      yield* Effect.exit(Charge.awaitResult(charge.taskId))
      return { mail: mail.taskId, charge: charge.taskId }
    })
  )

/** In real time, on a database of its own. Servers of tests warn that they keep nothing: not said. */
export const testOn =
  ({ place }: Kind) =>
  (what: string, body: (place: Place) => Effect.Effect<void, unknown, Scope.Scope>, timeout = 60_000) =>
    it.scopedLive(what, () => Logger.withMinimumLogLevel(Effect.flatMap(place, body), LogLevel.None), timeout)
