/** Spans of time, moments and counts, as they are written in a filter. Plain TypeScript, also for browsers. */
import type { Comparison, Moment } from "./term.js"

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

// A hundred years.
const longest = 36_500 * units.d
const farthest = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
/** The largest priority, and the largest count. */
const largest = 2_147_483_647

/** The comparison that a text begins with, `=` without one, and the rest. */
export const comparisonOf = (text: string): readonly [Comparison, string] => {
  const found = /^(?:[<>]=?|=)/.exec(text)?.[0]
  // safe: the pattern matches these alone
  return found === undefined ? ["=", text] : [found as Comparison, text.slice(found.length)]
}

/** Whole milliseconds; null for what is no span, is no whole number of them, or is longer than 36,500 days. */
export const spanOf = (text: string): number | null => {
  const found = /^(\d{1,13}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (found === null) return null
  const [, amount, unit] = found
  // safe: the pattern matches these units alone
  const millis = Number(amount) * units[unit as keyof typeof units]
  // Thousandths of a second and more are whole milliseconds, but for the last bit.
  const whole = unit === "ms" ? millis : Math.round(millis)
  return Number.isInteger(whole) && whole <= longest ? whole : null
}

/** In the largest unit of which it is a whole number. */
export const printSpan = (millis: number): string => {
  if (millis === 0) return "0s"
  const [unit, size] = Object.entries(units).find(([, size]) => millis % size === 0) ?? ["ms", 1]
  return `${millis / size}${unit}`
}

/** A whole number, negative only where that is allowed; null for others. */
export const countOf = (text: string, least: 0 | "negative"): number | null => {
  if (!/^-?\d{1,10}$/.test(text)) return null
  const count = Number(text)
  if (Math.abs(count) > largest || least === 0 && count < 0) return null
  return count === 0 ? 0 : count
}

const momentPattern = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?:Z|([+-])(\d\d):?(\d\d)))?$/

/** Epoch milliseconds of a date (its begin in UTC) or of a time with its zone, from 1970 to 9999; null for others. */
const timeOf = (text: string): number | null => {
  const found = momentPattern.exec(text)
  if (found === null) return null
  const part = (index: number): number => Number(found[index] ?? 0)
  const millis = Number((found[7] ?? "").padEnd(3, "0"))
  const date = new Date(Date.UTC(part(1), part(2) - 1, part(3), part(4), part(5), part(6), millis))
  // What is no date, as February 30, would be another one; and so would a year of two digits.
  const real = date.getUTCFullYear() === part(1) && date.getUTCMonth() === part(2) - 1 &&
    date.getUTCHours() === part(4) && date.getUTCMinutes() === part(5) && date.getUTCSeconds() === part(6)
  if (!real || part(9) > 23 || part(10) > 59) return null
  const offset = (part(9) * 60 + part(10)) * units.m * (found[8] === "-" ? -1 : 1)
  const at = date.getTime() - offset
  return at >= 0 && at <= farthest ? at : null
}

export const momentOf = (text: string): Moment | null => {
  const ago = spanOf(text)
  if (ago !== null) return { ago }
  const at = timeOf(text)
  return at === null ? null : { at }
}

/** A date where it is the begin of one, otherwise without the seconds that are zero. */
export const printMoment = (moment: Moment): string =>
  "ago" in moment
    ? printSpan(moment.ago)
    : new Date(moment.at).toISOString().replace(/T00:00:00\.000Z$/, "").replace(/(:00)?\.000Z$/, "Z")
