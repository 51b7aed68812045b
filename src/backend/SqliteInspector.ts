/** An SQLite file, opened for reading. */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TaskBackendError } from "../TaskError.js"
import type { Inspector } from "./Inspector.js"
import { innermost } from "./sql/advice.js"
import * as Inspecting from "./sql/inspecting.js"
import { sqliteDialect } from "./sql/sqliteDialect.js"

export interface SqliteInspectorOptions extends Inspecting.InspectorOptions {
  readonly filename: string
}

const refused = (message: string) => new TaskBackendError({ method: "open", cause: new Error(message) })

const header = Buffer.from("SQLite format 3\0", "latin1")

/** Why this is no file to open, or null. The driver would make one that is not there, and find out late that one is none. */
const whyNot = (filename: string): string | null => {
  if (!existsSync(filename)) return `there is no file ${filename}`
  if (!statSync(filename).isFile()) return `${filename} is no file`
  const file = openSync(filename, "r")
  try {
    const begin = Buffer.alloc(header.length)
    const length = readSync(file, begin, 0, header.length, 0)
    // A database without a table may be an empty file.
    return length === 0 || begin.equals(header) ? null : `${filename} is no SQLite database`
  } finally {
    closeSync(file)
  }
}

/** Fails when the file is not there, or none of SQLite's. */
export const make = ({ filename, prefix }: SqliteInspectorOptions): Effect.Effect<
  Inspector,
  TaskBackendError,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const reason = yield* Effect.try({ try: () => whyNot(filename), catch: (cause) => refused(innermost(cause)) })
    if (reason !== null) return yield* refused(reason)
    const client = yield* Effect.catchAllDefect(
      SqliteClient.make({ filename, readonly: true, disableWAL: true }),
      (cause) => refused(`${filename} cannot be opened: ${innermost(cause)}`)
    )
    return yield* Inspecting.make(client, sqliteDialect, prefix)
  }).pipe(Effect.provide(Reactivity.layer))
