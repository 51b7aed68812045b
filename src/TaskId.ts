/**
 * The identity of one task: a UUIDv7, so ids sort by the time they were made.
 *
 * Called by TaskManager at enqueue and by everything that takes an id from outside. Ids made by one generator are strictly
 * increasing, also within one millisecond and when the clock steps back.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { v7 } from "uuid"

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** A lower-case UUIDv7 (RFC 9562), branded. */
export const TaskId = Schema.String.pipe(
  Schema.pattern(pattern, { message: () => "a task id is a lower-case UUIDv7" }),
  Schema.brand("TaskId")
)

/** A lower-case UUIDv7 (RFC 9562), branded. */
export type TaskId = typeof TaskId.Type

/** Whether a string has the form of a task id. Says nothing about whether such a task exists. */
export const isTaskId = (text: string): text is TaskId => pattern.test(text)

/** The last eight hex digits: the short form shown to people (the first ones of a UUIDv7 change about once a minute). */
export const shortOf = (taskId: string): string => taskId.slice(-8)

/** When the id was made, in epoch milliseconds, as its generator's clock saw it. */
export const millisOf = (taskId: TaskId): number => Number.parseInt(taskId.slice(0, 8) + taskId.slice(9, 13), 16)

/** Makes ids. `now` is epoch milliseconds. */
export interface Generator {
  readonly next: (now: number) => TaskId
}

// An id is made for each task: by the library its text takes 1,000 bytes and 0.5 µs, this way 60 bytes and 0.15.
const digits = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))
const text = Array.from("00000000-0000-0000-0000-000000000000", (sign) => sign.charCodeAt(0))
// Where the two digits of each byte are.
const places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]

const textOf = (bytes: Uint8Array): string => {
  for (let index = 0; index < 16; index += 1) {
    const byte = bytes[index]!
    const place = places[index]!
    text[place] = digits[byte >>> 4]!
    text[place + 1] = digits[byte & 15]!
  }
  return String.fromCharCode(...text)
}

// Many at a time: asking the system costs more than the bytes.
const pool = new Uint8Array(16 * 256)
let taken = pool.length

const randomBytes = (): Uint8Array => {
  if (taken === pool.length) {
    crypto.getRandomValues(pool)
    taken = 0
  }
  taken += 16
  return pool.subarray(taken - 16, taken)
}

// The 32-bit counter directly behind the timestamp keeps ids of one millisecond in order (RFC 9562, method 1).
const makeGenerator = (options: {
  readonly firstCounter: () => number
  /** 16 bytes, looked at once. */
  readonly random: () => Uint8Array
}): Generator => {
  const bytes = new Uint8Array(16)
  let millis = -1
  let counter = 0
  return {
    next: (now) => {
      if (now > millis) {
        millis = now
        counter = options.firstCounter()
      } else {
        counter = (counter + 1) >>> 0
        if (counter === 0) millis += 1
      }
      v7({ msecs: millis, seq: counter, random: options.random() }, bytes)
      // safe: the bytes of a UUIDv7, written in the form that the brand stands for
      return textOf(bytes) as TaskId
    }
  }
}

/** Ids with random tails, the default. */
export const random = (): Generator =>
  makeGenerator({ firstCounter: () => (Math.random() * 0x7fff_ffff) >>> 0, random: randomBytes })

/** The same ids in every run for the same clock readings: 0, 1, 2 … behind the timestamp. For tests. */
export const deterministic = (): Generator => {
  let made = 0
  return makeGenerator({
    firstCounter: () => 0,
    random: () => {
      made += 1
      const bytes = new Uint8Array(16)
      new DataView(bytes.buffer).setUint32(12, made)
      return bytes
    }
  })
}

/** The generator in force. A reference: random unless a layer provides another (`TaskflowTest.layer` does). */
export class TaskIds extends Context.Reference<TaskIds>()("effect-taskflow/TaskIds", { defaultValue: random }) {}
