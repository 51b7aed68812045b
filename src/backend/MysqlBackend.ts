/**
 * Tasks in MySQL or MariaDB, through a client of their own. Several instances share them.
 *
 * An application that has an SqlClient for the same database takes `SqlBackend.layer`, so that what it enqueues inside a
 * transaction commits with it.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as RealTime from "../internal/realTime.js"
import { TaskBackend } from "../TaskBackend.js"
import { TaskBackendError } from "../TaskError.js"
import { connectFailed } from "./sql/advice.js"
import * as SqlBackend from "./SqlBackend.js"

/** As for `MysqlClient.layer`: `url`, or `host`, `port`, `database`, `username`, `password`; and the prefix of the tables. */
export type MysqlBackendOptions = SqlBackend.SqlBackendOptions & MysqlClient.MysqlClientConfig

// Milliseconds.
const longestEnd = 2_000

const make = ({ notify, notifyInTransaction, prefix, ...config }: MysqlBackendOptions) =>
  Effect.gen(function*() {
    // The driver ends its connections behind what they still wait for, and sets itself no limit.
    const scope = yield* Effect.acquireRelease(
      Scope.make(),
      (scope, exit) => RealTime.endsWithin(Scope.close(scope, exit), longestEnd)
    )
    // Opened aside: who is asked to end meanwhile does not wait for it.
    const client = yield* Effect.disconnect(Scope.extend(MysqlClient.make(config), scope)).pipe(
      Effect.mapError(connectFailed("MySQL", config)),
      // A URL that cannot be read throws inside the driver, with the URL and its password in the error.
      Effect.catchAllDefect(() =>
        new TaskBackendError({
          method: "connect",
          cause: new Error("MySQL: the url cannot be read: mysql://user:password@host:port/database is expected")
        })
      )
    )
    return yield* SqlBackend.make(client, { notify, notifyInTransaction, prefix, ownClient: true })
  })

/** A backend on this database. */
export const layer = (options: MysqlBackendOptions): Layer.Layer<TaskBackend, TaskBackendError> =>
  Layer.scoped(TaskBackend, make(options)).pipe(Layer.provide(Reactivity.layer))

/** The same from configuration. */
export const layerConfig = (
  options: Config.Config.Wrap<MysqlBackendOptions>
): Layer.Layer<TaskBackend, TaskBackendError | ConfigError.ConfigError> =>
  Layer.scoped(TaskBackend, Effect.flatMap(Config.unwrap(options), make)).pipe(Layer.provide(Reactivity.layer))
