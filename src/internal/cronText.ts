/**
 * A `Cron` as the text that parses to it again. Pure.
 */
import * as Cron from "effect/Cron"
import * as Either from "effect/Either"
import { asksForBoth } from "./cronCalendar.js"

/** Runs of three and more as a range, the others one by one. */
const listed = (values: ReadonlyArray<number>): string => {
  const parts: Array<string> = []
  for (let index = 0; index < values.length;) {
    let end = index
    while (values[end + 1] === values[end]! + 1) end++
    if (end - index >= 2) {
      parts.push(`${values[index]}-${values[end]}`)
    } else {
      for (let one = index; one <= end; one++) parts.push(`${values[one]}`)
    }
    index = end + 1
  }
  return parts.join(",")
}

const sorted = (values: ReadonlySet<number>) => [...values].sort((a, b) => a - b)

const field = (values: ReadonlySet<number>): string => values.size === 0 ? "*" : listed(sorted(values))

// A list that begins with a star asks for both day of the month and day of the week, so one is made to: "*/2", "*/31,1,5".
const starred = (values: ReadonlySet<number>, min: number, max: number): string | null => {
  const all = sorted(values)
  if (all[0] !== min) return null
  const step = all.length > 1 ? all[1]! - min : max
  const every: Array<number> = []
  for (let value = min; value <= max; value += step) every.push(value)
  if (step > 1 && every.length === all.length && every.every((value, index) => value === all[index])) return `*/${step}`
  return `*/${max},${listed(all)}`
}

/** Five fields, six when its seconds are not just 0. Null when no text says the same. */
export const of = (cron: Cron.Cron): string | null => {
  const { days, hours, minutes, months, seconds, weekdays } = cron
  let day = field(days)
  let weekday = field(weekdays)
  if (days.size !== 0 && weekdays.size !== 0 && asksForBoth(cron)) {
    const starredDay = starred(days, 1, 31)
    if (starredDay === null) weekday = starred(weekdays, 0, 7) ?? weekday
    else day = starredDay
  }
  const text = [field(minutes), field(hours), day, field(months), weekday].join(" ")
  const whole = seconds.size === 1 && seconds.has(0) ? text : `${field(seconds)} ${text}`
  const parsed = Cron.parse(whole)
  return Either.isRight(parsed) && same(parsed.right, cron) ? whole : null
}

// A flag for both means nothing unless both are there.
const same = (a: Cron.Cron, b: Cron.Cron): boolean => Cron.equals(a, b) || (oneIsFree(a) && equalButForBoth(a, b))

const oneIsFree = ({ days, weekdays }: Cron.Cron) => days.size === 0 || weekdays.size === 0

const equalButForBoth = (a: Cron.Cron, b: Cron.Cron) =>
  Cron.equals(Cron.make({ ...a, tz: undefined, and: true }), Cron.make({ ...b, tz: undefined, and: true }))
