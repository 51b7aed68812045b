/** Where `leak.ts` keeps its tasks, and how much is kept there. */
import { statSync } from "node:fs"
import { Effect, type Layer, type Scope } from "effect"
import { MemoryBackend, type TaskBackend, TaskManager } from "effect-taskflow"
import { v4 } from "uuid"
import { withPrefix } from "../../../src/backend/sql/schema.js"
import { keysUnder, redisClient } from "../../support/databases.js"
import * as Stores from "./stores.js"

export const backends = ["memory", "sqlite", "postgres", "mariadb", "redis"] as const
export type Backend = typeof backends[number]

/** Rows by table; keys of Redis by their kind; tasks by status on memory. */
export type Sizes = Readonly<Record<string, number>>

export interface LeakStore {
  readonly layer: Layer.Layer<TaskBackend, unknown>
  readonly sizes: Effect.Effect<Sizes, unknown, TaskManager>
  /** Fills what is kept in memory for days up to its bound, so that it does not fill while it is measured. */
  readonly fill: Effect.Effect<void, unknown, TaskManager>
}

// As much as memory keeps.
const entries = 10_000
const fillTrail = Effect.flatMap(
  TaskManager,
  ({ audit }) =>
    audit.append(Array.from({ length: entries }, (_, index) => ({
      id: v4(),
      at: Date.now() - entries + index,
      who: "leak",
      action: "cancel",
      target: v4(),
      parameters: JSON.stringify({ address: "127.0.0.1" }),
      outcome: "done"
    })))
)

const ofMemory = Effect.flatMap(TaskManager, (manager) => Effect.map(manager.stats(), ({ counts }) => ({ ...counts })))

// With a client that is opened for it and closed again: the engine's own connections are part of what is measured.
const ofSql = (store: Stores.SqlStore): Effect.Effect<Sizes, unknown> =>
  Effect.flatMap(Stores.client(store), (client) =>
    Effect.forEach(
      Object.values(withPrefix("")),
      ({ name }) =>
        Effect.map(
          client.unsafe<{ readonly n: number }>(`SELECT count(*) AS n FROM ${Stores.tableOf(store, name)}`),
          ([row]) => [name, Number(row!.n)] as const
        )
    )).pipe(
      Effect.map((found) => ({
        ...Object.fromEntries(found),
        ...store.kind === "sqlite" ? { fileKiB: Math.round(statSync(store.place).size / 1_024) } : {}
      })),
      Effect.scoped
    )

const ofRedis = (prefix: string): Effect.Effect<Sizes, unknown> =>
  Effect.flatMap(redisClient(), (client) => Effect.promise(() => keysUnder(client, prefix))).pipe(
    Effect.map((keys) => {
      const sizes: Record<string, number> = {}
      for (const key of keys) {
        const kind = key.split(":")[1] ?? ""
        sizes[kind] = (sizes[kind] ?? 0) + 1
      }
      return sizes
    }),
    Effect.scoped
  )

/** A fresh one, gone when the scope closes. */
export const open = (backend: Backend): Effect.Effect<LeakStore, never, Scope.Scope> => {
  // Few records, so that it is full before measuring begins.
  if (backend === "memory") {
    return Effect.succeed({ layer: MemoryBackend.layer({ maxRecords: 5_000 }), sizes: ofMemory, fill: fillTrail })
  }
  return Effect.map(Stores.fresh(backend === "mariadb" ? "mysql" : backend), (store) => ({
    layer: Stores.backend(store),
    sizes: Stores.isSql(store) ? ofSql(store) : ofRedis(store.place),
    fill: Effect.void
  }))
}
