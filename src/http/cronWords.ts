/**
 * A cron expression in English words, where it is one of the forms that people write most. Null for all others: the expression is shown
 * as it is rather than described almost right. Pure.
 */

const lists = new Intl.ListFormat("en-GB", { type: "conjunction" })
const weekdays = new Intl.DateTimeFormat("en-GB", { weekday: "long", timeZone: "UTC" })
const dates = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" })

// The fourth of January 1970 was a Sunday.
const weekday = (day: number): string => weekdays.format(Date.UTC(1970, 0, 4 + day % 7))
const date = (day: number, month: number): string => dates.format(Date.UTC(1972, month - 1, day))

const mostTimes = 4

/** `7`, or `7,19`; null for anything else. */
const numbers = (field: string, most: number): ReadonlyArray<number> | null => {
  if (!/^\d{1,2}(,\d{1,2})*$/.test(field)) return null
  const all = field.split(",").map(Number)
  return all.length <= most ? all : null
}

/** The step of a field as "every fifth", where it divides the whole, so that it really is every so often. */
const step = (field: string, whole: number): number | null => {
  const n = Number(/^\*\/(\d{1,2})$/.exec(field)?.[1] ?? 0)
  return n > 1 && whole % n === 0 ? n : null
}

const two = (value: number): string => String(value).padStart(2, "0")

const names: Readonly<Record<string, string>> = { sun: "0", mon: "1", tue: "2", wed: "3", thu: "4", fri: "5", sat: "6" }

const daysOf = (field: string): string | null => {
  const plain = field.toLowerCase().replace(/[a-z]{3}/g, (name) => names[name] ?? name)
  const range = /^([0-7])-([0-7])$/.exec(plain)
  if (range !== null) return `${weekday(Number(range[1]))} to ${weekday(Number(range[2]))}`
  const all = numbers(plain, 7)
  return all === null ? null : lists.format(all.map(weekday))
}

const timesOf = (minute: string, hour: string): string | null => {
  const minutes = numbers(minute, 1)
  const hours = numbers(hour, mostTimes)
  return minutes === null || hours === null ? null : lists.format(hours.map((one) => `${two(one)}:${two(minutes[0]!)}`))
}

const often = (minute: string, hour: string): string | null => {
  if (hour === "*" && minute === "*") return "every minute"
  const minutes = hour === "*" ? step(minute, 60) : null
  if (minutes !== null) return `every ${minutes} minutes`
  const at = numbers(minute, 1)
  if (at === null) return null
  const hours = step(hour, 24)
  const past = at[0] === 0 ? "" : ` at :${two(at[0]!)}`
  return hour === "*" ? `every hour${past}` : hours === null ? null : `every ${hours} hours${past}`
}

const secondly = (fields: ReadonlyArray<string>): string | null => {
  const [second = "", ...others] = fields
  if (others.some((field) => field !== "*")) return null
  if (second === "*") return "every second"
  const seconds = step(second, 60)
  return seconds === null ? null : `every ${seconds} seconds`
}

/** `0 3 * * *` as "every day at 03:00". */
export const cronInWords = (expression: string): string | null => {
  const fields = expression.trim().split(/\s+/)
  if (fields.length === 6 && fields[0] !== "0") return secondly(fields)
  const [minute = "", hour = "", day = "", month = "", week = "", more] = fields.slice(-5)
  if (fields.length < 5 || fields.length > 6 || more !== undefined) return null
  const isEveryDay = day === "*" && month === "*" && week === "*"
  const times = timesOf(minute, hour)
  if (times === null) return isEveryDay ? often(minute, hour) : null
  if (isEveryDay) return `every day at ${times}`
  if (day === "*" && month === "*") {
    const days = daysOf(week)
    return days === null ? null : `${days} at ${times}`
  }
  const days = week === "*" ? numbers(day, mostTimes) : null
  if (days === null) return null
  if (month === "*") return `day ${lists.format(days.map(String))} of the month at ${times}`
  const months = numbers(month, 1)
  return months === null
    ? null
    : `every year on ${lists.format(days.map((one) => date(one, months[0]!)))} at ${times}`
}
