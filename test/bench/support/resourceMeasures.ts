/**
 * What `bench:resources` measures, in a process of its own.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { Effect } from "effect"
import { mysql, postgres, redis } from "../../support/databases.js"
import * as Rss from "./rss.js"
import * as Stores from "./stores.js"
import * as Workload from "./workload.js"

interface Held {
  readonly before: number
  readonly least: number
  readonly most: number
}

export interface BurstAnswer {
  readonly perSecond: number
  readonly samples: number
  readonly files: Held
  readonly connections: Held
  /** MiB; `most` is the kernel's count of what was ever held. */
  readonly memory: { readonly before: number; readonly most: number }
}

export interface HistoryAnswer {
  /** Milliseconds. */
  readonly start: number
  readonly perSecond: number
  /** Microseconds a task, of this process: on SQLite with the database. */
  readonly cpu: number
}

const warmUp = 2_000

const openFiles = (): ReadonlyArray<string> => readdirSync("/proc/self/fd")

// Sockets of this process whose other end is the server's port: one for each connection.
const connectionsTo = (port: number): number => {
  const mine = new Set(
    openFiles().flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]]
      } catch {
        return [] // closed meanwhile
      }
    })
  )
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  return ["tcp", "tcp6"].flatMap((name) => readFileSync(`/proc/self/net/${name}`, "utf8").split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, , , , , , , inode]) => remote?.endsWith(suffix) === true && mine.has(inode))
    .length
}

const portOf = { sqlite: null, postgres: postgres.port, mysql: mysql.port, redis: redis.port }

const sampler = (kind: Stores.Kind) => {
  const port = portOf[kind]
  const look = () => ({ files: openFiles().length, connections: port === null ? 0 : connectionsTo(port) })
  const before = look()
  const seen = [before]
  const timer = setInterval(() => seen.push(look()), 100)
  return () => {
    clearInterval(timer)
    seen.push(look())
    const held = (of: keyof typeof before): Held => {
      const values = seen.map((one) => one[of])
      return { before: before[of], least: Math.min(...values), most: Math.max(...values) }
    }
    return { samples: seen.length, files: held("files"), connections: held("connections") }
  }
}

/** `n` tasks as fast as they are accepted, by four producers, on fresh tables. */
export const burst = (kind: Stores.Kind, n: number): Promise<BurstAnswer> =>
  Effect.gen(function*() {
    const store = yield* Stores.fresh(kind)
    const engine = Workload.engineAlone(Stores.backend(store))
    const measured = Effect.gen(function*() {
      yield* Workload.endToEnd("noop", "many", warmUp)
      const { rss } = Rss.now()
      const sampled = sampler(kind)
      const { ended } = yield* Workload.endToEnd("noop", "many", n)
      return {
        perSecond: Math.round(n / ended.wall * 1_000),
        ...sampled(),
        memory: { before: rss, most: Rss.now().peak }
      }
    })
    return yield* Effect.promise(() =>
      engine.runPromise(Effect.orDie(Workload.withHandlers(measured))).finally(() => engine.dispose())
    )
  }).pipe(Effect.scoped, Effect.runPromise)

/** Makes the tables and one finished task in them. */
export const seed = async (store: Stores.Store): Promise<void> => {
  const engine = Workload.engineAlone(Stores.backend(store))
  await engine.runPromise(Effect.orDie(Workload.withHandlers(Workload.endToEnd("noop", "many", 1))))
  await engine.dispose()
}

/** Milliseconds until an engine has started on tables that are there, and what it then ends in a second. */
export const historyOf = (kind: Stores.Kind, given: Stores.Store | null, n: number) =>
  Effect.gen(function*() {
    const store = given ?? (yield* Stores.fresh(kind))
    // The first start loads code and, on empty tables, makes them.
    yield* Effect.promise(() => seed(store))
    const from = performance.now()
    const engine = Workload.engineAlone(Stores.backend(store))
    yield* Effect.promise(() => engine.runtime())
    const start = performance.now() - from
    const measured = Effect.zipRight(
      Workload.endToEnd("noop", "chunks", warmUp),
      Workload.endToEnd("noop", "chunks", n)
    )
    const { ended } = yield* Effect.promise(() =>
      engine.runPromise(Effect.orDie(Workload.withHandlers(measured))).finally(() => engine.dispose())
    )
    return { start, perSecond: n / ended.wall * 1_000, cpu: ended.cpu * 1_000 / n } satisfies HistoryAnswer
  }).pipe(Effect.scoped, Effect.runPromise)
