/**
 * A backend beside another: what is not persisted is kept in memory, everything else goes where it went. The engine sees one.
 *
 * What concerns kept tasks and what concerns these is never in one batch: a journal of its own writes to memory
 * (`TaskVolatile.memory`), so neither an outage nor a refusal of the other backend has anything to do with it.
 */
import * as Effect from "effect/Effect"
import * as Counting from "../internal/counting.js"
import * as Rollups from "../internal/rollups.js"
import * as Signal from "../internal/signal.js"
import type { Claimed, ClaimRequest, ListPage, ListQuery, Stats, TaskBackend } from "../TaskBackend.js"
import type { InstanceId } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as TaskStatus from "../TaskStatus.js"
import type { TaskVolatile } from "../TaskVolatile.js"
import * as MemoryBackend from "./MemoryBackend.js"
import { make as makeTables } from "./memoryTables.js"

type Port = TaskBackend["Type"]

// Finished ones that can still be looked at, and unfinished ones that fit.
const maxRecords = 1_000
const maxLive = 10_000
const reapChunk = 1_000

/** The part of a claim that the other backend is asked for: half, when something waits in memory too. */
const shareOf = (request: ClaimRequest, share: (all: number) => number): ClaimRequest => ({
  ...request,
  slots: share(request.slots),
  window: share(request.window),
  tasks: request.tasks.map((task) => ({ ...task, slots: share(task.slots), window: share(task.window) })),
  groups: request.groups?.map((group) => ({ ...group, slots: share(group.slots) }))
})

const countOf = (records: ReadonlyArray<TaskRecord>, name: string): number =>
  records.reduce((count, { taskName }) => taskName === name ? count + 1 : count, 0)

/** What of the request is left behind what was claimed. */
const restOf = (request: ClaimRequest, { pending, started }: Claimed): ClaimRequest => ({
  ...request,
  stealAfter: null,
  slots: Math.max(0, request.slots - started.length),
  window: Math.max(0, request.window - pending.length),
  tasks: request.tasks.map((task) => ({
    ...task,
    slots: Math.max(0, task.slots - countOf(started, task.name)),
    window: Math.max(0, task.window - countOf(pending, task.name))
  })),
  groups: request.groups?.map(({ names, slots }) => ({
    names,
    slots: Math.max(0, names.reduce((left, name) => left - countOf(started, name), slots))
  }))
})

const sooner = (a: number | null, b: number | null): number | null => a === null ? b : b === null ? a : Math.min(a, b)

const together = (a: Claimed, b: Claimed): Claimed => {
  const byPriority = (one: TaskRecord, other: TaskRecord) => other.priority - one.priority
  return {
    started: [...a.started, ...b.started].sort(byPriority),
    pending: [...a.pending, ...b.pending].sort(byPriority),
    more: [...new Set([...a.more, ...b.more])],
    nextDueAt: sooner(a.nextDueAt, b.nextDueAt),
    joined: a.joined
  }
}

const merged = (query: ListQuery, a: ListPage, b: ListPage): ListPage => {
  if (b.items.length === 0) return a
  const limit = Math.min(200, Math.max(1, Math.floor(query.limit ?? 50)))
  const before = query.order === "oldest" ? 1 : -1
  const all = [...a.items, ...b.items].sort((one, other) => one.taskId < other.taskId ? -before : before)
  const items = all.slice(0, limit)
  const more = all.length > limit || a.nextCursor !== null || b.nextCursor !== null
  return { items, nextCursor: more ? items.at(-1)?.taskId ?? null : null }
}

const least = (a: number | null, b: number | null) => a === null || b === null ? a ?? b : Math.min(a, b)
const most = (a: number | null, b: number | null) => a === null || b === null ? a ?? b : Math.max(a, b)

const added = (a: Stats, b: Stats): Stats => {
  const counts = { ...a.counts }
  for (const status of TaskStatus.all) counts[status] += b.counts[status]
  const [one, other] = [a.durations, b.durations]
  const count = one.count + other.count
  // Estimates of estimates: weighted by what they were made from.
  const between = (x: number | null, y: number | null) =>
    x === null || y === null ? x ?? y : (x * one.count + y * other.count) / count
  return {
    counts,
    durations: {
      count,
      sum: one.sum + other.sum,
      min: least(one.min, other.min),
      max: most(one.max, other.max),
      p50: between(one.p50, other.p50),
      p95: between(one.p95, other.p95),
      p99: between(one.p99, other.p99)
    }
  }
}

/** Puts a memory beside `other`. */
export const beside = (
  other: Port
): Effect.Effect<{ readonly backend: Port; readonly volatile: TaskVolatile["Type"] }> =>
  Effect.gen(function*() {
    const tables = makeTables(maxRecords)
    const memory = MemoryBackend.on(tables, maxLive)
    const changed = yield* Signal.make
    const marked = new Set<TaskId>()
    const attached = new Set<InstanceId>()
    let odd = false

    const isKept = (taskId: TaskId) => tables.live.has(taskId) || tables.done.has(taskId)
    const has = (taskId: TaskId) => marked.has(taskId) || isKept(taskId)
    const isEmpty = () => marked.size + tables.live.size + tables.done.size === 0
    const of = (taskId: TaskId): Port => has(taskId) ? memory : other
    // Memory answers at once and never fails, but for an instance it does not know.
    const settled = <A, E>(self: Effect.Effect<A, E>) => Effect.tap(self, () => Effect.sync(changed.notify))

    const readyOf = (request: ClaimRequest): boolean => {
      if (tables.live.size === 0) return false
      tables.promote(request.now)
      return request.tasks.some(({ name }) => (tables.ready.get(name) ?? []).some(({ fifo }) => fifo.size() > 0))
    }

    const claim: Port["claim"] = (request) =>
      Effect.suspend(() => {
        if (tables.live.size === 0) return other.claim(request)
        const ready = readyOf(request)
        odd = !odd
        // With one slot they take turns.
        const asked = ready ? shareOf(request, (all) => odd ? Math.ceil(all / 2) : Math.floor(all / 2)) : request
        const nothing: Claimed = {
          started: [],
          pending: [],
          more: request.tasks.map(({ name }) => name),
          nextDueAt: null,
          joined: []
        }
        const first = asked.slots + asked.window === 0 ? Effect.succeed(nothing) : other.claim(asked)
        return Effect.flatMap(
          first,
          (claimed) => Effect.map(memory.claim(restOf(request, claimed)), (kept) => together(claimed, kept))
        )
      })

    const backend: Port = {
      ...other,
      attach: (facts, now) =>
        Effect.tap(other.attach(facts, now), () =>
          Effect.gen(function*() {
            // It goes on under another identity: what it ran under the one before was lost to it. Nobody else is here to take
            // it over.
            for (const id of attached) {
              yield* memory.detach(id, now)
              while ((yield* memory.reap({ suspect: id, beat: 0, now, limit: reapChunk })).left);
            }
            changed.notify()
            attached.clear()
            attached.add(facts.id)
            yield* memory.attach(facts, now)
          })),
      detach: (id, now) => Effect.zipRight(memory.detach(id, now), other.detach(id, now)),
      heartbeat: (id, now, vitals) =>
        Effect.zipWith(
          other.heartbeat(id, now, vitals),
          memory.heartbeat(id, now, vitals),
          (answer, { cancels }) =>
            cancels.length === 0 ? answer : { ...answer, cancels: [...answer.cancels, ...cancels] }
        ),
      claim,
      owned: (id) =>
        Effect.zipWith(other.owned(id), memory.owned(id), (a, b) => ({ ...a, records: [...a.records, ...b.records] })),
      cancel: (taskId, now) => has(taskId) ? settled(memory.cancel(taskId, now)) : other.cancel(taskId, now),
      get: (taskId) => of(taskId).get(taskId),
      list: (query) =>
        isEmpty()
          ? other.list(query)
          : Effect.zipWith(other.list(query), memory.list(query), (a, b) => merged(query, a, b)),
      logs: (taskId, options) => of(taskId).logs(taskId, options),
      attempts: (taskId) => of(taskId).attempts(taskId),
      stats: (query) => isEmpty() ? other.stats(query) : Effect.zipWith(other.stats(query), memory.stats(query), added),
      count: (query, most) =>
        isEmpty() ? other.count(query, most) : Effect.zipWith(
          other.count(query, most),
          memory.count(query, most),
          (a, b) => Counting.countedTogether(a, b, Counting.countedTo(most))
        ),
      unfinished: Effect.suspend(() =>
        tables.live.size === 0
          ? other.unfinished
          : Effect.zipWith(other.unfinished, memory.unfinished, Counting.unfinishedTogether)
      ),
      // Sums stay when the records are gone.
      rollups: (query) => Effect.zipWith(other.rollups(query), memory.rollups(query), Rollups.together),
      deleteBefore: (cutoff, limit, status) =>
        Effect.zipRight(memory.deleteBefore(cutoff, limit, status), other.deleteBefore(cutoff, limit, status)),
      countBefore: (cutoff, most) =>
        Effect.zipWith(memory.countBefore(cutoff, most), other.countBefore(cutoff, most), (a, b) =>
          Math.min(most, a + b)),
      maintain: (now) =>
        Effect.zipRight(memory.maintain(now), other.maintain(now))
    }
    const fleeting: Port = {
      ...memory,
      write: (batch) => settled(memory.write(batch))
    }
    const unfinished = () => tables.live.size + marked.size
    return {
      backend,
      volatile: {
        memory: fleeting,
        mark: (taskId) => marked.add(taskId),
        settled: (taskId) => {
          if (marked.delete(taskId)) changed.notify()
        },
        has,
        unfinished,
        maxLive,
        room: changed.until(() => unfinished() < maxLive)
      }
    }
  })
