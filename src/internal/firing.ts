/**
 * Does for one schedule what is to be done now: stores its definition, fires its slots. Asks for the oldest first, for the same one
 * with the same task until there is an answer. A schedule that is behind asks for several at once: each for itself takes as long as
 * its transaction, and on a slow database that may be longer than the next one is away.
 */
import * as Effect from "effect/Effect"
import type { SlotOutcome, StoredSchedule } from "../ScheduleStore.js"
import type { TaskBackend } from "../TaskBackend.js"
import { TaskBackendError } from "../TaskError.js"
import type { TaskIds } from "../TaskId.js"
import type { TaskInstance } from "../TaskInstance.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as Backoff from "./backoff.js"
import { count } from "./counts.js"
import * as Known from "./knownSchedule.js"
import * as MissedSlots from "./missedSlots.js"
import * as RealTime from "./realTime.js"
import { anchorOf } from "./scheduleInfo.js"
import type { Made } from "./scheduleOptions.js"
import { recordOf } from "./scheduleTask.js"
import type { Plan } from "./slotPlan.js"

/** Why nothing is tried now, and for how long, in milliseconds. */
export interface Hindrance {
  readonly millis: number
}

// Slots that fire in one unit, and the characters of their payloads together.
const mostTogether = 50
const mostCharacters = 1_000_000

/** A slot was settled here, or by somebody else before; or the others have to wait. */
type Went = "ours" | "notOurs" | "stop"

export const make = (options: {
  readonly backend: TaskBackend["Type"]
  readonly ids: TaskIds["Type"]
  readonly instance: TaskInstance["Type"]
  /** Milliseconds of real time that an answer may take. */
  readonly patience: number
  /** What keeps slots from firing here. */
  readonly hindrance: () => Hindrance | null
  /** This is how it is kept; null: it is not there any more. */
  readonly heard: (known: Known.Known, stored: StoredSchedule | null) => void
  /** The backend inserted this task. */
  readonly inserted: (record: TaskRecord) => void
}) => {
  const { backend, heard, hindrance, ids, inserted, instance, patience } = options
  const { schedules } = backend

  const bounded = <A, E>(method: string, self: Effect.Effect<A, E>): Effect.Effect<A, E | TaskBackendError> =>
    RealTime.within(
      self,
      patience,
      () => new TaskBackendError({ method, cause: new Error(`no answer within ${patience} ms`) })
    )

  const refresh = (known: Known.Known): Effect.Effect<void, TaskBackendError> =>
    Effect.map(bounded("schedules.get", schedules.get(known.name)), (stored) => heard(known, stored))

  const won = (known: Known.Known, record: TaskRecord, outcome: SlotOutcome, passed: number): void => {
    const slot = record.schedule!.slot
    over(known, slot)
    MissedSlots.count(known, record.taskName, passed)
    switch (outcome._tag) {
      case "Fired":
        count.slots(record.taskName, "fired", 1)
        settle(known, slot, record.taskId)
        return inserted(record)
      case "Duplicate":
        count.slots(record.taskName, "duplicate", 1)
        return settle(known, slot, outcome.taskId)
      default:
        count.slots(record.taskName, "overlapping", 1)
        return settle(known, slot, null)
    }
  }

  const over = (known: Known.Known, slot: number): void => {
    known.asked = null
    if (known.startup === slot) known.startup = null
  }

  const settle = (known: Known.Known, slot: number, task: TaskRecord["taskId"] | null): void => {
    const { stored } = known
    if (stored === null || (stored.lastSlot ?? slot) > slot) return
    heard(known, { ...stored, lastSlot: slot, lastTask: task ?? stored.lastTask })
  }

  // Declared dead meanwhile: asked once more as who it is from then on.
  const ask = (
    known: Known.Known,
    records: ReadonlyArray<TaskRecord>,
    again = true
  ): Effect.Effect<ReadonlyArray<SlotOutcome>, TaskBackendError> =>
    Effect.suspend(() => {
      const { id } = instance
      const requests = records.map((record) => ({
        instance: id,
        name: known.name,
        definition: known.stored!.definition,
        slot: record.schedule!.slot,
        record,
        overlap: known.facts!.overlap,
        now: instance.now()
      }))
      const fired = requests.length === 1
        ? Effect.map(schedules.fireSlot(requests[0]!), (outcome) => [outcome])
        : schedules.fireSlots!(requests)
      return Effect.catchTag(
        bounded("schedules.fireSlot", fired),
        "InstanceFenced",
        (cause) =>
          again
            ? Effect.zipRight(instance.renew(id), ask(known, records, false))
            : Effect.fail(new TaskBackendError({ method: "schedules.fireSlot", cause }))
      )
    })

  const taskOf = (known: Known.Known, slot: number): TaskRecord => {
    const asked = known.asked?.records.find(({ schedule }) => schedule?.slot === slot)
    if (asked !== undefined) return asked
    const now = instance.now()
    const { taskName } = known.stored!
    const of = { facts: known.facts!, name: known.name, taskName }
    return recordOf(of, slot, "scheduled", ids.next(now), now, null)
  }

  const became = (
    known: Known.Known,
    record: TaskRecord,
    outcome: SlotOutcome,
    passed: number
  ): Effect.Effect<Went, TaskBackendError> => {
    switch (outcome._tag) {
      case "Fired":
      case "Duplicate":
      case "Overlapping":
        won(known, record, outcome, passed)
        return Effect.succeed("ours")
      case "AlreadyFired": {
        // Whoever fired it accounts for what was missed before.
        over(known, record.schedule!.slot)
        known.passed = 0
        const { lastSlot, lastTask } = outcome
        if (known.stored !== null) heard(known, { ...known.stored, lastSlot, lastTask })
        return Effect.succeed("notOurs")
      }
      case "KeyBusy":
        known.failures += 1
        known.notBefore = instance.now() + Backoff.millisAfter(known.failures)
        return Effect.succeed("stop")
      default:
        known.asked = null
        return Effect.as(refresh(known), "stop")
    }
  }

  /** Fires slots that are one unit; answers what became of each, up to one behind which the others have to wait. */
  const fireSome = (
    known: Known.Known,
    slots: ReadonlyArray<number>,
    passed: number
  ): Effect.Effect<ReadonlyArray<Went>, TaskBackendError> =>
    Effect.suspend(() => {
      if (!Known.fires(known) || hindrance() !== null) return Effect.succeed(["stop"])
      const lastSlot = known.stored?.lastSlot ?? Number.NEGATIVE_INFINITY
      const open = slots.filter((slot) => slot > lastSlot)
      const records = open.map((slot) => taskOf(known, slot))
      for (const slot of slots) if (slot <= lastSlot) over(known, slot)
      if (open.length === 0) return Effect.succeed(["notOurs"])
      const before = open.length === slots.length ? passed : 0
      known.asked = { records, passed: before }
      return Effect.flatMap(ask(known, records), (outcomes) =>
        Effect.gen(function*() {
          const went: Array<Went> = []
          for (const [index, outcome] of outcomes.entries()) {
            // Those of a unit are settled together: up to one that is ours, when only the answer was lost. More may be due by now.
            const isOurs = outcome._tag === "AlreadyFired" &&
              records.some(({ schedule, taskId }) => schedule?.slot === outcome.lastSlot && taskId === outcome.lastTask)
            const told: SlotOutcome = isOurs ? { _tag: "Fired" } : outcome
            went.push(yield* became(known, records[index]!, told, index === 0 ? before : 0))
            if (went.at(-1) === "stop") break
          }
          return went
        }))
    })

  /** Of slots that are due, so many that fire in one unit: one, unless the backend takes several and their tasks are small. */
  const unitOf = (known: Known.Known, left: ReadonlyArray<number>): ReadonlyArray<number> => {
    const { facts } = known
    // A key may be held by somebody else for one slot and not for the next, and may have to be waited for.
    if (schedules.fireSlots === undefined || facts === null || facts.idempotencyKey !== null) return left.slice(0, 1)
    const fitting = Math.floor(mostCharacters / facts.payload.length)
    return left.slice(0, Math.max(1, Math.min(mostTogether, fitting)))
  }

  const fireAll = (known: Known.Known, plan: Plan): Effect.Effect<void, TaskBackendError> =>
    Effect.suspend(() => {
      let fired = 0
      const { definition } = known.stored!
      const each = Effect.gen(function*() {
        let left = plan.fire
        while (left.length > 0) {
          // It may have been defined otherwise meanwhile: those are no slots of it then.
          if (known.stored?.definition !== definition) return
          const unit = unitOf(known, left)
          // Whoever has the first one accounts for what passed over before it.
          const went = yield* fireSome(known, unit, left === plan.fire ? plan.passed : 0)
          fired += went.filter((one) => one === "ours").length
          if (went.includes("stop")) return
          left = left.slice(unit.length)
        }
        if (plan.newest === null) return
        known.passedTo = plan.newest
        // No slot that fired accounts for them yet.
        if (plan.fire.length === 0) known.passed += plan.passed
      })
      const told = Effect.suspend(() =>
        fired > 0 || plan.fire.length === 0
          ? MissedSlots.tell(known, { missed: plan.missed, passed: plan.passed, fired }, instance.now())
          : Effect.void
      )
      return Effect.ensuring(each, told)
    })

  const define = ({ definition, facts }: Made, known: Known.Known): Effect.Effect<void, TaskBackendError> =>
    Effect.gen(function*() {
      // A deploy that changes its payload must not lose the slot that it was down for, nor put off the next one.
      const before = Known.isOurs(known) ? known.stored : yield* bounded("schedules.get", schedules.get(known.name))
      const now = instance.now()
      const anchored = { ...definition, anchor: anchorOf(before, facts, now) }
      const stored = yield* bounded("schedules.define", schedules.define(anchored, now))
      known.toDefine = false
      heard(known, stored)
    })

  /** Fails when the backend did: then it is tried again. */
  const attend = (known: Known.Known): Effect.Effect<void, TaskBackendError> =>
    Effect.gen(function*() {
      if (known.code !== null && Known.needsDefine(known, backend.info.shared, instance.now())) {
        yield* define(known.code, known)
      }
      if (!Known.fires(known)) return
      const hindered = hindrance()
      if (hindered !== null) {
        known.notBefore = instance.now() + hindered.millis
        return
      }
      const plan = Known.planAt(known, known.noticedAt)
      if (plan.missed === 0) return yield* fireAll(known, plan)
      // Others may have fired them.
      yield* refresh(known)
      if (Known.fires(known)) yield* fireAll(known, Known.planAt(known, known.noticedAt))
    })
  return {
    attend,
    /** What was asked for turned out to have fired: only the answer was lost. */
    recover: (known: Known.Known, { passed, records }: NonNullable<Known.Known["asked"]>): void => {
      for (const [index, record] of records.entries()) {
        won(known, record, { _tag: "Fired" }, index === 0 ? passed : 0)
      }
    }
  }
}
