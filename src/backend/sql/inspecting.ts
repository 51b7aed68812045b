/** The Inspector of a database that speaks SQL, on a client of its own. */
import type * as Client from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { TaskBackendError } from "../../TaskError.js"
import type { Inspector } from "../Inspector.js"
import { catalogOf, stateOf } from "./catalog.js"
import * as Checks from "./checks.js"
import { counting } from "./deleting.js"
import type { Dialect } from "./dialect.js"
import * as ReadOnly from "./readOnly.js"
import { isPrefix, withPrefix } from "./schema.js"

/** What can be asked of any database. */
export interface InspectorOptions {
  /** Of the tables, or keys. Default as of the backend. */
  readonly prefix?: string | undefined
}

export const make = (
  client: Client.SqlClient,
  dialect: Dialect,
  prefix = "taskflow_"
): Effect.Effect<Inspector, TaskBackendError> =>
  Effect.gen(function*() {
    if (!isPrefix(prefix)) {
      const message = `the prefix ${
        JSON.stringify(prefix)
      } is none: small letters, digits and _, at most 31, a letter first`
      return yield* new TaskBackendError({ method: "open", cause: new Error(message) })
    }
    const failing = ReadOnly.told(dialect)
    const tables = withPrefix(prefix)
    const sql = { dialect, tables }
    const reads = ReadOnly.readsOn(client, dialect)
    const names = [...Object.values(tables).map(({ name }) => name), `${prefix}migrations`]
    const catalog = yield* failing("open", catalogOf(client, dialect, names))
    const state = yield* failing("open", stateOf(client, dialect, tables, prefix, catalog))
    const count = counting(sql, reads)
    return {
      tables: state,
      backend: yield* ReadOnly.make(sql, reads),
      countBefore: (cutoff, most, status) => failing("countBefore", count(cutoff, most, status)),
      checks: Checks.make(sql, reads, state, catalog)
    }
  })
