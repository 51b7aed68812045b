/**
 * Tasks in PostgreSQL, through a client of their own. Several instances share them.
 *
 * An application that has an SqlClient for the same database takes `SqlBackend.layer`, so that what it enqueues inside a
 * transaction commits with it.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import { connectFailed } from "./sql/advice.js"
import { withDefaults } from "./sql/postgresClient.js"
import * as SqlBackend from "./SqlBackend.js"

/**
 * As for `PgClient.layer`: `url`, or `host`, `port`, `database`, `username`, `password`; and the prefix of the tables.
 * `connectTimeout` is 15 seconds by default.
 */
export type PostgresBackendOptions =
  & SqlBackend.SqlBackendOptions
  & Omit<PgClient.PgClientConfig, "types" | "transformJson">

const make = ({ notify, notifyInTransaction, prefix, ...config }: PostgresBackendOptions) =>
  Effect.gen(function*() {
    const client = yield* Effect.mapError(
      // Opened aside: who is asked to end meanwhile does not wait for it.
      Effect.disconnect(PgClient.make(withDefaults(config))),
      connectFailed("Postgres", config)
    )
    return yield* SqlBackend.make(client, { notify, notifyInTransaction, prefix, ownClient: true })
  })

/** A backend on this database. */
export const layer = (options: PostgresBackendOptions): Layer.Layer<TaskBackend, TaskBackendError> =>
  Layer.scoped(TaskBackend, make(options)).pipe(Layer.provide(Reactivity.layer))

/** The same from configuration. */
export const layerConfig = (
  options: Config.Config.Wrap<PostgresBackendOptions>
): Layer.Layer<TaskBackend, TaskBackendError | ConfigError.ConfigError> =>
  Layer.scoped(TaskBackend, Effect.flatMap(Config.unwrap(options), make)).pipe(Layer.provide(Reactivity.layer))
