/** What tests of RedisBackend share. */
import { it } from "@effect/vitest"
import { Cause, Effect, Exit, Logger, LogLevel, type Scope } from "effect"
import type { TaskBackend, TaskRecord } from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { succeed } from "../../src/testing/suite/changes.js"
import { batchOf, facts, now } from "./sql.js"

export const applied = (count: number) => Array.from({ length: count }, () => ({ _tag: "Applied" }))

export const failureOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(self), (exit) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : null)

/** A backend that knows the instance of `batchOf` and `claimOf`. */
export const attached = (options: RedisBackend.RedisBackendOptions) =>
  Effect.tap(RedisBackend.make(options), (backend) => backend.attach(facts(), now))

/** The success of a running task. */
export const finishOf = (
  number: number,
  ...running: ReadonlyArray<TaskRecord.TaskRecord>
): Parameters<TaskBackend["Type"]["write"]>[0] => ({
  ...batchOf(number, []),
  changes: running.map((one) => succeed(one, now, null))
})

/** In real time. Servers of tests warn that they keep nothing: not said. */
export const test = (name: string, body: () => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.scopedLive(name, () => Logger.withMinimumLogLevel(body(), LogLevel.None), 60_000)
