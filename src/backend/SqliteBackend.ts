/**
 * Tasks in an SQLite file of their own, for applications that have no database. Nothing to install, nothing to operate.
 *
 * The client is its own too: an enqueue inside a transaction of another client commits by itself. An application with an
 * SqlClient takes `SqlBackend.layer`.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { quoted } from "../internal/shown.js"
import { TaskBackend } from "../TaskBackend.js"
import { TaskBackendError } from "../TaskError.js"
import { innermost } from "./sql/advice.js"
import * as SqlBackend from "./SqlBackend.js"

/** Where the file is, and what a commit survives. */
export interface SqliteBackendOptions extends SqlBackend.SqlBackendOptions {
  /** A path, made when it is not there; `:memory:` for a database that ends with the process. */
  readonly filename: string
  /**
   * `normal` (the default): a commit survives the end of the process, kill -9 included; a power failure may take the last
   * ones. `full`: it survives a power failure too, and every commit waits for the disk.
   */
  readonly synchronous?: "normal" | "full" | undefined
}

const make = (options: SqliteBackendOptions) =>
  Effect.gen(function*() {
    const client = yield* Effect.catchAllDefect(
      // A cache of statements that forgets by time keeps the key of each it forgot, and prepares it again: 0.2 MB an hour.
      SqliteClient.make({
        filename: options.filename,
        prepareCacheSize: 1_000,
        prepareCacheTTL: Number.POSITIVE_INFINITY
      }),
      // A path that cannot be opened throws inside the client.
      (cause) => {
        const message =
          `SQLite file ${quoted(options.filename)}: ${innermost(cause)}: give the path of a file that this ` +
          "process may write, in a folder that is there"
        return new TaskBackendError({ method: "open", cause: new Error(message, { cause }) })
      }
    )
    const set = (pragma: string) =>
      Effect.mapError(client.unsafe(`PRAGMA ${pragma}`), (cause) => new TaskBackendError({ method: "open", cause }))
    yield* set("busy_timeout = 0")
    // Pages that change with every commit are copied into the file once in 32 MiB instead of once in 4.
    yield* set("wal_autocheckpoint = 8000")
    yield* set("cache_size = -16000")
    // Statements of many rows note each page they change, in case they fail halfway: in a file that was 4 of 9 kB written a task.
    yield* set("temp_store = memory")
    yield* set(`synchronous = ${options.synchronous ?? "normal"}`)
    return yield* SqlBackend.make(client, { ...options, shared: options.filename !== ":memory:", ownClient: true })
  })

/** A backend on this file. */
export const layer = (options: SqliteBackendOptions): Layer.Layer<TaskBackend, TaskBackendError> =>
  Layer.scoped(TaskBackend, make(options)).pipe(Layer.provide(Reactivity.layer))

/** The same from configuration. */
export const layerConfig = (
  options: Config.Config.Wrap<SqliteBackendOptions>
): Layer.Layer<TaskBackend, TaskBackendError | ConfigError.ConfigError> =>
  Layer.scoped(TaskBackend, Effect.flatMap(Config.unwrap(options), make)).pipe(Layer.provide(Reactivity.layer))
