/** What a layer says of a database that is not there or refuses it. */
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import type { Layer } from "effect"
import { Cause, Effect, Exit, Redacted } from "effect"
import { TaskBackend, TaskBackendError } from "effect-taskflow"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"
import { mysql, postgres } from "../support/databases.js"

const secret = "hunter2-very-secret"
// Nothing listens there.
const closed = 1

const absent: Record<string, Layer.Layer<TaskBackend, TaskBackendError>> = {
  "PostgreSQL by url": PostgresBackend.layer({
    url: Redacted.make(`postgres://me:${secret}@127.0.0.1:${closed}/test`)
  }),
  "PostgreSQL by parts": PostgresBackend.layer({ host: "127.0.0.1", port: closed, password: Redacted.make(secret) }),
  "PostgreSQL with a url that is none": PostgresBackend.layer({ url: Redacted.make(`postgres://me:${secret}@:x:y/`) }),
  "MySQL by url": MysqlBackend.layer({ url: Redacted.make(`mysql://me:${secret}@127.0.0.1:${closed}/test`) }),
  "MySQL by parts": MysqlBackend.layer({
    host: "127.0.0.1",
    port: closed,
    username: "me",
    database: "test",
    password: Redacted.make(secret)
  }),
  "MySQL that refuses the password": MysqlBackend.layer({
    ...mysql,
    username: "nobody",
    password: Redacted.make(secret)
  }),
  "MySQL without such a database": MysqlBackend.layer({ ...mysql, database: "there_is_none" }),
  "PostgreSQL without such a database": PostgresBackend.layer({
    ...postgres,
    password: Redacted.make(secret),
    database: "there_is_none"
  }),
  "SQLite in a folder that is not there": SqliteBackend.layer({ filename: "/there/is/none/tasks.db" })
}

describe("a database that cannot be reached", () => {
  for (const [what, layer] of Object.entries(absent)) {
    it.live(`fails the layer and tells no secret: ${what}`, () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(Effect.provide(TaskBackend, layer))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : null
        expect(error).toBeInstanceOf(TaskBackendError)
        const told = [
          String(error),
          JSON.stringify(error),
          inspect(error, { depth: 20, showHidden: true }),
          Exit.isFailure(exit) ? Cause.pretty(exit.cause, { renderErrorCause: true }) : ""
        ]
        for (const text of told) expect(text).not.toContain(secret)
        expect((error as TaskBackendError).message.length).toBeGreaterThan(40)
      }))
  }
})
