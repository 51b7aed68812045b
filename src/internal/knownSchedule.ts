/** One schedule as an instance knows it, and what that says of what is to be done. Plain data, changed in single steps. */
import type { StoredSchedule } from "../ScheduleStore.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { ScheduleFacts } from "../TaskScheduleInfo.js"
import { settledTo } from "./scheduleInfo.js"
import type { Made } from "./scheduleOptions.js"
import * as ScheduleSpec from "./scheduleSpec.js"
import * as SlotPlan from "./slotPlan.js"
import * as Trigger from "./trigger.js"

/** How often an instance says that the definitions of its code stand. */
export const sayEvery = 60_000
/** A definition that nobody said for so long is nobody's any more. */
export const deadAfter = 180_000
/** One whose task no instance may know either. */
export const lostAfter = 86_400_000

export interface Known {
  readonly name: string
  /** What the code here says; null for one that was made at run time. */
  readonly code: Made | null
  /** As it is kept, as far as it was heard. */
  stored: StoredSchedule | null
  /** Null: it cannot be read here. */
  facts: ScheduleFacts | null
  /** The code's definition has to be stored whatever is there. */
  toDefine: boolean
  /** The run at startup: still to be decided on, or its slot. */
  startup: "wanted" | number | null
  /** Slots up to here passed over without one that settled them. */
  passedTo: number
  /** Slots that passed over and that no slot which fired accounts for yet. */
  passed: number
  /** The tasks of slots that were asked for without an answer, oldest first, and how many passed over before the first. */
  asked: { readonly records: ReadonlyArray<TaskRecord>; readonly passed: number } | null
  failures: number
  /** Nothing is tried before. */
  notBefore: number
  /** When it was seen that there is something to do: by that a slot is in time, however many others have to fire with it. */
  noticedAt: number
  /** Which of all changes changed it last. */
  movedAt: number
  busy: boolean
  /** Nobody wants it here any more. */
  gone: boolean
  toldOther: boolean
  toldAhead: boolean
  /** Nothing is said of what it missed before; and what was not said. */
  quietUntil: number
  unsaid: { missed: number; fired: number; passed: number }
  /** Takes its alarm back. */
  cancel: () => void
}

export const make = (name: string, code: Made | null): Known => ({
  name,
  code,
  stored: null,
  facts: code?.facts ?? null,
  toDefine: code !== null,
  startup: null,
  passedTo: Number.NEGATIVE_INFINITY,
  passed: 0,
  asked: null,
  failures: 0,
  notBefore: Number.NEGATIVE_INFINITY,
  noticedAt: Number.NEGATIVE_INFINITY,
  movedAt: 0,
  busy: false,
  gone: false,
  toldOther: false,
  toldAhead: false,
  quietUntil: Number.NEGATIVE_INFINITY,
  unsaid: { missed: 0, fired: 0, passed: 0 },
  cancel: () => {}
})

/** Whether what is kept is what fires here. */
export const isOurs = ({ code, stored }: Known): boolean =>
  stored !== null && stored.retiredAt === null && (code === null
    ? stored.origin === "dynamic"
    : stored.origin === "code" && stored.definition === code.definition.definition)

/** Whether another program's definition of the name is kept. */
export const isOthers = (known: Known): boolean =>
  known.code !== null && known.stored !== null && known.stored.retiredAt === null && !isOurs(known)

/** Whether the code's definition is to be stored now. */
export const needsDefine = (known: Known, shared: boolean, now: number): boolean => {
  const { code, gone, stored, toDefine } = known
  if (code === null || gone) return false
  if (toDefine || stored === null || stored.retiredAt !== null) return true
  const silent = now - stored.seenAt
  return isOurs(known) ? shared && silent >= sayEvery : silent > deadAfter
}

export const fires = (known: Known): boolean =>
  !known.gone && isOurs(known) && known.facts !== null && known.stored?.pausedAt === null

export const settled = (known: Known): number =>
  known.stored === null ? known.passedTo : Math.max(settledTo(known.stored), known.passedTo)

/** When there is something to do for it; null: not until something changes. */
export const wakeAt = (known: Known, shared: boolean, now: number): number | null => {
  const { facts, notBefore, startup, stored } = known
  if (needsDefine(known, shared, now)) return Math.max(now, notBefore)
  if (!fires(known) || facts === null || stored === null) return null
  const at = startup === null ? Trigger.next(facts.trigger, stored.anchor, settled(known)) : now
  return at === null ? null : Math.max(at, notBefore)
}

/** What is to fire at `at`. */
export const planAt = (known: Known, at: number): SlotPlan.Plan => {
  const { facts, startup, stored } = known
  if (facts === null || stored === null) return { fire: [], missed: 0, passed: 0, newest: null }
  if (startup === "wanted") known.startup = SlotPlan.startupSlot(stored.lastSlot, at)
  const { startup: slot } = known
  return SlotPlan.make({
    facts,
    anchor: stored.anchor,
    settledTo: settled(known),
    startup: typeof slot === "number" ? slot : null,
    now: at
  })
}

/** The task of the latest slot that was asked for without an answer: they fired together, if it is the last that fired. */
const lastAsked = ({ asked }: Known): TaskRecord["taskId"] | undefined => asked?.records.at(-1)?.taskId

/** This is how it is kept. */
export const take = (known: Known, stored: StoredSchedule): void => {
  const before = known.stored
  known.stored = stored
  const same = before?.definition === stored.definition && before.spec === stored.spec
  if (!same) known.asked = null
  // Somebody else settled a later slot, and accounts for what passed over before it.
  if (stored.lastSlot !== null && stored.lastSlot > known.passedTo && stored.lastTask !== lastAsked(known)) {
    known.passed = 0
  }
  if (!same && known.code === null) known.facts = ScheduleSpec.read(stored.spec)
  // A start that found it paused, or another's, is over.
  if (stored.pausedAt !== null || (isOthers(known) && !known.toDefine)) known.startup = null
}

/** Whether there is nothing new in how it is kept, but that somebody said that it stands. */
export const isSame = (one: StoredSchedule | null, other: StoredSchedule): boolean =>
  one !== null && one.lastSlot === other.lastSlot && one.pausedAt === other.pausedAt &&
  one.retiredAt === other.retiredAt && one.definition === other.definition && one.definedAt === other.definedAt &&
  one.origin === other.origin && one.anchor === other.anchor && one.spec === other.spec

// Milliseconds by which its last slot is further ahead than it can rightly be; null when it is not.
const aheadBy = ({ facts, stored }: Known, now: number): number | null => {
  const last = stored?.lastSlot ?? null
  if (facts === null || stored === null || last === null || last <= now + 60_000) return null
  const after = Trigger.next(facts.trigger, stored.anchor, last)
  return last - now > 60_000 + (after === null ? 0 : after - last) ? last - now : null
}

/** What people have to be told about how it is kept, once; null: nothing. */
export const newsOf = (known: Known, now: number): string | null => {
  const name = JSON.stringify(known.name)
  if (!isOthers(known)) known.toldOther = false
  else if (!known.toldOther && !known.toDefine) {
    known.toldOther = true
    return `schedule ${name}: a program that started later, or somebody at run time, defines it otherwise: it is not fired by ` +
      "this instance"
  }
  const ahead = aheadBy(known, now)
  if (ahead === null) known.toldAhead = false
  else if (!known.toldAhead) {
    known.toldAhead = true
    return `schedule ${name}: its last slot is ${
      Math.round(ahead / 1_000)
    } s ahead of the clock (some clock was wrong), so it ` +
      `fires again when that time has come; TaskManager.schedules.remove(${name}) forgets its slots, and a program that has ` +
      "it defines it anew"
  }
  return null
}

/** Whether a schedule of some code that is not here is nobody's any more. `isHandled`: there is a handler for its task. */
export const isLeft = (stored: StoredSchedule, isHandled: boolean, startedAt: number, now: number): boolean => {
  if (stored.origin !== "code" || stored.retiredAt !== null) return false
  const silent = now - stored.seenAt
  return silent > deadAfter && now - startedAt > deadAfter && (isHandled || silent > lostAfter)
}
