/** What a run was and how it went, in figures. Pure. */
import type { Finding } from "../invariants/Finding.js"
import { groupBy, of } from "../invariants/Finding.js"
import type { Life } from "./fleet.js"
import type { State } from "./state.js"
import type { Seen } from "./witness.js"

/** A fault as it was inflicted: epoch milliseconds of this machine. */
export interface Inflicted {
  readonly fault: string
  readonly slot: number
  readonly from: number
  readonly until: number
}

/** Milliseconds. */
interface Spread {
  readonly median: number
  readonly max: number
}

const spreadOf = (all: ReadonlyArray<number>): Spread | null => {
  if (all.length === 0) return null
  const sorted = [...all].sort((a, b) => a - b)
  return { median: Math.round(sorted[Math.floor(sorted.length / 2)]!), max: Math.round(sorted.at(-1)!) }
}

const countBy = <A>(all: Iterable<A>, key: (one: A) => string): Record<string, number> =>
  Object.fromEntries(
    [...groupBy(all, key)].map(([name, some]) => [name, some.length] as const).sort(([a], [b]) => a < b ? -1 : 1)
  )

/** From the end of each fault to the next end of a task that the feed told of in another process. */
const recoveries = (inflicted: ReadonlyArray<Inflicted>, seen: ReadonlyArray<Seen>): Record<string, Spread | null> => {
  const told = of(seen, "told").map(({ at }) => at)
  const waits = inflicted.map(({ fault, until }) => {
    const next = told.find((at) => at > until)
    return { fault, wait: next === undefined ? null : next - until }
  })
  return Object.fromEntries(
    [...groupBy(waits, ({ fault }) => fault)].map(([fault, all]) => [
      fault,
      spreadOf(all.flatMap(({ wait }) => wait ?? []))
    ])
  )
}

/** From the death of each process to when the last task that ran there had begun elsewhere. */
const takeovers = (lives: ReadonlyArray<Life>, seen: ReadonlyArray<Seen>): Spread | null => {
  const startsOf = groupBy(of(seen, "started"), ({ taskId }) => taskId)
  const waits = new Map<string, number>()
  const killed = new Map(lives.flatMap(({ asked, askedAt, name }) => asked === "SIGKILL" ? [[name, askedAt!]] : []))
  for (const starts of startsOf.values()) {
    for (const { at, fence, life } of starts) {
      const died = killed.get(life)
      if (died === undefined || at > died) continue
      const next = Math.min(...starts.filter((one) => one.fence > fence && one.at > died).map((one) => one.at))
      if (next !== Number.POSITIVE_INFINITY) waits.set(life, Math.max(waits.get(life) ?? 0, next - died))
    }
  }
  return spreadOf([...waits.values()])
}

export const make = (options: {
  readonly state: State
  readonly seen: ReadonlyArray<Seen>
  readonly lives: ReadonlyArray<Life>
  readonly inflicted: ReadonlyArray<Inflicted>
  readonly findings: ReadonlyArray<Finding>
}) => {
  const { findings, inflicted, lives, seen, state } = options
  const enqueued = of(seen, "enqueued")
  const acknowledged = new Set(enqueued.filter(({ fresh }) => fresh).map(({ taskId }) => taskId))
  const calls = [...state.records.values()].filter(({ source }) => source !== "scheduled")
  return {
    tasks: state.records.size,
    acknowledged: acknowledged.size,
    deduplicated: enqueued.length - acknowledged.size,
    refused: of(seen, "refused").length,
    /** There without an answer to who enqueued them. */
    unacknowledged: calls.filter(({ taskId }) => !acknowledged.has(taskId)).length,
    started: of(seen, "started").length,
    finished: of(seen, "finished").length,
    cancels: countBy(of(seen, "cancel"), ({ answer }) => answer),
    byStatus: countBy(state.records.values(), ({ status }) => status),
    crashes: [...state.records.values()].filter(({ crashes }) => crashes > 0).length,
    resets: of(seen, "reset").length,
    faults: countBy(inflicted, ({ fault }) => fault),
    recoveryMs: recoveries(inflicted, seen),
    takeoverMs: takeovers(lives, seen),
    processes: lives.length,
    mostMemoryMiB: Math.round(Math.max(0, ...of(seen, "memory").map(({ rss }) => rss / 1_048_576))),
    violations: findings.slice(0, 50),
    violationCount: findings.length
  }
}
