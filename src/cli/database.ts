/** Opens the database that a command is about: to look at it, to write to it, or to steer what runs on it. */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Inspector, TablesState } from "../backend/Inspector.js"
import { messageOf } from "../internal/failureOf.js"
import { TaskBackend } from "../TaskBackend.js"
import * as TaskCipher from "../TaskCipher.js"
import { TaskBackendError } from "../TaskError.js"
import { operatorLayer } from "../Taskflow.js"
import type { TaskManager } from "../TaskManager.js"
import { lacking } from "./packages.js"
import { expected, parse, type Place, scrubbed } from "./place.js"
import { failed, type Failure, misused } from "./Screen.js"

/** What every command is told of its database. */
export interface Asked {
  readonly url: Option.Option<Redacted.Redacted>
  readonly prefix: Option.Option<string>
}

export const urlVariable = "TASKFLOW_DATABASE"
export const prefixVariable = "TASKFLOW_PREFIX"

/** A database that is known, and not opened yet. */
export interface Database {
  readonly place: Place
  readonly prefix: string | undefined
  /** Turns what went wrong into words. */
  readonly failure: (error: unknown) => Failure
}

const failureOf = (place: Place) => (error: unknown): Failure => {
  // safe: a tag of our own
  const own = error as { readonly _tag?: unknown }
  if (own?._tag === "Failure" || own?._tag === "Ended") return error as Failure
  const isOfBackend = error instanceof TaskBackendError
  // What could not connect says itself where it tried to.
  const words = isOfBackend && error.method !== "connect"
    ? `${place.shown}: ${messageOf(error.cause)}`
    : messageOf(isOfBackend ? error.cause : error)
  const held = place.kind === "sqlite" && /database is locked/.test(words)
    ? ": a transaction of somebody else is open for seconds; try again when it has ended"
    : ""
  return failed(scrubbed(words, place) + held)
}

const orMisused = <A>(self: Effect.Effect<A, ConfigError.ConfigError>): Effect.Effect<A, Failure> =>
  Effect.mapError(self, (error) => misused(String(error)))

/** The database of the options, or of the environment. */
export const find = ({ prefix, url }: Asked): Effect.Effect<Database, Failure> =>
  Effect.gen(function*() {
    const found = Option.isSome(url) ? url : yield* orMisused(Config.option(Config.redacted(urlVariable)))
    if (Option.isNone(found)) {
      return yield* misused(`which database? Give --url, or set ${urlVariable}: ${expected}`)
    }
    const parsed = parse(found.value)
    if (Either.isLeft(parsed)) return yield* misused(parsed.left)
    const named = Option.isSome(prefix) ? prefix : yield* orMisused(Config.option(Config.string(prefixVariable)))
    const place = parsed.right
    const missing = lacking(place.needs)
    if (missing !== null) return yield* misused(missing.replace("effect-taskflow: ", ""))
    return { place, prefix: Option.getOrUndefined(named), failure: failureOf(place) }
  })

/** Opens it for reading, whatever state its tables are in. */
export const inspect = ({ failure, place, prefix }: Database): Effect.Effect<Inspector, Failure, Scope.Scope> => {
  const { filename, kind, url } = place
  const opened = Effect.suspend(() => {
    switch (kind) {
      case "sqlite":
        return Effect.flatMap(
          Effect.promise(() => import("../backend/SqliteInspector.js")),
          ({ make }) => make({ filename, prefix })
        )
      case "postgres":
        return Effect.flatMap(
          Effect.promise(() => import("../backend/PostgresInspector.js")),
          ({ make }) => make({ url, prefix })
        )
      case "mysql":
        return Effect.flatMap(
          Effect.promise(() => import("../backend/MysqlInspector.js")),
          ({ make }) => make({ url, prefix })
        )
      case "redis":
        return Effect.flatMap(
          Effect.promise(() => import("../backend/RedisInspector.js")),
          ({ make }) => make({ url, prefix })
        )
    }
  })
  return Effect.mapError(opened, failure)
}

/** Why nothing but `migrate` and `doctor` should touch these tables; null when there is no reason. */
export const hindrance = (tables: TablesState): string | null => {
  switch (tables._tag) {
    case "None":
      return "there are no tables under this prefix: effect-taskflow migrate up makes them, --prefix names others"
    case "Old":
      return `the tables are of version ${tables.version}, this is for version ${tables.known}: run effect-taskflow migrate up, ` +
        "or use the effect-taskflow of the application"
    case "Newer":
      return `the tables are of version ${tables.version}, this knows up to ${tables.known}: use the effect-taskflow of the ` +
        "application"
    default:
      return null
  }
}

/** Opens it for reading what this package understands. */
const inspectReady = (database: Database): Effect.Effect<Inspector, Failure, Scope.Scope> =>
  Effect.filterOrElse(
    inspect(database),
    ({ tables }) => hindrance(tables) === null,
    ({ tables }) => Effect.fail(failed(`${database.place.shown}: ${hindrance(tables) ?? ""}`))
  )

// Of a ConfigError the text says which variable is meant.
const wordsOf = (error: unknown): string => ConfigError.isConfigError(error) ? String(error) : messageOf(error)

const keysVariable = "TASKFLOW_ENCRYPTION_KEYS"

/** Over the backend with the keys of the environment; as it is without any. */
const withKeys = <E>(backend: Layer.Layer<TaskBackend, E>): Layer.Layer<TaskBackend, E | Failure> =>
  Layer.unwrapEffect(Effect.map(
    orMisused(Config.option(Config.redacted(keysVariable))),
    Option.match({
      onNone: (): Layer.Layer<TaskBackend, E | Failure> => backend,
      onSome: () =>
        TaskCipher.layerConfig().pipe(
          Layer.catchAllCause((cause) => Layer.fail(misused(wordsOf(Cause.squash(cause))))),
          Layer.provide(backend)
        )
    })
  ))

export interface Reading {
  readonly inspector: Inspector
  /** Decrypts, where the environment has the keys. */
  readonly backend: TaskBackend["Type"]
}

/** Opens it for reading. */
export const reading = (database: Database): Effect.Effect<Reading, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    const inspector = yield* inspectReady(database)
    const context = yield* Layer.build(withKeys(Layer.succeed(TaskBackend, inspector.backend)))
    return { inspector, backend: Context.get(context, TaskBackend) }
  })

const backendOf = ({ place, prefix }: Database): Effect.Effect<Layer.Layer<TaskBackend, TaskBackendError>> => {
  const { filename, kind, url } = place
  switch (kind) {
    case "sqlite":
      return Effect.map(
        Effect.promise(() => import("../backend/SqliteBackend.js")),
        ({ layer }) => layer({ filename, prefix })
      )
    case "postgres":
      return Effect.map(
        Effect.promise(() => import("../backend/PostgresBackend.js")),
        ({ layer }) => layer({ url, prefix, maxConnections: 5, applicationName: "effect-taskflow command line" })
      )
    case "mysql":
      return Effect.map(
        Effect.promise(() => import("../backend/MysqlBackend.js")),
        ({ layer }) => layer({ url, prefix, maxConnections: 5 })
      )
    case "redis":
      return Effect.map(
        Effect.promise(() => import("../backend/RedisBackend.js")),
        ({ layer }) => layer({ url, prefix })
      )
  }
}

/** The backend itself, made or upgraded by being opened: for `migrate up` alone. */
export const opening = (database: Database): Layer.Layer<TaskBackend, Failure> =>
  Layer.unwrapEffect(backendOf(database)).pipe(
    // A prefix that is none is a defect of the layer.
    Layer.catchAllCause((cause) => Layer.fail(database.failure(Cause.squash(cause))))
  )

/** Opens it for writing, after it was opened for reading: being opened it would upgrade tables that others still use. */
export const writing = (database: Database): Layer.Layer<TaskBackend, Failure> =>
  Layer.unwrapEffect(Effect.as(Effect.scoped(inspectReady(database)), withKeys(opening(database))))

/** A TaskManager on it that runs nothing: it retries, cancels and shows. */
export const operating = (database: Database): Layer.Layer<TaskManager, Failure> =>
  operatorLayer.pipe(
    Layer.catchAll((error) => Layer.fail(database.failure(error))),
    Layer.provide(writing(database))
  )
