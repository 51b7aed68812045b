/**
 * What a case of the conformance suite plays on: an empty backend, two instances, tasks, and a time that only the case moves.
 */
import * as assert from "node:assert/strict"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { YieldWrap } from "effect/Utils"
import {
  type AttemptEntry,
  type Change,
  type Claimed,
  type ClaimRequest,
  type ListQuery,
  type Outcome,
  type Stats,
  TaskBackend
} from "../../TaskBackend.js"
import type { InstanceFenced, TaskBackendError } from "../../TaskError.js"
import type { Enqueued, InstanceId, LogLine } from "../../TaskEvent.js"
import * as TaskId from "../../TaskId.js"
import type { Heartbeat, InstanceFacts, Peer } from "../../TaskPeer.js"
import * as TaskRecord from "../../TaskRecord.js"
import { insert, startedBy } from "./changes.js"

/** One promise of the port. `run` fails or dies when the provided backend does not keep it. */
export interface Case {
  readonly concern: string
  readonly name: string
  readonly run: Effect.Effect<void, unknown, TaskBackend | Scope.Scope>
}

/**
 * Where the time of every case begins: in September 2001. No clock agrees, so a backend that asks its own is found out.
 */
export const beginning = 1_000_000_000_000

export const applied: Outcome = { _tag: "Applied" }
export const lost: Outcome = { _tag: "Lost" }

type Answer<A> = Effect.Effect<A, TaskBackendError | InstanceFenced>

/** Name → how many to take started and how many more for the window. */
export type Wanted = Readonly<Record<string, readonly [slots: number, window: number, version?: number]>>

/**
 * An engine, as far as a backend sees one: an id, and one lane that counts its batches. It attaches when it first writes or
 * claims.
 */
export interface Instance {
  readonly id: InstanceId
  readonly facts: InstanceFacts
  /** Attaches now, also when it did before. */
  readonly attach: Answer<void>
  readonly detach: Answer<void>
  readonly heartbeat: Answer<Heartbeat>
  /** Writes one batch, now. */
  readonly write: (...changes: ReadonlyArray<Change>) => Answer<ReadonlyArray<Outcome>>
  /** Writes the batch before once more, as after a lost answer. */
  readonly writeAgain: Answer<ReadonlyArray<Outcome>>
  /** Writes one batch of which every change must be applied. */
  readonly commit: (...changes: ReadonlyArray<Change>) => Answer<void>
  /** Claims, now. Without bounds the sums of what is wanted bound it. */
  readonly claim: (
    wanted: Wanted,
    bounds?: {
      readonly slots?: number | undefined
      readonly window?: number | undefined
      readonly stealAfter?: number | undefined
      readonly groups?: ClaimRequest["groups"]
    }
  ) => Answer<Claimed>
  /** Inserts a task that this instance runs already; answers its record. */
  readonly run: (facts?: Facts) => Answer<TaskRecord.TaskRecord>
}

/** What a task is made of, where it differs from the plainest. */
export type Facts = Partial<Omit<Enqueued, "_tag" | "owner">>

/** A task, by its id. */
export interface Named {
  readonly taskId: TaskId.TaskId
}

/** All that can be read of some tasks. */
export interface Readable {
  readonly records: ReadonlyArray<TaskRecord.TaskRecord | null>
  readonly logs: ReadonlyArray<ReadonlyArray<LogLine>>
  readonly attempts: ReadonlyArray<ReadonlyArray<AttemptEntry>>
  readonly listed: ReadonlyArray<TaskRecord.TaskRecord>
  readonly stats: Stats
}

export interface Stage {
  readonly backend: TaskBackend["Type"]
  /** Epoch milliseconds. Moved by the case. */
  readonly time: { now: number }
  readonly a: Instance
  readonly b: Instance
  readonly instance: () => Instance
  readonly nextId: () => TaskId.TaskId
  /** A new task that was not written yet: pending, unclaimed. */
  readonly task: (facts?: Facts) => TaskRecord.TaskRecord
  /** The stored record. Fails the case when there is none. */
  readonly get: (task: Named) => Answer<TaskRecord.TaskRecord>
  /** Everything the query matches, page by page. */
  readonly listAll: (query?: ListQuery) => Answer<ReadonlyArray<TaskRecord.TaskRecord>>
  readonly read: (...tasks: ReadonlyArray<Named>) => Answer<Readable>
  /** The instance as the others see it; undefined when they do not. */
  readonly peer: (instance: Instance) => Answer<Peer | undefined>
  /** Declares the instance dead whatever its beat, and gives back all that it owned; answers what was changed. */
  readonly bury: (instance: Instance, limit?: number) => Answer<ReadonlyArray<TaskRecord.TaskRecord>>
}

/** A stage on the backend of the environment, which must be empty. */
export const make: Effect.Effect<Stage, never, TaskBackend> = Effect.gen(function*() {
  const backend = yield* TaskBackend
  // Instances of an earlier case may still be known to the backend.
  const ours = (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0")
  const time = { now: beginning }
  const ids = TaskId.deterministic()
  let instances = 0

  const task = (facts: Facts = {}): TaskRecord.TaskRecord =>
    TaskRecord.fromEnqueued({
      _tag: "Enqueued",
      taskId: ids.next(time.now),
      at: time.now,
      taskName: "send_email",
      kind: "task",
      payload: "{\"address\":\"a@example.com\"}",
      priority: 0,
      tags: {},
      idempotencyKey: null,
      keyTtl: null,
      source: "manual",
      schedule: null,
      executor: "fiber",
      requeueOnInterrupt: false,
      maxCrashes: 3,
      definitionVersion: 1,
      runAt: null,
      retryOf: null,
      trace: null,
      owner: null,
      ...facts
    })

  const instance = (): Instance => {
    instances += 1
    // safe: a UUID, the form that the brand stands for
    const id = `${ours}-0000-4000-8000-${String(instances).padStart(12, "0")}` as InstanceId
    const facts: InstanceFacts = { id, host: `host-${instances}`, process: null }
    let attached = false
    const attach = Effect.suspend(() =>
      Effect.map(backend.attach(facts, time.now), () => {
        attached = true
      })
    )
    const known = Effect.suspend(() => attached ? Effect.void : attach)
    let number = 0
    let last: ReadonlyArray<Change> = []
    let lastAt = time.now
    const send = Effect.zipRight(
      known,
      Effect.suspend(() => backend.write({ instance: id, lane: "journal", number, now: lastAt, changes: last }))
    )
    const write: Instance["write"] = (...changes) =>
      Effect.suspend(() => {
        number += 1
        last = changes
        lastAt = time.now
        return send
      })
    const commit: Instance["commit"] = (...changes) =>
      Effect.map(write(...changes), (outcomes) => {
        assert.deepEqual(outcomes, changes.map(() => applied), "every change of this batch is legal")
      })
    return {
      id,
      facts,
      attach,
      detach: Effect.suspend(() => backend.detach(id, time.now)),
      heartbeat: Effect.suspend(() => backend.heartbeat(id, time.now)),
      write,
      writeAgain: send,
      commit,
      claim: (wanted, bounds = {}) =>
        Effect.flatMap(known, () => {
          const tasks = Object.entries(wanted).map(([name, [slots, window, version = 1]]) => ({
            name,
            version,
            slots,
            window
          }))
          const { slots = sum(tasks.map((one) => one.slots)), window = sum(tasks.map((one) => one.window)) } = bounds
          return backend.claim({
            instance: id,
            tasks,
            slots,
            window,
            groups: bounds.groups,
            stealAfter: bounds.stealAfter ?? null,
            now: time.now
          })
        }),
      run: (facts) => {
        const record = startedBy(task(facts), id, time.now)
        return Effect.as(commit(insert(record)), record)
      }
    }
  }

  const get: Stage["get"] = ({ taskId }) =>
    Effect.map(backend.get(taskId), Option.getOrThrowWith(() => new assert.AssertionError({ message: `no ${taskId}` })))

  const listAll: Stage["listAll"] = (query = {}) =>
    Effect.gen(function*() {
      const found: Array<TaskRecord.TaskRecord> = []
      let cursor = query.cursor
      while (true) {
        const page = yield* backend.list({ ...query, cursor })
        found.push(...page.items)
        if (page.nextCursor === null) return found
        assert.notEqual(page.nextCursor, cursor, "a page leads further than the one before")
        cursor = page.nextCursor
      }
    })

  const read: Stage["read"] = (...tasks) =>
    Effect.all({
      records: Effect.forEach(tasks, ({ taskId }) => Effect.map(backend.get(taskId), Option.getOrNull)),
      logs: Effect.forEach(tasks, ({ taskId }) => backend.logs(taskId, { after: 0, limit: 1_000 })),
      attempts: Effect.forEach(tasks, ({ taskId }) => backend.attempts(taskId)),
      listed: listAll(),
      stats: backend.stats({})
    })

  const observer = instance()

  const peer: Stage["peer"] = ({ id }) =>
    Effect.map(
      Effect.zipRight(observer.attach, observer.heartbeat),
      ({ peers }) => peers.find((one) => one.id === id)
    )

  const bury: Stage["bury"] = (dead, limit = 100) =>
    Effect.gen(function*() {
      const { beat = 0 } = (yield* peer(dead)) ?? {}
      const changed: Array<TaskRecord.TaskRecord> = []
      while (true) {
        const { left, records } = yield* backend.reap({ suspect: dead.id, beat, now: time.now, limit })
        assert.ok(records.length <= limit, "no more than the limit at once")
        changed.push(...records)
        if (!left) return changed
      }
    })

  return {
    backend,
    time,
    peer,
    bury,
    a: instance(),
    b: instance(),
    instance,
    nextId: () => ids.next(time.now),
    task,
    get,
    listAll,
    read
  }
})

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

type Steps = Generator<YieldWrap<Effect.Effect<unknown, unknown, TaskBackend | Scope.Scope>>, void, never>

/** Names the cases of one concern. */
export const about = (concern: string) => (name: string, steps: (stage: Stage) => Steps): Case => ({
  concern,
  name,
  run: Effect.flatMap(make, (stage) => Effect.gen(() => steps(stage)))
})

/** Fails the case unless the instance is refused. */
export const isFenced = <A>(instance: Instance, refused: Answer<A>): Effect.Effect<void> =>
  Effect.map(Effect.exit(refused), (exit) => {
    const error = Option.getOrNull(Exit.causeOption(exit).pipe(Option.flatMap(Cause.failureOption)))
    assert.deepEqual([error?._tag, error?._tag === "InstanceFenced" && error.instance], ["InstanceFenced", instance.id])
  })

/** Their ids, in order. */
export const idsOf = (records: ReadonlyArray<TaskRecord.TaskRecord>): ReadonlyArray<TaskId.TaskId> =>
  records.map(({ taskId }) => taskId)
