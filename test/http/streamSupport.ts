/**
 * What the tests of the live stream share: records that a test changes, a hub over them, and clients that fold what they hear.
 */
import { Clock, Effect, ExecutionStrategy, Exit, Fiber, PubSub, Scope, Stream } from "effect"
import type { Batch, Frame, Row } from "../../src/http/stream/frame.js"
import * as Messages from "../../src/http/stream/messages.js"
import * as Reduce from "../../src/http/stream/reduce.js"
import type * as StreamHub from "../../src/http/stream/StreamHub.js"
import * as Topics from "../../src/http/stream/topics.js"
import * as TaskRedaction from "../../src/http/TaskRedaction.js"
import * as TaskView from "../../src/http/TaskView.js"
import type { TaskChange } from "../../src/TaskChange.js"
import { Enqueued } from "../../src/TaskEvent.js"
import type { TaskChanges } from "../../src/TaskFeed.js"
import * as TaskId from "../../src/TaskId.js"
import * as TaskRecord from "../../src/TaskRecord.js"

export const redaction = TaskRedaction.make()

// One for each moment: a generator never goes back, and tests begin at the same time.
const generators = new Map<number, TaskId.Generator>()
const idAt = (now: number): TaskId.TaskId => {
  const generator = generators.get(now) ?? TaskId.deterministic()
  generators.set(now, generator)
  return generator.next(now)
}

/** A task that was just accepted. */
export const accepted = (now: number, taskName = "job"): TaskRecord.TaskRecord =>
  TaskRecord.fromEnqueued(Enqueued.make({
    taskId: idAt(now),
    at: now,
    taskName,
    kind: "task",
    payload: "{}",
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
    owner: null
  }))

export const changeOf = (record: TaskRecord.TaskRecord, at: number): TaskChange => ({
  _tag: "Changed",
  taskId: record.taskId,
  at,
  by: TaskRecord.InstanceId.make("one"),
  taskName: record.taskName,
  status: record.status,
  owner: record.owner,
  claim: record.claim,
  attempts: record.attempts,
  cancelRequested: record.cancelRequested,
  dueAt: TaskRecord.dueAt(record),
  retryOf: record.retryOf
})

export type Shown = Row & ReturnType<typeof TaskView.summary>

/** A batch that runs. */
export const batchOf = (id: string, v: number, more: Partial<Batch> = {}): Batch => ({
  id,
  v,
  action: "retry",
  who: "ada",
  q: null,
  state: "running",
  stopRequested: false,
  perSecond: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  startsAt: "2026-01-01T00:00:00.000Z",
  endedAt: null,
  done: v,
  skipped: 0,
  reasons: [],
  total: 100,
  totalIsFloor: false,
  error: null,
  instance: "one",
  ...more
})

/** As a list shows it. */
export const rowOf = (record: TaskRecord.TaskRecord): Shown => TaskView.summary(record, redaction)

/** Records in place of a backend, with the reads counted. */
export const world = Effect.gen(function*() {
  const records = new Map<string, TaskRecord.TaskRecord>()
  const logs = new Map<string, Array<string>>()
  const feed = yield* PubSub.unbounded<TaskChanges>()
  const batches = new Map<string, Batch>()
  let onBatch = () => {}
  const reads = {
    batches: 0,
    records: 0,
    ids: 0,
    counts: 0,
    attention: 0,
    bucket: 0,
    logs: 0,
    summaries: 0,
    feeds: 0
  }
  const state = { down: false, attention: 0, bucket: null as unknown }

  const page = (changes: ReadonlyArray<TaskChange>, reset = false) =>
    PubSub.publish(feed, { changes, cursor: "", reset })
  const asked = <A>(read: () => A) =>
    Effect.suspend(() => state.down ? Effect.fail(new Error("the backend is down")) : Effect.sync(read))

  const put = (...changed: ReadonlyArray<TaskRecord.TaskRecord>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      for (const record of changed) records.set(record.taskId, record)
      return page(changed.map((record) => changeOf(record, now)))
    })
  const create = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const record = accepted(now)
    return Effect.as(put(record), record)
  })

  const sources: StreamHub.StreamHubOptions = {
    changes: Stream.unwrapScoped(Effect.map(PubSub.subscribe(feed), (queue) => {
      reads.feeds += 1
      return Stream.concat(Stream.make({ changes: [], cursor: "", reset: false }), Stream.fromQueue(queue))
    })),
    records: (ids) =>
      asked(() => {
        reads.records += 1
        reads.ids += ids.length
        return ids.flatMap((id) => records.get(id) ?? [])
      }),
    summary: (record) => {
      reads.summaries += 1
      return TaskView.summary(record, redaction)
    },
    counts: asked(() => {
      reads.counts += 1
      const counts = { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }
      for (const { status } of records.values()) counts[status] += 1
      return counts
    }),
    attention: asked(() => {
      reads.attention += 1
      return state.attention
    }),
    bucket: asked(() => {
      reads.bucket += 1
      // safe: tests put JSON here
      return state.bucket as null
    }),
    logLines: (taskId, after) =>
      asked(() => {
        reads.logs += 1
        return (logs.get(taskId) ?? []).slice(after)
      }),
    batches: asked(() => {
      reads.batches += 1
      return Array.from(batches.values())
    }),
    onBatch: (listener) => {
      onBatch = listener
    },
    build: "test",
    capabilities: (user) => ({ name: user.name })
  }

  const log = (record: TaskRecord.TaskRecord, ...lines: ReadonlyArray<string>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const all = [...logs.get(record.taskId) ?? [], ...lines]
      logs.set(record.taskId, all)
      records.set(record.taskId, { ...records.get(record.taskId)!, logLines: all.length })
      const by = TaskRecord.InstanceId.make("one")
      return page([{ _tag: "Logged", taskId: record.taskId, at: now, by, lines: all.length }])
    })

  /** A batch changes, or is new. */
  const putBatch = (batch: Batch) => {
    batches.set(batch.id, batch)
    onBatch()
  }

  return { batches, putBatch, create, feed, log, logs, page, put, reads, records, sources, state }
})

/** The record after its attempt began, or after it ended. */
export const started = (record: TaskRecord.TaskRecord): TaskRecord.TaskRecord => ({
  ...record,
  status: "running",
  owner: TaskRecord.InstanceId.make("one"),
  claim: record.claim + 1,
  attempts: record.attempts + 1,
  nextAttemptAt: null
})
export const ended = (
  record: TaskRecord.TaskRecord,
  status: "success" | "failed" | "cancelled" = "success"
): TaskRecord.TaskRecord => ({ ...record, status, owner: null })

export const visitor: StreamHub.Visitor = {
  user: { name: "ada", access: "viewer" },
  mayReadLogs: true,
  stillAllowed: Effect.succeed(true)
}

export interface Told {
  readonly id: string | null
  readonly frame: Frame<Shown>
}

/** Everything that one connection said so far, comments included. */
export interface Client {
  readonly text: () => string
  readonly told: () => ReadonlyArray<Told>
  /** The frames of one kind. */
  readonly of: <T extends Frame["t"]>(t: T) => ReadonlyArray<Extract<Frame<Shown>, { readonly t: T }>>
  readonly hasEnded: Effect.Effect<boolean>
  readonly awaitEnd: Effect.Effect<void>
  readonly leave: Effect.Effect<void>
}

/** Connects, and reads as fast as it can. */
export const connect = (
  hub: StreamHub.StreamHub,
  options: {
    readonly topics?: string
    readonly since?: string
    readonly visitor?: StreamHub.Visitor
    readonly onTold?: (told: Told) => void
    /** Awaited before each piece of bytes: a client that reads slowly. */
    readonly pause?: Effect.Effect<void>
  } = {}
) =>
  Effect.gen(function*() {
    const topics = Topics.parse(options.topics)
    if (typeof topics === "string") throw new Error(topics)
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const bytes = yield* Scope.extend(hub.connect(options.visitor ?? visitor, { topics, since: options.since }), scope)
    const decoder = new TextDecoder()
    const read = Messages.reader()
    const told: Array<Told> = []
    let text = ""
    const fiber = yield* Stream.runForEach(Stream.rechunk(bytes, 1), (piece) =>
      Effect.zipRight(
        options.pause ?? Effect.void,
        Effect.sync(() => {
          const more = decoder.decode(piece, { stream: true })
          text += more
          for (const { data, id } of read(more)) {
            const one = { id, frame: JSON.parse(data) }
            told.push(one)
            options.onTold?.(one)
          }
        })
      )).pipe(Effect.ensuring(Scope.close(scope, Exit.void)), Effect.forkIn(yield* Effect.scope))
    const client: Client = {
      text: () => text,
      told: () => told,
      // safe: the tag says which frame it is
      of: ((t: Frame["t"]) => told.map(({ frame }) => frame).filter((frame) => frame.t === t)) as Client["of"],
      hasEnded: Effect.map(Fiber.poll(fiber), (exit) => exit._tag === "Some"),
      awaitEnd: Effect.asVoid(Fiber.await(fiber)),
      leave: Effect.asVoid(Fiber.interrupt(fiber))
    }
    return client
  })

export const folded = (told: ReadonlyArray<Told>, from = Reduce.empty<Shown>()): Reduce.Live<Shown> =>
  told.reduce((live, { frame, id }) => Reduce.frame(live, frame, id), from)
