/**
 * Which dates and times of day a cron expression names, on a calendar without time zone: "wall" milliseconds, counted as if the
 * clock on the wall showed UTC. Pure. `effect/Cron` parses, this searches: its own search backwards answers days that do not
 * match, and forwards it gives up after 10,000 days (docs/decisions.md).
 */
import * as Cron from "effect/Cron"

/** The dates and times that match, in whole seconds. */
export interface Calendar {
  /** The first one later than `wall`, null when there is none. */
  readonly next: (wall: number) => number | null
  /** The latest one at or before `wall`, null when there is none. */
  readonly latest: (wall: number) => number | null
  /** Whether every hour of a day matches. */
  readonly everyHour: boolean
}

const daySeconds = 86_400

// The longest wait is for 29 February on one day of the week: 40 years, around a year such as 2100.
const mostDays = 41 * 366

type Direction = 1 | -1

/** The values of one field, to search in one direction: the first one, and the nearest one to each value. */
interface Field {
  readonly first: number
  readonly from: ReadonlyArray<number | undefined>
}

const fieldOf = (values: ReadonlySet<number>, size: number, direction: Direction): Field => {
  const from = new Array<number | undefined>(size)
  let nearest: number | undefined
  let first = 0
  for (let step = 1; step <= size; step++) {
    const value = direction === 1 ? size - step : step - 1
    if (values.size === 0 || values.has(value)) nearest = value
    from[value] = nearest
  }
  if (nearest !== undefined) first = from[direction === 1 ? 0 : size - 1]!
  return { first, from }
}

// The nearest second of the day that matches, from this one on in the direction.
const timesOf = (cron: Cron.Cron, direction: Direction) => {
  const hours = fieldOf(cron.hours, 24, direction)
  const minutes = fieldOf(cron.minutes, 60, direction)
  const seconds = fieldOf(cron.seconds, 60, direction)
  const at = (hour: number, minute: number, second: number) => hour * 3600 + minute * 60 + second
  const first = at(hours.first, minutes.first, seconds.first)
  const from = (time: number): number | null => {
    const hour = Math.floor(time / 3600)
    const minute = Math.floor(time / 60) % 60
    if (hours.from[hour] === hour) {
      const second = minutes.from[minute] === minute ? seconds.from[time % 60] : undefined
      if (second !== undefined) return at(hour, minute, second)
      const later = minutes.from[minute + direction]
      if (later !== undefined) return at(hour, later, seconds.first)
    }
    const later = hours.from[hour + direction]
    return later === undefined ? null : at(later, minutes.first, seconds.first)
  }
  return { first, from }
}

/** Whether day of the month and day of the week must both match, where both are given: cron itself asks for either. */
export const asksForBoth = (cron: Cron.Cron): boolean =>
  Cron.equals(cron, Cron.make({ ...cron, tz: undefined, and: true }))

const daysOf = (cron: Cron.Cron): (day: number) => boolean => {
  const { days, months, weekdays } = cron
  const both = days.size === 0 || weekdays.size === 0 || asksForBoth(cron)
  const matches = (day: number): boolean => {
    const date = new Date(day * daySeconds * 1000)
    if (months.size !== 0 && !months.has(date.getUTCMonth() + 1)) return false
    const ofMonth = days.size === 0 || days.has(date.getUTCDate())
    const ofWeek = weekdays.size === 0 || weekdays.has(date.getUTCDay())
    return both ? ofMonth && ofWeek : ofMonth || ofWeek
  }
  // Slots of one day are mostly asked for in a row.
  let last = Number.NaN
  let matched = false
  return (day) => {
    if (day !== last) {
      matched = matches(day)
      last = day
    }
    return matched
  }
}

export const make = (cron: Cron.Cron): Calendar => {
  const days = daysOf(cron)
  const search = (direction: Direction) => {
    const times = timesOf(cron, direction)
    return (second: number): number | null => {
      const day = Math.floor(second / daySeconds)
      const time = days(day) ? times.from(second - day * daySeconds) : null
      if (time !== null) return (day * daySeconds + time) * 1000
      for (let step = 1; step <= mostDays; step++) {
        const other = day + direction * step
        if (days(other)) return (other * daySeconds + times.first) * 1000
      }
      return null
    }
  }
  const forwards = search(1)
  const backwards = search(-1)
  return {
    next: (wall) => forwards(Math.floor(wall / 1000) + 1),
    latest: (wall) => backwards(Math.floor(wall / 1000)),
    everyHour: cron.hours.size === 0 || cron.hours.size === 24
  }
}
