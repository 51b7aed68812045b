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

/** Slots of one schedule. */
interface Waiting {
  readonly requests: ReadonlyArray<SlotRequest>
  readonly answer: Deferred.Deferred<ReadonlyArray<SlotOutcome>, unknown>
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

  // Of one instance; those of one schedule oldest first. The outcomes are in their order.
  const fire = (db: Db, requests: ReadonlyArray<SlotRequest>): Effect.Effect<ReadonlyArray<SlotOutcome>, unknown> =>
    Effect.gen(function*() {
      const { instance } = requests[0]!
      const now = Math.max(...requests.map((request) => request.now))
      yield* fence(sql, db, instance)
      const found = yield* read(db, [...new Set(requests.map(({ name }) => name))])
      // As each of them is behind what was asked for before.
      const schedules = new Map(found.map((schedule) => [schedule.name, schedule]))
      const running = yield* living(
        db,
        requests.flatMap((request) => {
          const schedule = schedules.get(request.name)
          const lastTask = schedule?.lastTask ?? null
          const isDue = schedule !== undefined && ScheduleRow.look(schedule, request)._tag === "Due"
          return isDue && request.overlap === "skip" && lastTask !== null ? [lastTask] : []
        })
      )
      const settled = new Set<string>()
      const settle = (schedule: StoredSchedule, slot: number, task: TaskId | null): void => {
        schedules.set(schedule.name, ScheduleRow.settled(schedule, slot, task))
        settled.add(schedule.name)
      }
      const outcomes = new Map<SlotRequest, SlotOutcome>()
      const due: Array<SlotRequest> = []
      for (const request of requests) {
        const { name, overlap, record, slot } = request
        const schedule = schedules.get(name)
        const look = ScheduleRow.look(schedule ?? null, request)
        if (look._tag !== "Due" || schedule === undefined) {
          outcomes.set(request, look._tag === "Due" ? { _tag: "NotFound" } : look)
        } else if (overlap === "skip" && schedule.lastTask !== null && running.has(schedule.lastTask)) {
          settle(schedule, slot, null)
          outcomes.set(request, { _tag: "Overlapping", running: schedule.lastTask })
        } else {
          settle(schedule, slot, record.taskId)
          running.add(record.taskId)
          due.push(request)
        }
      }
      const changes = due.map(({ record }) => ({ _tag: "Insert", record } as const))
      const batch = { instance, lane: "", number: 0, now, changes }
      const plan = planOf(batch, yield* find(sql, db, batch))
      const records = []
      for (const [index, request] of due.entries()) {
        const { name, record, slot } = request
        const outcome = plan.outcomes[index]!
        if (outcome._tag !== "KeyBusy" && outcome._tag !== "Duplicate") {
          outcomes.set(request, { _tag: "Fired" })
          records.push(record)
          continue
        }
        // One with a key is the only one of its schedule.
        outcomes.set(request, outcome)
        if (outcome._tag === "KeyBusy") settled.delete(name)
        else settle(schedules.get(name)!, slot, outcome.taskId)
      }
      if (settled.size > 0) {
        const rows = [...settled].map((name): ReadonlyArray<Value> => {
          const { lastSlot, lastTask } = schedules.get(name)!
          return [nameText(name), lastSlot, lastTask]
        })
        yield* Effect.forEach(dialect.update({ table, key, columns, rows }), db.all, { discard: true })
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
    const requests = some.flatMap((one) => one.requests)
    const alone = some.length === 1
    // An idempotency key that another instance decided between our read and our insert: everything is decided again.
    return Effect.flatMap(
      Effect.exit(alone ? unlessRaced(dialect, together(requests)) : together(requests)),
      (exit) => {
        if (Exit.isFailure(exit) && !alone && (exit.cause._tag !== "Fail" || isOfOne(exit.cause.error))) {
          return Effect.forEach(some, (one) => settle([one]), { discard: true })
        }
        return Effect.sync(() => {
          let told = 0
          for (const { answer, requests } of some) {
            const from = told
            told += requests.length
            Deferred.unsafeDone(answer, Exit.map(exit, (outcomes) => outcomes.slice(from, from + requests.length)))
          }
        })
      }
    )
  }

  const turn = Effect.unsafeMakeSemaphore(1)
  let waiting: ReadonlyArray<Waiting> = []

  /** This one, and those that can be settled with it. */
  const takenWith = (one: Waiting): ReadonlyArray<Waiting> => {
    const nameOf = ({ requests }: Waiting) => requests[0]!.name
    const taken = new Map([[nameOf(one), one]])
    let slots = one.requests.length
    for (const other of waiting) {
      const { instance } = other.requests[0]!
      const fits = slots + other.requests.length <= most
      if (!fits || instance !== one.requests[0]!.instance || taken.has(nameOf(other))) continue
      taken.set(nameOf(other), other)
      slots += other.requests.length
    }
    const all = new Set(taken.values())
    waiting = waiting.filter((other) => !all.has(other))
    return [...all]
  }

  const fireSlots = (requests: ReadonlyArray<SlotRequest>): Effect.Effect<ReadonlyArray<SlotOutcome>, unknown> =>
    Effect.uninterruptible(Effect.suspend(() => {
      const one: Waiting = { requests, answer: Deferred.unsafeMake(FiberId.none) }
      waiting = [...waiting, one]
      const mine = Effect.suspend(() => waiting.includes(one) ? settle(takenWith(one)) : Effect.void)
      // Those that are asked for in the same moment are all there then.
      const turned = turn.withPermits(1)(Effect.zipRight(Effect.yieldNow(), mine))
      return Effect.zipRight(turned, Deferred.await(one.answer))
    }))

  return {
    fireSlots,
    fireSlot: (request: SlotRequest) => Effect.map(fireSlots([request]), ([outcome]) => outcome!)
  }
}
