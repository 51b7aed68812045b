/**
 * Does for one schedule what is to be done now: stores its definition, fires its slots. Asks for one slot after the other, for
 * the same one with the same task until there is an answer.
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
import type { Made } from "./scheduleOptions.js"
import { recordOf } from "./scheduleTask.js"
import type { Plan } from "./slotPlan.js"

/** Why nothing is tried now, and for how long, in milliseconds. */
export interface Hindrance {
  readonly millis: number
}

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
  const ask = (known: Known.Known, record: TaskRecord, again = true): Effect.Effect<SlotOutcome, TaskBackendError> =>
    Effect.suspend(() => {
      const { id } = instance
      const request = {
        instance: id,
        name: known.name,
        definition: known.stored!.definition,
        slot: record.schedule!.slot,
        record,
        overlap: known.facts!.overlap,
        now: instance.now()
      }
      return Effect.catchTag(
        bounded("schedules.fireSlot", schedules.fireSlot(request)),
        "InstanceFenced",
        (cause) =>
          again
            ? Effect.zipRight(instance.renew(id), ask(known, record, false))
            : Effect.fail(new TaskBackendError({ method: "schedules.fireSlot", cause }))
      )
    })

  const taskOf = (known: Known.Known, slot: number): TaskRecord => {
    if (known.asked?.record.schedule?.slot === slot) return known.asked.record
    const now = instance.now()
    const { taskName } = known.stored!
    const of = { facts: known.facts!, name: known.name, taskName }
    return recordOf(of, slot, "scheduled", ids.next(now), now, null)
  }

  const fireOne = (known: Known.Known, slot: number, passed: number): Effect.Effect<Went, TaskBackendError> =>
    Effect.suspend(() => {
      if (!Known.fires(known) || hindrance() !== null) return Effect.succeed("stop")
      if ((known.stored?.lastSlot ?? Number.NEGATIVE_INFINITY) >= slot) {
        over(known, slot)
        return Effect.succeed("notOurs")
      }
      const record = taskOf(known, slot)
      known.asked = { record, passed }
      return Effect.flatMap(ask(known, record), (outcome): Effect.Effect<Went, TaskBackendError> => {
        switch (outcome._tag) {
          case "Fired":
          case "Duplicate":
          case "Overlapping":
            won(known, record, outcome, passed)
            return Effect.succeed("ours")
          case "AlreadyFired": {
            // Whoever fired it accounts for what was missed before.
            over(known, slot)
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
      })
    })

  const fireAll = (known: Known.Known, plan: Plan): Effect.Effect<void, TaskBackendError> =>
    Effect.suspend(() => {
      let fired = 0
      const { definition } = known.stored!
      const each = Effect.gen(function*() {
        for (const slot of plan.fire) {
          // It may have been defined otherwise meanwhile: those are no slots of it then.
          if (known.stored?.definition !== definition) return
          const went = yield* fireOne(known, slot, fired === 0 ? plan.passed : 0)
          if (went === "stop") return
          if (went === "ours") fired += 1
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

  const define = ({ definition }: Made, known: Known.Known): Effect.Effect<void, TaskBackendError> =>
    Effect.suspend(() => {
      const now = instance.now()
      // Where it is there already its anchor stays.
      const defined = bounded("schedules.define", schedules.define({ ...definition, anchor: now }, now))
      return Effect.map(defined, (stored) => {
        known.toDefine = false
        heard(known, stored)
      })
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
    recover: (known: Known.Known, { passed, record }: NonNullable<Known.Known["asked"]>): void =>
      won(known, record, { _tag: "Fired" }, passed)
  }
}
