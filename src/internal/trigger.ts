/**
 * When the slots of a schedule are: read from its options, and reckoned. Pure; what `internal/cronSlots.ts` says of clocks that
 * are put forward and back holds for every cron expression.
 */
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Trigger } from "../TaskScheduleInfo.js"
import * as CronCalendar from "./cronCalendar.js"
import * as CronSlots from "./cronSlots.js"
import * as CronText from "./cronText.js"
import { inWords } from "./shown.js"
import * as ZoneSpans from "./zoneSpans.js"

/** What is wrong with the options, and what to write instead. `path` is the option. */
export interface Problem {
  readonly path: "every" | "cron" | "timezone"
  readonly message: string
}

/** The shortest and the longest interval, in milliseconds. */
export const minMillis = 10
export const maxMillis = 3650 * 86_400_000

/** How many slots are counted; more are `Infinity`. */
export const mostCounted = 100_000

const mostText = 1000

const nicknames: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

type Checked<A> = Either.Either<A, Problem>

const wrong = (path: Problem["path"], message: string): Either.Either<never, Problem> => Either.left({ path, message })

/** Reads the options of a schedule: `every`, or `cron` with its `timezone` (default UTC). */
export const make = (options: {
  readonly every?: Duration.DurationInput | undefined
  readonly cron?: string | Cron.Cron | undefined
  readonly timezone?: string | undefined
}): Checked<Trigger> => {
  const { cron, every, timezone } = options
  if (every !== undefined && cron !== undefined) {
    return wrong("cron", "every and cron are both given: a schedule has one of them")
  }
  if (cron !== undefined) return ofCron(cron, timezone)
  if (every === undefined) {
    return wrong("every", "neither every nor cron is given: as every: \"5 minutes\", or cron: \"0 3 * * *\"")
  }
  if (timezone !== undefined) return wrong("timezone", "timezone is given with every: it is for cron alone")
  return ofEvery(every)
}

const ofEvery = (every: Duration.DurationInput): Checked<Trigger> => {
  const millis = Option.match(Duration.decodeUnknown(every), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  return Number.isInteger(millis) && millis >= minMillis && millis <= maxMillis
    ? Either.right({ _tag: "Every", millis })
    : wrong(
      "every",
      `every is ${inWords(every)}: a duration of whole milliseconds from 10 milliseconds to 3650 days, as "5 minutes"`
    )
}

const zoneOf = (timezone: string): Option.Option<DateTime.TimeZone> => {
  const offset = /^([+-])(\d\d):([0-5]\d)$/.exec(timezone)
  if (offset === null) return /^[A-Za-z]/.test(timezone) ? DateTime.zoneMakeNamed(timezone) : Option.none()
  const minutes = Number(offset[2]) * 60 + Number(offset[3])
  return minutes > 14 * 60
    ? Option.none()
    : Option.some(DateTime.zoneMakeOffset((offset[1] === "-" ? -1 : 1) * minutes * 60_000))
}

const checkedZone = (timezone: string): Checked<DateTime.TimeZone> =>
  Either.fromOption(zoneOf(timezone), () => ({
    path: "timezone" as const,
    message: `timezone is ${inWords(timezone)}: a name as "Europe/Rome", or an offset as "+02:00"`
  }))

const ofCron = (cron: string | Cron.Cron, timezone: string | undefined): Checked<Trigger> =>
  Either.gen(function*() {
    const expression = yield* typeof cron === "string" ? ofText(cron) : ofValue(cron)
    const itsZone = typeof cron === "string"
      ? undefined
      : Option.getOrUndefined(Option.map(cron.tz, DateTime.zoneToString))
    if (timezone !== undefined && itsZone !== undefined && timezone !== itsZone) {
      return yield* wrong("timezone", `timezone is ${inWords(timezone)}, and cron has ${itsZone}: give it once`)
    }
    const name = timezone ?? itsZone ?? "UTC"
    yield* checkedZone(name)
    return { _tag: "Cron" as const, expression, timezone: name }
  })

const explained = "five fields (minute hour day month weekday), or six with seconds before them, as \"0 3 * * *\""

const ofText = (cron: string): Checked<string> => {
  const expression = cron.trim().replace(/\s+/g, " ")
  const shown = JSON.stringify(expression.length > 80 ? `${expression.slice(0, 80)}…` : expression)
  if (expression.length > mostText) return wrong("cron", `cron is ${shown}: at most ${mostText} characters`)
  const nickname = expression.toLowerCase()
  const instead = Object.hasOwn(nicknames, nickname) ? nicknames[nickname] : undefined
  if (instead !== undefined) return wrong("cron", `cron is ${shown}: write it as ${JSON.stringify(instead)}`)
  return Either.match(Cron.parse(expression), {
    onLeft: ({ input, message }) =>
      wrong(
        "cron",
        input === undefined || input === expression
          ? `cron is ${shown}: ${explained}`
          : `cron is ${shown}: ${message[0]!.toLowerCase()}${message.slice(1)} in ${JSON.stringify(input.slice(0, 80))}`
      ),
    onRight: (found) =>
      CronCalendar.make(found).next(0) === null
        ? wrong("cron", `cron is ${shown}: no day is ever like that`)
        : Either.right(expression)
  })
}

const ofValue = (cron: Cron.Cron): Checked<string> => {
  if (!Cron.isCron(cron)) return wrong("cron", `cron is ${inWords(cron)}: a text or a Cron of Effect`)
  const expression = CronText.of(cron)
  return expression === null
    ? wrong(
      "cron",
      "cron is a Cron that no text says: its values are out of range, or it asks for days of the month and of the week at once"
    )
    : ofText(expression)
}

// Rows are read again and again, and most schedules say one of few things: what was parsed is kept, the oldest goes first.
const parsed = new Map<string, CronSlots.CronSlots | null>()
const mostParsed = 2000

// Null: not of `make`, and not to be read.
const slotsOf = ({ expression, timezone }: Extract<Trigger, { _tag: "Cron" }>): CronSlots.CronSlots | null => {
  const key = `${timezone} ${expression}`
  const known = parsed.get(key)
  if (known !== undefined) return known
  const cron = Cron.parse(expression)
  const zone = zoneOf(timezone)
  const slots = Either.isLeft(cron) || Option.isNone(zone)
    ? null
    : CronSlots.make(CronCalendar.make(cron.right), ZoneSpans.make(zone.value))
  if (parsed.size >= mostParsed) parsed.delete(parsed.keys().next().value!)
  parsed.set(key, slots)
  return slots
}

/** The first slot later than `after`, null when there is none. The slots of `Every` are `anchor` and n intervals, n from 1. */
export const next = (trigger: Trigger, anchor: number, after: number): number | null => {
  if (trigger._tag === "Cron") return slotsOf(trigger)?.next(after) ?? null
  const slot = anchor + Math.max(1, Math.floor((after - anchor) / trigger.millis) + 1) * trigger.millis
  return Number.isSafeInteger(slot) ? slot : null
}

/** The latest slot at or before `at` and later than `after`, null when there is none. */
export const latest = (trigger: Trigger, anchor: number, after: number, at: number): number | null => {
  const slot = trigger._tag === "Cron"
    ? slotsOf(trigger)?.latest(at) ?? null
    : latestOfEvery(trigger.millis, anchor, at)
  return slot !== null && slot > after ? slot : null
}

const latestOfEvery = (millis: number, anchor: number, at: number): number | null => {
  const count = Math.floor((at - anchor) / millis)
  return count >= 1 && Number.isSafeInteger(count) ? anchor + count * millis : null
}

/**
 * The slots later than `after`, up to and with `to`: the newest `most` of them, oldest first, and how many there are in all.
 * Counted from the newest, so a long time costs no more than `mostCounted` slots.
 */
export const between = (
  trigger: Trigger,
  anchor: number,
  after: number,
  to: number,
  most: number
): { readonly slots: ReadonlyArray<number>; readonly total: number } => {
  const slots: Array<number> = []
  const wanted = Math.min(most, mostCounted)
  if (trigger._tag === "Every") {
    const newest = latest(trigger, anchor, after, to)
    if (newest === null) return { slots, total: 0 }
    const total = (newest - next(trigger, anchor, after)!) / trigger.millis + 1
    for (let back = Math.min(total, wanted) - 1; back >= 0; back--) slots.push(newest - back * trigger.millis)
    return { slots, total: total > mostCounted ? Number.POSITIVE_INFINITY : total }
  }
  let total = 0
  for (let slot = latest(trigger, anchor, after, to); slot !== null; slot = latest(trigger, anchor, after, slot - 1)) {
    if (++total > mostCounted) break
    if (total <= wanted) slots.push(slot)
  }
  return { slots: slots.reverse(), total: total > mostCounted ? Number.POSITIVE_INFINITY : total }
}

const units: ReadonlyArray<readonly [name: string, millis: number]> = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
  ["millisecond", 1]
]

/** In words: "every 5 minutes", "every hour", or the cron expression with its zone. */
export const text = (trigger: Trigger): string => {
  if (trigger._tag === "Cron") return `${trigger.expression} (${trigger.timezone})`
  const parts: Array<string> = []
  let rest = trigger.millis
  for (const [name, millis] of units) {
    const count = Math.floor(rest / millis)
    rest -= count * millis
    if (count !== 0) parts.push(count === 1 ? `1 ${name}` : `${count} ${name}s`)
  }
  return `every ${parts.length === 1 ? parts[0]!.replace(/^1 /, "") : parts.join(" ")}`
}
