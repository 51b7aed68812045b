/** How an option of the engine is refused: by its name, with what it is and what it may be. Throws a RangeError. Pure. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { inWords } from "./shown.js"

/** A whole number from 1. */
export const atLeastOne = (name: string, value: number): number => {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`TaskflowLayer: ${name} is ${inWords(value)}: a whole number from 1`)
}

/** A duration in milliseconds. */
export const millisOf = (name: string, value: Duration.DurationInput): number => {
  const duration = Duration.decodeUnknown(value)
  if (Option.isSome(duration)) return Duration.toMillis(duration.value)
  throw new RangeError(`TaskflowLayer: ${name} is ${inWords(value)}: a duration, as "30 seconds"`)
}

/** A duration of at least so many milliseconds. */
export const millisAtLeast = (least: number, name: string, value: Duration.DurationInput): number => {
  const millis = millisOf(name, value)
  if (millis >= least) return millis
  throw new RangeError(`TaskflowLayer: ${name} is ${millis} ms: at least ${least} ms`)
}

/** One of a few words. */
export const oneOf = <A extends string>(name: string, value: A, allowed: ReadonlyArray<A>): A => {
  if (allowed.includes(value)) return value
  throw new RangeError(`TaskflowLayer: ${name} is ${inWords(value)}: one of ${allowed.join(", ")}`)
}
