/** How many tasks a filter shows, and with what it may go on. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Hash from "effect/Hash"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskManager } from "../TaskManager.js"
import type { Counted } from "../TaskQuery.js"
import * as TaskRecord from "../TaskRecord.js"
import { all as everyStatus, type TaskStatus } from "../TaskStatus.js"
import type { Facets } from "./ChartShapes.js"
import type { Plan } from "./filter/plan.js"
import type { SuggestFacts } from "./filter/suggest.js"
import * as Listing from "./listing.js"
import type { Parts } from "./parts.js"
import * as RenewedCache from "./renewedCache.js"
import type * as Params from "./TaskParams.js"
import type { TaskFilterError } from "./TaskProblem.js"
import * as TaskRedaction from "./TaskRedaction.js"
import * as TaskSearch from "./TaskSearch.js"

/** More than this is not counted, of each status. */
export const most = 10_000

interface Counts extends Counted {
  readonly complete: boolean
}

const none = (): { [Status in TaskStatus]: number } => ({
  pending: 0,
  running: 0,
  success: 0,
  failed: 0,
  interrupted: 0,
  cancelled: 0
})

// What indexes answer is counted in them; the ids of a filter, and whatever else it says, are looked for in rows.
const countOf = (manager: TaskManager["Type"], plan: Plan): Effect.Effect<Counts, TaskBackendError> =>
  Effect.gen(function*() {
    const counts = none()
    if (plan.rest === null && plan.ids === null) {
      const found = yield* Effect.forEach(plan.queries, (query) => manager.count(query, most + 1), { concurrency: 4 })
      for (const one of found) for (const status of everyStatus) counts[status] += one.counts[status]
      const capped = everyStatus.filter((status) =>
        counts[status] > most || found.some((one) => one.capped.includes(status))
      )
      const told = found.flatMap(({ retrying }) => retrying ?? [])
      const retrying = told.length < found.length ? undefined : told.reduce((sum, one) => sum + one, 0)
      return { counts, capped, complete: true, retrying }
    }
    let retrying = 0
    const { end } = yield* TaskSearch.each(manager, plan, (record) => {
      counts[record.status] += 1
      if (TaskRecord.isWaiting(record)) retrying += 1
      return true
    })
    return { counts, capped: end ? [] : everyStatus, complete: end, retrying }
  })

// Where a backend does not count them: so many rows are looked at.
const maxLooked = 2_000

/** Those among the running that wait for their next attempt, and whether all were looked at. */
const lookForRetrying = (manager: TaskManager["Type"], plan: Plan) => {
  let retrying = 0
  const queries = plan.queries.flatMap((query) =>
    query.status?.includes("running") ?? true ? [{ ...query, status: ["running" as const] }] : []
  )
  return Effect.map(
    TaskSearch.each(manager, { ...plan, queries }, (record) => {
      if (TaskRecord.isWaiting(record)) retrying += 1
      return true
    }, { scan: maxLooked }),
    ({ end }): Retrying => ({ retrying, all: end })
  )
}

/** A plan of a text changes with the time; what is counted within the second is the same. */
class Question implements Equal.Equal {
  constructor(readonly plan: Plan) {}
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Question && that.plan.applied === this.plan.applied
  }
  [Hash.symbol](): number {
    return Hash.string(this.plan.applied)
  }
}

/** How many of those that run wait for their next attempt. */
interface Retrying {
  readonly retrying: number
  readonly all: boolean
}

/** Counts by filter, kept for a moment. */
export interface CountCache {
  readonly of: (plan: Plan) => Effect.Effect<Counts, TaskBackendError>
  /** Some backends have to look for them. */
  readonly retrying: (plan: Plan) => Effect.Effect<Retrying, TaskBackendError>
}

const keptFor = (seconds: number) =>
  Exit.match({ onFailure: () => Duration.zero, onSuccess: () => Duration.seconds(seconds) })

export const make = (manager: TaskManager["Type"]): Effect.Effect<CountCache> =>
  Effect.gen(function*() {
    const counted = yield* RenewedCache.make({
      capacity: 100,
      lookup: ({ plan }: Question) => countOf(manager, plan),
      timeToLive: keptFor(1)
    })
    const looked = yield* RenewedCache.make({
      capacity: 100,
      lookup: ({ plan }: Question) => lookForRetrying(manager, plan),
      timeToLive: keptFor(2)
    })
    return {
      of: (plan) => counted.get(new Question(plan)),
      retrying: (plan) =>
        Effect.flatMap(counted.get(new Question(plan)), ({ capped, counts, retrying }) =>
          retrying === undefined && counts.running > 0
            ? looked.get(new Question(plan))
            : Effect.succeed({ retrying: retrying ?? 0, all: !capped.includes("running") }))
    }
  })

/** The total of counts, and whether there may be more. */
export const total = ({ capped, counts }: Counted): { readonly total: number; readonly totalIsFloor: boolean } => {
  const sum = everyStatus.reduce((all, status) => all + counts[status], 0)
  return { total: Math.min(sum, most), totalIsFloor: sum > most || capped.length > 0 }
}

export const facets = (
  parts: Parts,
  filter: Params.Filter
): Effect.Effect<typeof Facets.Type, TaskBackendError | TaskFilterError> =>
  Effect.gen(function*() {
    const plan = yield* Listing.planOf(parts, filter)
    const { capped, complete, counts } = yield* parts.counted.of(plan)
    const { all, retrying } = yield* parts.counted.retrying(plan)
    const shown = Object.fromEntries(everyStatus.map((status) => [status, Math.min(counts[status], most)]))
    return {
      // safe: every status is there
      ...shown as typeof counts,
      retrying: Math.min(retrying, most),
      atLeast: all ? capped : [...capped, "retrying"],
      complete,
      applied: { q: plan.applied }
    }
  })

const maxTagValues = 20
const maxTagNames = 50

/** What a filter may go on with: names of the fleet, and the tags of the newest tasks. */
export const facts = ({ manager, redaction }: Parts): Effect.Effect<SuggestFacts, TaskBackendError> =>
  Effect.gen(function*() {
    const [registered, instances, schedules, newest] = yield* Effect.all([
      manager.registered,
      manager.instances,
      manager.schedules.list({ limit: 200 }),
      manager.list({ limit: 200 })
    ], { concurrency: 4 })
    const names = new Set([
      ...registered.map(({ taskName }) => taskName),
      ...instances.flatMap(({ vitals }) => vitals?.tasks ?? [])
    ])
    const tags = new Map<string, Set<string>>()
    for (const record of newest.items) {
      for (const [name, value] of Object.entries(record.tags)) {
        if (TaskRedaction.isSecretKey(name) || (!tags.has(name) && tags.size >= maxTagNames)) continue
        const values = tags.get(name) ?? new Set()
        if (values.size < maxTagValues) {
          values.add(redaction.text(value, { taskName: record.taskName, part: "tags" }))
        }
        tags.set(name, values)
      }
    }
    return {
      tasks: [...names].sort(),
      instances: instances.map(({ id }) => id),
      schedules: schedules.items.map(({ name }) => name),
      tags: Object.fromEntries([...tags].map(([name, values]) => [name, [...values]]))
    }
  })
