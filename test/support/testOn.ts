/** A test on a database of its own. */
import { Reactivity } from "@effect/experimental"
import { it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { withPrefix } from "../../src/backend/sql/schema.js"
import { placeForEachCase } from "./forEachCase.js"
import type { Database, OpenClient } from "./sql.js"

/** What a test is given. */
export interface Place {
  readonly database: Database
  readonly place: string
  readonly prefix: string
  readonly tables: ReturnType<typeof withPrefix>
  readonly open: OpenClient
}

/** A test on a database, with tables of its own. */
export const testOn = (database: Database, its = database.place) =>
(
  what: string,
  body: (place: Place) => Effect.Effect<void, unknown, Scope.Scope | Reactivity.Reactivity>,
  timeout = 60_000
) =>
  it.scopedLive(
    what,
    () =>
      Effect.flatMap(its, (place) =>
        body({
          database,
          place,
          prefix: database.prefix(place),
          tables: withPrefix(database.prefix(place)),
          open: database.open(place)
        })).pipe(Effect.provide(Reactivity.layer)),
    timeout
  )

/** The same on tables that the test before has used, and left as they were. */
export const testInTurn = (database: Database) => testOn(database, placeForEachCase(database))
