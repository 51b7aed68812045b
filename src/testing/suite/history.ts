/**
 * What may happen in a random history: commands whose numbers choose among the tasks that are there when they are played.
 */
import * as FastCheck from "effect/FastCheck"
import type { TaskRecord } from "../../TaskRecord.js"
import type { Terminal } from "../../TaskStatus.js"
import {
  fail,
  failAttempt,
  finishCancelled,
  interrupt,
  line,
  log,
  progress,
  requeue,
  snooze,
  succeed
} from "./changes.js"

export const names = ["send_email", "resize"] as const

/** A change before it is known which tasks there are: numbers choose among those it fits. */
export interface Intent {
  readonly action: keyof typeof owned | "insert" | "start" | "unclaim"
  readonly choice: number
  readonly small: number
  readonly stale: boolean
}

export type Command =
  | { readonly _tag: "write"; readonly by: number; readonly intents: ReadonlyArray<Intent>; readonly again: boolean }
  | {
    readonly _tag: "claim"
    readonly by: number
    readonly rooms: ReadonlyArray<readonly [slots: number, window: number, version: number]>
    readonly slots: number
    readonly window: number
    /** The slots that all names share as a group, if they do. */
    readonly shared: number | null
    readonly stealAfter: number | null
  }
  | { readonly _tag: "repeat" | "beat" | "attach" | "leave" | "renew"; readonly by: number }
  | { readonly _tag: "reap"; readonly by: number; readonly behind: number; readonly limit: number }
  | { readonly _tag: "cancel"; readonly choice: number }
  | { readonly _tag: "delete"; readonly age: number; readonly status: ReadonlyArray<Terminal> | undefined }
  | { readonly _tag: "wait"; readonly millis: number }

// What the owner of a running attempt writes.
export const owned = {
  fail: (running: TaskRecord, now: number, small: number) => failAttempt(running, now, now + small * 10),
  snooze: (running: TaskRecord, now: number, small: number) => snooze(running, now, now + small * 10),
  requeue: (running: TaskRecord, now: number) => requeue(running, now),
  succeed: (running: TaskRecord, now: number) => succeed(running, now),
  giveUp: (running: TaskRecord, now: number) => fail(running, now),
  interrupt: (running: TaskRecord, now: number) => interrupt(running, now),
  cancel: (running: TaskRecord, now: number) => finishCancelled(running, now),
  progress: (running: TaskRecord, _now: number, small: number) => progress(running, small / 8),
  log: (running: TaskRecord, now: number) => log(running, line(running, running.logLines + 1, now))
} as const

const natural = FastCheck.nat(9_999_999)
const small = FastCheck.nat(7)

const intent: FastCheck.Arbitrary<Intent> = FastCheck.record({
  action: FastCheck.oneof(
    { weight: 7, arbitrary: FastCheck.constant("insert" as const) },
    { weight: 4, arbitrary: FastCheck.constantFrom("start" as const, "unclaim" as const) },
    // safe: the keys of a literal that nothing else is assigned to
    { weight: 9, arbitrary: FastCheck.constantFrom(...Object.keys(owned) as Array<keyof typeof owned>) }
  ),
  choice: natural,
  small,
  stale: FastCheck.integer({ min: 0, max: 9 }).map((one) => one === 0)
})

// Mostly the first instance, so that it often has something of its own to write about.
const by = FastCheck.nat(3).map((one) => one === 3 ? 1 : 0)
const room = FastCheck.tuple(FastCheck.nat(3), FastCheck.nat(3), FastCheck.integer({ min: 1, max: 2 }))

export const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  {
    weight: 8,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("write" as const),
      by,
      intents: FastCheck.array(intent, { minLength: 1, maxLength: 5 }),
      again: FastCheck.integer({ min: 0, max: 5 }).map((one) => one === 0)
    })
  },
  {
    weight: 5,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("claim" as const),
      by,
      rooms: FastCheck.oneof(
        { weight: 4, arbitrary: FastCheck.tuple(room, room) },
        { weight: 1, arbitrary: FastCheck.array(room, { maxLength: 1 }) }
      ),
      slots: FastCheck.nat(4),
      window: FastCheck.nat(4),
      shared: FastCheck.option(FastCheck.nat(3), { freq: 2 }),
      stealAfter: FastCheck.option(FastCheck.nat(40), { freq: 2 })
    })
  },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.oneof(
        { weight: 4, arbitrary: FastCheck.constantFrom("repeat" as const, "beat" as const, "attach" as const) },
        // Who is dead comes back under another identity soon, or there would be little else to see.
        { weight: 4, arbitrary: FastCheck.constant("renew" as const) },
        { weight: 1, arbitrary: FastCheck.constant("leave" as const) }
      ),
      by
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("reap" as const),
      by,
      behind: FastCheck.nat(3).map((one) => one === 0 ? 1 : 0),
      limit: FastCheck.integer({ min: 1, max: 4 })
    })
  },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("cancel" as const), choice: natural }) },
  {
    weight: 1,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("delete" as const),
      age: FastCheck.nat(40),
      status: FastCheck.option(FastCheck.subarray<Terminal>(["success", "failed", "interrupted", "cancelled"]), {
        nil: undefined
      })
    })
  },
  { weight: 3, arbitrary: FastCheck.record({ _tag: FastCheck.constant("wait" as const), millis: FastCheck.nat(80) }) }
)
