/** A PostgreSQL database, which is only read. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { TaskBackendError } from "../TaskError.js"
import type { Inspector } from "./Inspector.js"
import { connectFailed } from "./sql/advice.js"
import * as Inspecting from "./sql/inspecting.js"
import { postgresDialect } from "./sql/postgresDialect.js"
import { longestSilence } from "./sql/silence.js"

export interface PostgresInspectorOptions extends Inspecting.InspectorOptions {
  readonly url: Redacted.Redacted
}

export const make = ({ prefix, url }: PostgresInspectorOptions): Effect.Effect<
  Inspector,
  TaskBackendError,
  Scope.Scope
> =>
  Effect.flatMap(
    Effect.mapError(
      PgClient.make({
        url,
        applicationName: "effect-taskflow command line",
        connectTimeout: longestSilence,
        maxConnections: 4
      }),
      connectFailed("Postgres", { url })
    ),
    (client) => Inspecting.make(client, postgresDialect, prefix)
  ).pipe(Effect.provide(Reactivity.layer))
