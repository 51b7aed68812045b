/** A MySQL or MariaDB database, which is only read. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { TaskBackendError } from "../TaskError.js"
import type { Inspector } from "./Inspector.js"
import { connectFailed } from "./sql/advice.js"
import * as Inspecting from "./sql/inspecting.js"
import { mysqlDialect } from "./sql/mysqlDialect.js"

export interface MysqlInspectorOptions extends Inspecting.InspectorOptions {
  readonly url: Redacted.Redacted
}

export const make = ({ prefix, url }: MysqlInspectorOptions): Effect.Effect<
  Inspector,
  TaskBackendError,
  Scope.Scope
> =>
  Effect.flatMap(
    MysqlClient.make({ url, maxConnections: 4 }).pipe(
      Effect.mapError(connectFailed("MySQL", { url })),
      // A URL that cannot be read throws inside the driver, with the URL and its password in the error.
      Effect.catchAllDefect(() =>
        new TaskBackendError({ method: "connect", cause: new Error("the url is not that of a server") })
      )
    ),
    (client) => Inspecting.make(client, mysqlDialect, prefix)
  ).pipe(Effect.provide(Reactivity.layer))
