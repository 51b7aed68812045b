/**
 * Slots that fire. Many are due at the same moment, on the hour above all: those that wait for the connection are settled
 * together, in one transaction of a handful of statements however many they are. What fails together is asked for alone.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as ScheduleRow from "../../internal/scheduleRow.js"
import type { SlotOutcome, SlotRequest, StoredSchedule } from "../../ScheduleStore.js"
import { InstanceFenced } from "../../TaskError.js"
import type { TaskId } from "../../TaskId.js"
import type { Connections } from "./connections.js"
import type { Db, Sql, Value } from "./dialect.js"
import * as Feed from "./feed.js"
import { fence } from "./fence.js"
import { columnOf, selectIn } from "./lists.js"
import { planOf } from "./plan.js"
import { nameText } from "./texts.js"
import { apply, find, unlessRaced } from "./write.js"

/** How many are settled together. */
const most = 64

interface Waiting {
  readonly request: SlotRequest
  readonly answer: Deferred.Deferred<SlotOutcome, unknown>
}

/** `read`: these schedules as they are, under lock. */
export const make = (
  sql: Sql,
  connections: Connections,
  read: (db: Db, names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<StoredSchedule>, SqlError>
) => {
  const { dialect, tables } = sql
  const table = tables.schedules
  const key = columnOf(table, "name")
  const columns = ["last_slot", "last_task"].map((name) => columnOf(table, name))

  const living = (db: Db, ids: ReadonlyArray<TaskId>) =>
    Effect.map(
      selectIn(sql, db, tables.live, "id", "id", [...new Set(ids)].sort()),
      (rows) => new Set(rows.map((row) => row["id"] as TaskId)) // safe: ids are stored as such
    )

  // Of one instance, each of another schedule. The outcomes are in their order.
  const fire = (db: Db, requests: ReadonlyArray<SlotRequest>): Effect.Effect<ReadonlyArray<SlotOutcome>, unknown> =>
    Effect.gen(function*() {
      const { instance } = requests[0]!
      const now = Math.max(...requests.map((request) => request.now))
      yield* fence(sql, db, instance)
      const found = yield* read(db, requests.map(({ name }) => name))
      const schedules = new Map(found.map((schedule) => [schedule.name, schedule]))
      const looks = requests.map((request) => ScheduleRow.look(schedules.get(request.name) ?? null, request))
      const running = yield* living(
        db,
        requests.flatMap(({ name, overlap }, index) => {
          const lastTask = schedules.get(name)?.lastTask ?? null
          return looks[index]!._tag === "Due" && overlap === "skip" && lastTask !== null ? [lastTask] : []
        })
      )
      const settled: Array<ReadonlyArray<Value>> = []
      const settle = ({ name, slot }: SlotRequest, task: TaskId | null): void => {
        settled.push([nameText(name), slot, task])
      }
      const outcomes = new Map<SlotRequest, SlotOutcome>()
      const due: Array<SlotRequest> = []
      for (const [index, request] of requests.entries()) {
        const look = looks[index]!
        const lastTask = schedules.get(request.name)?.lastTask ?? null
        if (look._tag !== "Due") outcomes.set(request, look)
        else if (request.overlap === "skip" && lastTask !== null && running.has(lastTask)) {
          settle(request, lastTask)
          outcomes.set(request, { _tag: "Overlapping", running: lastTask })
        } else due.push(request)
      }
      const changes = due.map(({ record }) => ({ _tag: "Insert", record } as const))
      const batch = { instance, lane: "", number: 0, now, changes }
      const plan = planOf(batch, yield* find(sql, db, batch))
      const records = []
      for (const [index, request] of due.entries()) {
        const outcome = plan.outcomes[index]!
        if (outcome._tag === "KeyBusy" || outcome._tag === "Duplicate") outcomes.set(request, outcome)
        else {
          outcomes.set(request, { _tag: "Fired" })
          records.push(request.record)
        }
        if (outcome._tag === "KeyBusy") continue
        settle(request, outcome._tag === "Duplicate" ? outcome.taskId : request.record.taskId)
      }
      if (settled.length > 0) {
        yield* Effect.forEach(dialect.update({ table, key, columns, rows: settled }), db.all, { discard: true })
      }
      yield* apply(sql, db, plan, now, instance)
      yield* Feed.tell(sql, db, instance, now, records)
      return requests.map((request) => outcomes.get(request)!)
    })

  const together = (requests: ReadonlyArray<SlotRequest>) => connections.transaction((db) => fire(db, requests))

  // Whether each of them has to be asked for alone to know which one it is of.
  const isOfOne = (error: unknown): boolean =>
    !(error instanceof InstanceFenced) && dialect.problemOf(error) !== "transient"

  const settle = (some: ReadonlyArray<Waiting>): Effect.Effect<void> => {
    const requests = some.map(({ request }) => request)
    const alone = some.length === 1
    // An idempotency key that another instance decided between our read and our insert: everything is decided again.
    return Effect.flatMap(
      Effect.exit(alone ? unlessRaced(dialect, together(requests)) : together(requests)),
      (exit) => {
        if (Exit.isFailure(exit) && !alone && (exit.cause._tag !== "Fail" || isOfOne(exit.cause.error))) {
          return Effect.forEach(some, (one) => settle([one]), { discard: true })
        }
        return Effect.sync(() => {
          for (const [index, { answer }] of some.entries()) {
            Deferred.unsafeDone(answer, Exit.map(exit, (outcomes) => outcomes[index]!))
          }
        })
      }
    )
  }

  const turn = Effect.unsafeMakeSemaphore(1)
  let waiting: ReadonlyArray<Waiting> = []

  /** This one, and those that can be settled with it. */
  const takenWith = (one: Waiting): ReadonlyArray<Waiting> => {
    const taken = new Map([[one.request.name, one]])
    for (const other of waiting) {
      const { instance, name } = other.request
      if (taken.size < most && instance === one.request.instance && !taken.has(name)) taken.set(name, other)
    }
    const all = new Set(taken.values())
    waiting = waiting.filter((other) => !all.has(other))
    return [...all]
  }

  return (request: SlotRequest): Effect.Effect<SlotOutcome, unknown> =>
    Effect.uninterruptible(Effect.suspend(() => {
      const one: Waiting = { request, answer: Deferred.unsafeMake(FiberId.none) }
      waiting = [...waiting, one]
      const mine = Effect.suspend(() => waiting.includes(one) ? settle(takenWith(one)) : Effect.void)
      // Those that are asked for in the same moment are all there then.
      const turned = turn.withPermits(1)(Effect.zipRight(Effect.yieldNow(), mine))
      return Effect.zipRight(turned, Deferred.await(one.answer))
    }))
}
