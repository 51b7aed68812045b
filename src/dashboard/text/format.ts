/** Numbers, spans and times as people read them. Everything that depends on the language goes through Intl. Pure. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 })
const twoDigits = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, minimumFractionDigits: 2 })
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 })
const part = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 })
const plurals = new Intl.PluralRules(undefined)

export const count = (value: number): string => whole.format(value)

/** A count that may be a floor: "10,000+". */
export const countAtLeast = (value: number, isFloor: boolean): string => `${whole.format(value)}${isFloor ? "+" : ""}`

/** A count that takes little room: "318", "12K". */
export const short = (value: number): string => value < 10_000 ? count(value) : compact.format(value)

/** With one digit behind the point. */
export const oneDigit = (value: number): string => tenths.format(value)

/** A share in percent, without the sign. */
export const sharePart = (value: number): string => part.format(value * 100)

const sizes: ReadonlyArray<readonly [string, number]> = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]

/** A size in memory: "212 MB", "1.4 GB". */
export const bytes = (value: number): string => {
  const [unit, size] = sizes.find(([, least]) => value >= least) ?? ["B", 1]
  return `${
    rate(Math.round(value / size * 10) / 10 < 10 ? Math.round(value / size * 10) / 10 : Math.round(value / size))
  } ${unit}`
}

export const share = (value: number): string => percent.format(value)

/** How many in some time: with a digit behind the point where that says something; something is never said as none. */
export const rate = (value: number): string =>
  value > 0 && value < 0.05
    ? `<${tenths.format(0.1)}`
    : value < 10 && !Number.isInteger(value)
    ? tenths.format(value)
    : count(value)

export const perSecond = (value: number): string => `${rate(value)}/s`

/** What the server says, as a sentence of its own. */
export const sentence = (text: string): string =>
  `${text.charAt(0).toLocaleUpperCase()}${text.slice(1)}${/[.!?"]$/.test(text) ? "" : "."}`

/** Picks the form for a count: `plural(n, "run", "runs")`. */
export const plural = (value: number, one: string, other: string): string =>
  plurals.select(value) === "one" ? one : other

const pad = (value: number): string => String(value).padStart(2, "0")

/** A span: "340 ms", "4.2 s", "3m 05s", "1h 12m", "3d 4h". */
export const duration = (millis: number): string => {
  if (millis < 1_000) return `${whole.format(Math.max(0, millis))} ms`
  if (millis < 9_995) return `${twoDigits.format(millis / 1_000).replace(/0$/, "")} s`
  if (millis < 59_950) return `${tenths.format(millis / 1_000)} s`
  const seconds = Math.round(millis / 1_000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${pad(seconds % 60)}s`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours}h ${pad(minutes % 60)}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** The same on an axis, where round ones need no digits behind the point: "5 s". */
export const wholeDuration = (millis: number): string =>
  millis >= 1_000 && millis < 60_000 && millis % 1_000 === 0 ? `${whole.format(millis / 1_000)} s` : duration(millis)

/** How long until something, in whole seconds while they count: "12 s", "3m 05s". */
export const countdown = (millis: number): string =>
  millis < 59_000 ? `${Math.ceil(millis / 1_000)} s` : duration(Math.ceil(millis / 1_000) * 1_000)

/** How long ago, in one unit: "4s", "12m", "3h", "5d". */
export const age = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1_000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

interface Shown {
  readonly time: Intl.DateTimeFormat
  readonly short: Intl.DateTimeFormat
  readonly full: Intl.DateTimeFormat
  readonly day: Intl.DateTimeFormat
  readonly moment: Intl.DateTimeFormat
  readonly date: Intl.DateTimeFormat
}

const formats = (timeZone: string | undefined): Shown => {
  const zone = timeZone === undefined ? {} : { timeZone }
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const
  return {
    time: new Intl.DateTimeFormat(undefined, { ...zone, ...clock, second: "2-digit" }),
    short: new Intl.DateTimeFormat(undefined, { ...zone, ...clock }),
    day: new Intl.DateTimeFormat(undefined, { ...zone, ...clock, month: "short", day: "numeric" }),
    date: new Intl.DateTimeFormat(undefined, { ...zone, month: "short", day: "numeric" }),
    moment: new Intl.DateTimeFormat(undefined, {
      ...zone,
      ...clock,
      month: "short",
      day: "numeric",
      second: "2-digit"
    }),
    full: new Intl.DateTimeFormat(undefined, {
      ...zone,
      ...clock,
      year: "numeric",
      month: "short",
      day: "numeric",
      second: "2-digit",
      timeZoneName: "short"
    })
  }
}

const local = formats(undefined)
const universal = formats("UTC")

const of = (utc: boolean): Shown => utc ? universal : local

/** "09:58:41" */
export const time = (millis: number, utc: boolean): string => of(utc).time.format(millis)
/** "09:58" */
export const shortTime = (millis: number, utc: boolean): string => of(utc).short.format(millis)
/** "09:58:41.206" */
export const preciseTime = (millis: number, utc: boolean): string =>
  `${time(millis, utc)}.${String(new Date(millis).getMilliseconds()).padStart(3, "0")}`
/** The time, with its day when that is not today. */
export const nearTime = (millis: number, now: number, utc: boolean): string =>
  Math.abs(now - millis) < 43_200_000 ? time(millis, utc) : of(utc).day.format(millis)
/** "Nov 27, 09:58" */
export const dayOf = (millis: number, utc: boolean): string => of(utc).day.format(millis)
/** "27 Nov" */
export const dateOf = (millis: number, utc: boolean): string => of(utc).date.format(millis)
/** "27 Nov, 09:58:41" */
export const momentOf = (millis: number, utc: boolean): string => of(utc).moment.format(millis)
/** The day and the time in any zone that the browser knows. */
export const dayIn = (millis: number, timeZone: string): string =>
  new Intl.DateTimeFormat(undefined, {
    timeZone,
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23"
  }).format(millis)
/** With the day and the zone. */
export const fullTime = (millis: number, utc: boolean): string => of(utc).full.format(millis)
