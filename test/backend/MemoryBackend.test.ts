import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { type Change, MemoryBackend, TaskBackend, TaskEvent, TaskId, TaskRecord } from "effect-taskflow"
import { BackendSuite } from "effect-taskflow/testing"

describe("MemoryBackend keeps the promises of the port", () => {
  it("of which there are many", () => {
    expect(BackendSuite.cases.length).toBeGreaterThan(220)
    const names = BackendSuite.cases.map(({ concern, name }) => `${concern}: ${name}`)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  for (const one of BackendSuite.cases) {
    it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(MemoryBackend.layer())))
  }
})

describe("the suite", () => {
  const wrong = (change: (backend: TaskBackend["Type"]) => Partial<TaskBackend["Type"]>) =>
    Effect.map(MemoryBackend.make(), (backend) => TaskBackend.of({ ...backend, ...change(backend) }))

  const failing = (backend: Effect.Effect<TaskBackend["Type"]>, cases = BackendSuite.cases) =>
    Effect.filter(
      cases,
      (one) =>
        one.run.pipe(
          Effect.provideServiceEffect(TaskBackend, backend),
          Effect.scoped,
          Effect.exit,
          Effect.map((exit) => exit._tag === "Failure")
        )
    )

  it.effect("finds a backend that applies a batch again", () =>
    Effect.gen(function*() {
      let batches = 0
      const found = yield* failing(wrong(({ write }) => ({
        write: (batch) => write({ ...batch, number: batches += 1 })
      })))
      expect(found.map(({ concern }) => concern)).toContain("repeating")
    }))

  it.effect("finds a backend that asks the clock of the machine", () =>
    Effect.gen(function*() {
      const found = yield* failing(wrong(({ claim, write }) => ({
        claim: (request) => claim({ ...request, now: 1_750_000_000_000 }),
        write: (batch) => write({ ...batch, now: 1_750_000_000_000 })
      })))
      const concerns = found.map(({ concern }) => concern)
      for (const concern of ["claiming", "waiting", "keys", "modelled"]) expect(concerns).toContain(concern)
    }))

  it.effect("finds a backend that lets the dead write", () =>
    Effect.gen(function*() {
      const found = yield* failing(wrong(({ attach, write }) => ({
        write: (batch) =>
          Effect.catchTag(write(batch), "InstanceFenced", () => {
            const id = TaskEvent.InstanceId.make(`${batch.instance} again`)
            return Effect.zipRight(
              attach({ id, host: "host", process: null }, batch.now),
              write({ ...batch, instance: id })
            )
          })
      })))
      const concerns = found.map(({ concern }) => concern)
      for (const concern of ["instances", "reaping", "modelled"]) expect(concerns).toContain(concern)
    }))

  it.effect("finds a backend that declares dead whose beat moved", () =>
    Effect.gen(function*() {
      const found = yield* failing(wrong(({ detach, reap }) => ({
        reap: (request) => Effect.zipRight(detach(request.suspect, request.now), reap(request))
      })))
      const concerns = found.map(({ concern }) => concern)
      for (const concern of ["reaping", "modelled"]) expect(concerns).toContain(concern)
    }))

  it.effect("finds a backend that takes over too early, or never", () =>
    Effect.gen(function*() {
      for (const change of [(millis: number) => millis - 1, () => null]) {
        const found = yield* failing(wrong(({ claim }) => ({
          claim: (request) =>
            claim({ ...request, stealAfter: request.stealAfter === null ? null : change(request.stealAfter) })
        })))
        expect(found.map(({ concern }) => concern)).toContain("stealing")
      }
    }))

  it.effect("finds a backend whose groups share nothing", () =>
    Effect.gen(function*() {
      const found = yield* failing(wrong(({ claim }) => ({
        claim: (request) => claim({ ...request, groups: undefined })
      })))
      expect(found.map(({ concern }) => concern)).toEqual(["claiming", "modelled"])
    }))

  it.effect("finds a backend whose slots are no condition, or whose pauses pause nothing", () =>
    Effect.gen(function*() {
      let slots = 0
      const forgetful = yield* failing(wrong(({ schedules }) => ({
        schedules: {
          ...schedules,
          fireSlot: (request) => schedules.fireSlot({ ...request, slot: request.slot + (slots += 1_000) })
        }
      })))
      expect(forgetful.map(({ concern }) => concern)).toContain("scheduling")
      const deaf = yield* failing(wrong(({ controls }) => ({
        controls: { ...controls, pause: () => Effect.succeed("Paused") }
      })))
      expect(deaf.map(({ concern }) => concern)).toContain("pausing")
    }))

  it.effect("finds with random histories alone a backend that forgets a cancel", () =>
    Effect.gen(function*() {
      const forgetful = wrong(({ cancel, get }) => ({
        cancel: (taskId, now) =>
          Effect.flatMap(get(taskId), (record) =>
            Option.isSome(record) && TaskRecord.isLive(record.value)
              ? Effect.succeed({
                _tag: "Requested",
                record: { ...record.value, cancelRequested: true },
                owner: record.value.owner!
              })
              : cancel(taskId, now))
      }))
      const found = yield* failing(forgetful, [BackendSuite.modelled({ seed: 1 })])
      expect(found.length).toBe(1)
    }))
})

describe("a bounded MemoryBackend", () => {
  const a = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000001")
  const ids = TaskId.deterministic()
  const now = 1_000_000_000_000

  const running = (key: string): TaskRecord.TaskRecord => {
    const taskId = ids.next(now)
    const pending = TaskRecord.fromEnqueued({
      _tag: "Enqueued",
      taskId,
      at: now,
      taskName: "send_email",
      kind: "task",
      payload: "{}",
      priority: 0,
      tags: {},
      idempotencyKey: key,
      keyTtl: 60_000,
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
    })
    const started = { _tag: "Started", taskId, at: now, instance: a, claim: 1 } as const
    return Option.getOrThrow(TaskRecord.apply(pending, started))
  }

  const attempt = (record: TaskRecord.TaskRecord, outcome: "success" | "requeued") => ({
    claim: record.claim,
    attempt: record.attempts,
    instance: a,
    startedAt: now,
    endedAt: now,
    outcome,
    failure: null
  })

  const succeed = (record: TaskRecord.TaskRecord, at: number): Change => ({
    _tag: "Finish",
    record: Option.getOrThrow(
      TaskRecord.apply(record, { _tag: "Succeeded", taskId: record.taskId, at, result: null })
    ),
    owner: a,
    claim: record.claim,
    attempt: attempt(record, "success")
  })

  const requeue = (record: TaskRecord.TaskRecord): Change => ({
    _tag: "Release",
    record: Option.getOrThrow(
      TaskRecord.apply(record, { _tag: "Requeued", taskId: record.taskId, at: now, stopReason: "shutdown" })
    ),
    owner: a,
    claim: record.claim,
    attempt: attempt(record, "requeued")
  })

  const log = ({ taskId }: TaskRecord.TaskRecord): Change => ({
    _tag: "Log",
    taskId,
    line: { sequence: 1, claim: 1, attempt: 1, at: now, level: "info", message: "line", annotations: null }
  })

  const scene = (options: MemoryBackend.MemoryBackendOptions) =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make(options)
      yield* backend.attach({ id: a, host: "host", process: null }, now)
      let number = 0
      return {
        ...backend,
        commit: (...changes: ReadonlyArray<Change>) =>
          Effect.suspend(() => backend.write({ instance: a, lane: "test", number: number += 1, now, changes }))
      }
    })

  it.effect("keeps maxRecords finished tasks; what ended first goes first, with its lines, attempts and key", () =>
    Effect.gen(function*() {
      const { attempts, claim, commit, get, list, logs, stats } = yield* scene({ maxRecords: 2 })
      const [first, second, third] = [running("k1"), running("k2"), running("k3")] as const
      for (const record of [first, second, third]) {
        yield* commit({ _tag: "Insert", record }, log(record), requeue(record))
      }
      const { started } = yield* claim({
        instance: a,
        tasks: [{ name: "send_email", version: 1, slots: 3, window: 0 }],
        slots: 3,
        window: 0,
        stealAfter: null,
        now
      })
      // Ended in another order than created.
      yield* commit(succeed(started[1]!, now + 10), succeed(started[2]!, now + 20))
      expect((yield* stats({})).counts).toMatchObject({ running: 1, success: 2 })
      yield* commit(succeed(started[0]!, now + 30))

      const kept = (yield* list({ order: "oldest" })).items.map(({ taskId }) => taskId)
      expect(kept).toEqual([first.taskId, third.taskId])
      expect(yield* get(second.taskId)).toEqual(Option.none())
      expect(yield* logs(second.taskId, { after: 0, limit: 10 })).toEqual([])
      expect(yield* attempts(second.taskId)).toEqual([])
      expect((yield* logs(first.taskId, { after: 0, limit: 10 })).length).toBe(1)
      expect((yield* attempts(first.taskId)).length).toBe(1)
      expect((yield* stats({})).counts).toMatchObject({ running: 0, success: 2 })
      expect((yield* stats({})).durations.count).toBe(2)
      // The key of the one that went is free although its keyTtl still runs, the others are held.
      expect(yield* commit(...["k1", "k2", "k3"].map((key) => ({ _tag: "Insert" as const, record: running(key) }))))
        .toEqual([
          { _tag: "Duplicate", taskId: first.taskId },
          { _tag: "Applied" },
          { _tag: "Duplicate", taskId: third.taskId }
        ])
    }))

  it.effect("never counts unfinished tasks against maxRecords", () =>
    Effect.gen(function*() {
      const { commit, list } = yield* scene({ maxRecords: 1 })
      const records = Array.from({ length: 10 }, (_, index) => running(`k${index}`))
      yield* commit(...records.map((record) => ({ _tag: "Insert" as const, record })))
      yield* commit(succeed(records[0]!, now), succeed(records[1]!, now))
      expect((yield* list({ order: "oldest" })).items.length).toBe(9)
    }))

  it.effect("counts and orders anew after a deletion", () =>
    Effect.gen(function*() {
      const { commit, deleteBefore, list } = yield* scene({ maxRecords: 3 })
      const finished = (count: number, at: number) =>
        Effect.gen(function*() {
          const records = Array.from({ length: count }, (_, index) => running(`${at}/${index}`))
          yield* commit(...records.map((record) => ({ _tag: "Insert" as const, record })))
          for (const record of records) yield* commit(succeed(record, at))
          return records.map(({ taskId }) => taskId)
        })
      for (let round = 0; round < 200; round += 1) {
        yield* finished(3, now)
        expect(yield* deleteBefore(now + 60_001, 10)).toBe(3)
      }
      const last = yield* finished(5, now)
      expect((yield* list({ order: "oldest" })).items.map(({ taskId }) => taskId)).toEqual(last.slice(2))
    }))

  it.effect("keeps nothing that ended when maxRecords is 0", () =>
    Effect.gen(function*() {
      const { commit, list, stats } = yield* scene({ maxRecords: 0 })
      const record = running("k")
      yield* commit({ _tag: "Insert", record }, log(record), succeed(record, now))
      expect((yield* list({})).items).toEqual([])
      expect((yield* stats({})).durations).toMatchObject({ count: 0, sum: 0, min: null, max: null, p50: null })
    }))

  it.effect("stays bounded over many thousand tasks", () =>
    Effect.gen(function*() {
      const { commit, list } = yield* scene({ maxRecords: 100 })
      for (let round = 0; round < 50; round += 1) {
        const records = Array.from({ length: 100 }, (_, index) => running(`${round}/${index}`))
        yield* commit(...records.map((record) => ({ _tag: "Insert" as const, record })))
        yield* commit(...records.map((record) => succeed(record, now)))
      }
      const first = yield* list({ limit: 200 })
      expect([first.items.length, first.nextCursor]).toEqual([100, null])
    }))

  it.effect("forgets cancelled delays, and keeps the others in order", () =>
    Effect.gen(function*() {
      const { cancel, claim, commit } = yield* scene({ maxRecords: 10 })
      const delayed = (at: number): TaskRecord.TaskRecord => ({
        ...running(`${at}`),
        status: "pending",
        owner: null,
        runAt: at
      })
      const kept = [delayed(now + 900), delayed(now + 500), delayed(now + 700)]
      yield* commit(...kept.map((record) => ({ _tag: "Insert" as const, record })))
      for (let round = 0; round < 500; round += 1) {
        const record = delayed(now + 1 + round)
        yield* commit({ _tag: "Insert", record })
        yield* cancel(record.taskId, now)
      }
      for (const at of [500, 700, 900]) {
        const request = { instance: a, tasks: [], slots: 0, window: 0, stealAfter: null, now: now + at - 1 }
        expect((yield* claim(request)).nextDueAt).toBe(now + at)
      }
    }))

  it.effect("forgets an instance ten minutes after it is gone, with the answers to its batches", () =>
    Effect.gen(function*() {
      const { commit, detach, maintain, write } = yield* scene({})
      const answered = yield* commit()
      const again = write({ instance: a, lane: "test", number: 1, now, changes: [] })
      yield* maintain(now + 86_400_000)
      expect(yield* again).toEqual(answered)
      yield* detach(a, now)
      yield* maintain(now + 599_999)
      expect(yield* again).toEqual(answered)
      yield* maintain(now + 600_000)
      expect((yield* Effect.flip(again))._tag).toBe("InstanceFenced")
    }))

  it.effect("says that it keeps nothing over a crash, and how many tasks it holds", () =>
    Effect.gen(function*() {
      const { info } = yield* MemoryBackend.make({ maxLive: 7 })
      expect(info).toEqual({ kind: "memory", durability: "none", shared: false, maxLive: 7 })
      expect((yield* MemoryBackend.make()).info.maxLive).toBe(10_000)
    }))

  it.effect("is empty each time its layer is built", () =>
    Effect.gen(function*() {
      const layer = MemoryBackend.layer()
      const record = running("k")
      const write = Effect.flatMap(TaskBackend, (backend) =>
        Effect.zipRight(
          backend.attach({ id: a, host: "host", process: null }, now),
          backend.write({ instance: a, lane: "test", number: 1, now, changes: [{ _tag: "Insert", record }] })
        ))
      expect(yield* Effect.provide(write, layer)).toEqual([{ _tag: "Applied" }])
      expect(yield* Effect.provide(write, layer)).toEqual([{ _tag: "Applied" }])
    }))
})
