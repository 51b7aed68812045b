/** The promises of the port, kept with a cipher between the engine and the backend. */
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { TaskCipher } from "effect-taskflow"
import { MemoryBackend, type TaskBackend } from "effect-taskflow"
import { SqliteBackend } from "effect-taskflow/sqlite"
import { BackendSuite } from "effect-taskflow/testing"
import { cipher } from "../support/cipher.js"
import { freshRedis, hasMysql, hasPostgres, hasRedis } from "../support/databases.js"
import { mysqlForEachCase, postgresForEachCase } from "../support/forEachCase.js"

type Backend = Layer.Layer<TaskBackend, unknown>

const keeps = (
  what: string,
  backend: () => Backend,
  options: Partial<TaskCipher.TaskCipherOptions>,
  concerns?: RegExp
) => {
  describe(what, () => {
    const covered = Layer.provide(cipher(options), backend())
    for (const one of BackendSuite.cases) {
      if (concerns !== undefined && (!concerns.test(one.concern) || one.name === long)) continue
      it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(covered)), 60_000)
    }
  })
}

// Two thousand commits, one after the other, in which a cipher does nothing that it does not do over memory.
const long = "of a task with more than 1,000 entries the newest 1,000 are there"

// What a cipher could get wrong: texts, keys, lines, failures and their groups, what comes back from the dead, slots.
const carrying = /^(strings|keys|ledger|grouping|reaping|retrying|scheduling)$/

keeps("a cipher over memory", MemoryBackend.layer, {})
keeps("a cipher over SQLite", () => SqliteBackend.layer({ filename: ":memory:" }), {})
keeps("a cipher that only decrypts, over memory", MemoryBackend.layer, { encrypt: false })
if (await hasPostgres()) keeps("a cipher over PostgreSQL", postgresForEachCase, {}, carrying)
if (await hasMysql()) keeps("a cipher over MySQL or MariaDB", mysqlForEachCase, {}, carrying)
if (await hasRedis()) keeps("a cipher over Redis", () => freshRedis, {}, carrying)
