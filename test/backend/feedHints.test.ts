/** Hints that come twice, late, in another order or not at all: whoever follows the feed sees each change once. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, LogLevel, Schema, Stream } from "effect"
import { Task, type TaskBackend, type TaskChange, TaskflowLayer, TaskManager } from "effect-taskflow"
import { echoHints } from "../chaos/support/hintEchoes.js"
import { makeProxy } from "../chaos/support/proxy.js"
import { postgres } from "../support/databases.js"
import { eventually } from "../support/schedules.js"
import { testServers } from "../support/servers.js"
import { databases } from "../support/sql.js"

const Step = Task.make("step", { payload: { n: Schema.Int } })
const handler = Step.toLayer(() => Effect.void)

const engineOn = <H>(backend: Layer.Layer<TaskBackend, unknown>, handlers: Layer.Layer<H, never, TaskManager>) =>
  Effect.map(
    Layer.build(handlers.pipe(
      Layer.provideMerge(TaskflowLayer({ announce: false, shutdownTimeout: 0 })),
      Layer.provide(backend)
    )),
    Context.unsafeGet(TaskManager)
  )

/** Everything that a follower was told, from now on. */
const following = (backend: Layer.Layer<TaskBackend, unknown>) =>
  Effect.gen(function*() {
    const manager = yield* engineOn(backend, Layer.empty)
    const { cursor } = yield* manager.changesAfter()
    const seen: Array<TaskChange.TaskChange> = []
    let resets = 0
    yield* Effect.forkScoped(Stream.runForEach(manager.changes(cursor), ({ changes, reset }) =>
      Effect.sync(() => {
        seen.push(...changes)
        if (reset) resets += 1
      })))
    return { seen, resets: () => resets }
  })

const textOf = (change: TaskChange.TaskChange) =>
  change._tag === "Changed" ? `${change.taskId} ${change.status} ${change.claim} ${change.attempts}` : change._tag

/** Two who enqueue and run, and these who follow: in the end all of them know the same, each change once. */
const allAgree = (
  writers: ReadonlyArray<Layer.Layer<TaskBackend, unknown>>,
  followers: ReadonlyArray<Layer.Layer<TaskBackend, unknown>>,
  meanwhile: (round: number) => Effect.Effect<unknown>
) =>
  Effect.gen(function*() {
    const watching = yield* Effect.forEach(followers, following)
    const managers = yield* Effect.forEach(writers, (backend) => engineOn(backend, handler))
    const ids: Array<string> = []
    for (let round = 0; round < 8; round += 1) {
      yield* meanwhile(round)
      for (const manager of managers) {
        for (let n = 0; n < 4; n += 1) ids.push((yield* manager.enqueue(Step, { n })).taskId)
      }
    }
    yield* meanwhile(8)
    for (const { resets, seen } of watching) {
      yield* eventually(
        Effect.sync(() => seen.filter((change) => change._tag === "Changed" && change.status === "success").length),
        (ended) => ended >= ids.length
      )
      const texts = seen.map(textOf)
      expect(new Set(texts).size).toBe(texts.length)
      expect(resets()).toBe(0)
      expect([...texts].sort()).toEqual(watching[0]!.seen.map(textOf).sort())
    }
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))

for (const { kind, layer, name, prefix, present, target } of testServers) {
  describe.skipIf(!present)(`the feed on ${name}`, () => {
    const told = kind === "mysql" ? null : kind
    it.scopedLive(
      told === null
        ? "is followed by looking, also on a way that is cut time and again"
        : "is followed whole, once, with hints three times, late and in another order, without any, and on a way that is cut",
      () =>
        Effect.gen(function*() {
          const own = yield* prefix
          const proxy = yield* makeProxy({ target })
          const place = { ...target, prefix: own, database: postgres.database, username: postgres.username }
          const echoes = told === null ? null : yield* echoHints({ ...place, kind: told })
          const direct = layer(own, target.port)
          yield* allAgree(
            [direct, layer(own, target.port)],
            [layer(own, target.port), layer(own, target.port, false), layer(own, proxy.port)],
            (round) => proxy.set(round % 2 === 0 ? "cut" : round % 4 === 1 ? "partition" : "pass")
          )
          if (echoes !== null) expect(yield* echoes.told).toBeGreaterThan(0)
        })
    )
  })
}

describe("the feed on SQLite", () => {
  const sqlite = databases.find(({ kind }) => kind === "sqlite")!
  it.scopedLive("is followed by looking", () =>
    Effect.flatMap(sqlite.place, (place) => {
      const each = () => sqlite.layer(place)
      return allAgree([each(), each()], [each(), each()], () => Effect.void)
    }))
})
