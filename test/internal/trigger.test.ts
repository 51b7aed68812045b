import "../support/seed.js"
import { describe, expect, it } from "@effect/vitest"
import { Cron, DateTime, Duration, Either, FastCheck as fc } from "effect"
import * as Trigger from "../../src/internal/trigger.js"
import type { Trigger as Type } from "../../src/TaskScheduleInfo.js"

type Options = Parameters<typeof Trigger.make>[0]

const make = (options: Options): Type =>
  Either.getOrThrowWith(Trigger.make(options), ({ message }) => new Error(message))
const problem = (options: Options) =>
  Either.match(Trigger.make(options), { onLeft: (found) => found, onRight: () => null })
const cron = (expression: string, timezone = "UTC") => make({ cron: expression, timezone })
const at = (text: string) => Date.parse(text)

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** The slots of a trigger with from < slot <= to, one after the other. */
const following = (trigger: Type, from: number, to: number): Array<number> => {
  const slots: Array<number> = []
  for (let slot = Trigger.next(trigger, 0, from); slot !== null && slot <= to; slot = Trigger.next(trigger, 0, slot)) {
    slots.push(slot)
  }
  return slots
}

const clockTimes = (slots: ReadonlyArray<number>) =>
  slots.map((slot) => new Date(slot).toISOString().slice(11, 16)).join(" ")

describe("trigger", () => {
  describe("options", () => {
    it.each<[string, Options, Type]>([
      ["an interval", { every: "5 minutes" }, { _tag: "Every", millis: 300_000 }],
      ["a number is milliseconds", { every: 200 }, { _tag: "Every", millis: 200 }],
      ["the shortest", { every: Duration.millis(10) }, { _tag: "Every", millis: 10 }],
      ["five fields in UTC", { cron: "0 3 * * *" }, { _tag: "Cron", expression: "0 3 * * *", timezone: "UTC" }],
      [
        "six fields, spaces and a zone",
        { cron: " */5  * * * *\tMON ", timezone: "Europe/Rome" },
        { _tag: "Cron", expression: "*/5 * * * * MON", timezone: "Europe/Rome" }
      ],
      ["an offset", { cron: "* * * * *", timezone: "+05:30" }, {
        _tag: "Cron",
        expression: "* * * * *",
        timezone: "+05:30"
      }],
      ["GMT", { cron: "* * * * *", timezone: "GMT" }, { _tag: "Cron", expression: "* * * * *", timezone: "GMT" }],
      [
        "a Cron with its zone",
        { cron: Cron.unsafeParse("*/15 9-17 * * 1-5", "Europe/Rome") },
        { _tag: "Cron", expression: "0,15,30,45 9-17 * * 1-5", timezone: "Europe/Rome" }
      ],
      [
        "a Cron of every second",
        { cron: Cron.unsafeParse("* * * * * *"), timezone: "Asia/Tokyo" },
        { _tag: "Cron", expression: "* * * * * *", timezone: "Asia/Tokyo" }
      ],
      [
        "a Cron in an offset",
        { cron: Cron.unsafeParse("0 0 1 * *", DateTime.zoneMakeOffset(-2 * hour)) },
        { _tag: "Cron", expression: "0 0 1 * *", timezone: "-02:00" }
      ],
      [
        "a Cron that asks for both days",
        { cron: Cron.unsafeParse("0 0 */2 * 1") },
        { _tag: "Cron", expression: "0 0 */2 * 1", timezone: "UTC" }
      ],
      [
        "a Cron that asks for both days, listed",
        { cron: Cron.make({ minutes: [0], hours: [0], days: [1, 2, 3, 9], months: [], weekdays: [5], and: true }) },
        { _tag: "Cron", expression: "0 0 */31,1-3,9 * 5", timezone: "UTC" }
      ],
      [
        "a Cron whose flag for both says nothing",
        { cron: Cron.make({ minutes: [0], hours: [0], days: [13], months: [], weekdays: [], and: true }) },
        { _tag: "Cron", expression: "0 0 13 * *", timezone: "UTC" }
      ]
    ])("%s", (_, options, expected) => {
      expect(make(options)).toEqual(expected)
    })

    it.each<[string, Options, Trigger.Problem["path"], string]>([
      ["both", { every: "1 minute", cron: "* * * * *" }, "cron", "every and cron are both given"],
      ["neither", {}, "every", "neither every nor cron is given"],
      ["zero", { every: 0 }, "every", "every is 0: a duration of whole milliseconds from 10 milliseconds to 3650 days"],
      ["negative", { every: -5 }, "every", "every is -5: a duration"],
      ["negative in words", { every: "-5 minutes" }, "every", "every is \"-5 minutes\": a duration"],
      ["too short", { every: 9 }, "every", "every is 9: a duration"],
      ["half a millisecond", { every: 10.5 }, "every", "every is 10.5: a duration"],
      ["NaN", { every: Number.NaN }, "every", "every is NaN: a duration"],
      ["for ever", { every: Duration.infinity }, "every", "every is Duration(Infinity): a duration"],
      ["too long", { every: "3651 days" }, "every", "every is \"3651 days\": a duration"],
      ["no duration", { every: "soon" as never }, "every", "every is \"soon\": a duration"],
      ["a zone with every", { every: 1000, timezone: "UTC" }, "timezone", "timezone is given with every"],
      ["an empty cron", { cron: "" }, "cron", "cron is \"\": five fields (minute hour day month weekday), or six"],
      ["four fields", { cron: "* * * *" }, "cron", "cron is \"* * * *\": five fields"],
      ["a value out of range", { cron: "61 * * * *" }, "cron", "expected a value between 0 and 59 in \"61\""],
      ["no number", { cron: "0 noon * * *" }, "cron", "expected a positive integer in \"noon\""],
      ["a step of none", { cron: "*/0 * * * *" }, "cron", "expected step value to be greater than 0 in \"*/0\""],
      ["a nickname", { cron: "@daily" }, "cron", "cron is \"@daily\": write it as \"0 0 * * *\""],
      ["a nickname in capitals", { cron: "@HOURLY" }, "cron", "write it as \"0 * * * *\""],
      ["what every object has", { cron: "constructor" }, "cron", "cron is \"constructor\": five fields"],
      ["30 February", { cron: "0 0 30 2 *" }, "cron", "cron is \"0 0 30 2 *\": no day is ever like that"],
      ["a text without end", { cron: `${"1,".repeat(600)}1 * * * *` }, "cron", "at most 1000 characters"],
      ["no text", { cron: 5 as never }, "cron", "cron is 5: a text or a Cron"],
      [
        "a Cron that no text says",
        { cron: Cron.make({ minutes: [0], hours: [0], days: [13], months: [], weekdays: [5], and: true }) },
        "cron",
        "cron is a Cron that no text says"
      ],
      [
        "a Cron out of range",
        { cron: Cron.make({ minutes: [75], hours: [0], days: [], months: [], weekdays: [] }) },
        "cron",
        "cron is a Cron that no text says"
      ],
      [
        "no such zone",
        { cron: "* * * * *", timezone: "Europe/Rom" },
        "timezone",
        "timezone is \"Europe/Rom\": a name as"
      ],
      ["an empty zone", { cron: "* * * * *", timezone: "" }, "timezone", "timezone is \"\": a name"],
      ["an offset of nowhere", { cron: "* * * * *", timezone: "+15:00" }, "timezone", "timezone is \"+15:00\": a name"],
      ["an offset in other words", { cron: "* * * * *", timezone: "x+03:00" }, "timezone", "timezone is \"x+03:00\""],
      [
        "two zones",
        { cron: Cron.unsafeParse("* * * * *", "Europe/Rome"), timezone: "UTC" },
        "timezone",
        "timezone is \"UTC\", and cron has Europe/Rome: give it once"
      ]
    ])("%s is a problem, and says what to write", (_, options, path, message) => {
      expect(problem(options)).toMatchObject({ path, message: expect.stringContaining(message) })
    })

    it("a Cron becomes text that parses to the same Cron", () => {
      const set = (min: number, max: number) => fc.uniqueArray(fc.integer({ min, max }), { maxLength: max - min + 1 })
      const crons = fc.record({
        seconds: set(0, 59),
        minutes: set(0, 59),
        hours: set(0, 23),
        days: set(1, 31),
        months: set(1, 12),
        weekdays: set(0, 6)
      })
      fc.assert(fc.property(crons, (values) => {
        const given = Cron.make(values)
        const made = Trigger.make({ cron: given })
        if (Either.isLeft(made)) return expect(made.left.message).toContain("no day is ever like that")
        if (made.right._tag === "Cron") expect(Cron.equals(Cron.unsafeParse(made.right.expression), given)).toBe(true)
      }))
    })

    it.each<[Options, string]>([
      [{ every: "5 minutes" }, "every 5 minutes"],
      [{ every: "1 hour" }, "every hour"],
      [{ every: 200 }, "every 200 milliseconds"],
      [{ every: "90 minutes" }, "every 1 hour 30 minutes"],
      [{ every: "7 days" }, "every 7 days"],
      [{ cron: "0 9 * * 1-5", timezone: "Europe/Rome" }, "0 9 * * 1-5 (Europe/Rome)"]
    ])("%j in words", (options, words) => {
      expect(Trigger.text(make(options))).toBe(words)
    })
  })

  describe("every", () => {
    const trigger = make({ every: 200 })

    it("counts from the anchor, not from when it is asked", () => {
      expect(Trigger.next(trigger, 1007, 0)).toBe(1207)
      expect(Trigger.next(trigger, 1007, 1207)).toBe(1407)
      expect(Trigger.next(trigger, 1007, 1406)).toBe(1407)
      expect(Trigger.latest(trigger, 1007, 0, 1206)).toBeNull()
      expect(Trigger.latest(trigger, 1007, 0, 1207)).toBe(1207)
      expect(Trigger.latest(trigger, 1007, 1207, 1406)).toBeNull()
      expect(Trigger.between(trigger, 1007, 1207, 1807, 2)).toEqual({ slots: [1607, 1807], total: 3 })
      expect(Trigger.between(trigger, 1007, 1207, 1206, 2)).toEqual({ slots: [], total: 0 })
    })

    it("counts no further than it must", () => {
      const { slots, total } = Trigger.between(make({ every: 10 }), 0, 0, 365 * day, 1000)
      expect(total).toBe(Number.POSITIVE_INFINITY)
      expect(slots).toHaveLength(1000)
      expect(slots[999]).toBe(365 * day)
    })
  })

  describe("cron on the calendar", () => {
    // Effect's own search forwards is right where no clock is changed and no days are awaited for long.
    it("has the slots that Effect's Cron has in UTC", () => {
      const set = (min: number, max: number) =>
        fc.oneof(
          fc.constant<Array<number>>([]),
          fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 })
        )
      const crons = fc.record({
        seconds: set(0, 59),
        minutes: set(0, 59),
        hours: set(0, 23),
        days: set(1, 28),
        months: set(1, 12),
        weekdays: set(0, 6)
      })
      const from = fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2032-01-01T00:00:00Z") })
      fc.assert(
        fc.property(crons, from, (values, start) => {
          const given = Cron.make({ ...values, tz: DateTime.zoneMakeOffset(0) })
          const trigger = make({ cron: given })
          let expected = start
          const slots: Array<number> = []
          for (let count = 0; count < 5; count++) {
            slots.push(expected = Cron.next(given, expected).getTime())
            expect(Trigger.next(trigger, 0, slots[count - 1] ?? start)).toBe(expected)
          }
          expect(Trigger.between(trigger, 0, start, expected, 10)).toEqual({ slots, total: 5 })
        }),
        { numRuns: 200 }
      )
    })

    it("finds days backwards that a month does not have", () => {
      expect(Trigger.latest(cron("0 0 31 * *"), 0, 0, at("2024-05-15T00:00:00Z"))).toBe(at("2024-03-31T00:00:00Z"))
      expect(Trigger.latest(cron("0 0 30,31 4 *"), 0, 0, at("2024-07-15T00:00:00Z"))).toBe(at("2024-04-30T00:00:00Z"))
    })

    it("finds a 29 February that is a Sunday, 40 years on", () => {
      const trigger = cron("0 0 */28 2 0", "America/New_York")
      const sundays = following(trigger, at("2076-03-02T00:00:00Z"), at("2130-01-01T00:00:00Z"))
        .filter((slot) => new Date(slot).getUTCDate() === 29)
      expect(sundays.map((slot) => new Date(slot).getUTCFullYear())).toEqual([2088, 2128])
      expect(Trigger.next(cron("0 0 29 2 *", "Europe/Rome"), 0, at("2096-03-01T00:00:00Z"))).toBe(
        at("2104-02-28T23:00:00Z")
      )
    })

    it("counts no further than it must", () => {
      const end = at("2034-01-01T00:00:00Z")
      const { slots, total } = Trigger.between(cron("* * * * * *", "America/New_York"), 0, 0, end, 1000)
      expect(total).toBe(Number.POSITIVE_INFINITY)
      expect([slots[0], slots[999]]).toEqual([end - 999_000, end])
      expect(Trigger.between(cron("0 12 1 1 *"), 0, 0, end, 2)).toEqual({
        slots: [at("2032-01-01T12:00:00Z"), at("2033-01-01T12:00:00Z")],
        total: 64
      })
    })

    it("answers nothing beyond what a date can be, nor for a text that is not one", () => {
      expect(Trigger.next(cron("* * * * *", "Europe/Rome"), 0, Number.MAX_SAFE_INTEGER)).toBeNull()
      expect(Trigger.next(cron("* * * * *"), 0, Number.POSITIVE_INFINITY)).toBeNull()
      expect(Trigger.latest(cron("* * * * *"), 0, -1, Number.NEGATIVE_INFINITY)).toBeNull()
      expect(Trigger.next({ _tag: "Cron", expression: "nonsense", timezone: "UTC" }, 0, 0)).toBeNull()
      expect(Trigger.latest({ _tag: "Cron", expression: "* * * * *", timezone: "Mars/Olympus" }, 0, 0, 1e12)).toBeNull()
    })
  })

  describe("clocks that are changed", () => {
    it.each<[string, string, string, string, string, string]>([
      // America/New_York, 10 March 2024: 02:00 is 03:00 at 07:00Z.
      [
        "a nightly time that is skipped is an hour later",
        "30 2 * * *",
        "America/New_York",
        "2024-03-10T05:00Z",
        "2024-03-11T05:00Z",
        "07:30"
      ],
      [
        "skipped times stay apart",
        "*/15 2 * * *",
        "America/New_York",
        "2024-03-10T05:00Z",
        "2024-03-11T05:00Z",
        "07:00 07:15 07:30 07:45"
      ],
      [
        "a skipped time that falls on a slot is that slot",
        "30 2,3 * * *",
        "America/New_York",
        "2024-03-10T05:00Z",
        "2024-03-11T05:00Z",
        "07:30"
      ],
      [
        "every hour, in spring",
        "0 * * * *",
        "America/New_York",
        "2024-03-10T05:00Z",
        "2024-03-10T09:00Z",
        "06:00 07:00 08:00 09:00"
      ],
      [
        "every 20 minutes, in spring",
        "*/20 * * * *",
        "America/New_York",
        "2024-03-10T06:10Z",
        "2024-03-10T07:50Z",
        "06:20 06:40 07:00 07:20 07:40"
      ],
      // 3 November 2024: 02:00 is 01:00 at 06:00Z.
      [
        "a nightly time that comes twice is the first",
        "30 1 * * *",
        "America/New_York",
        "2024-11-03T04:00Z",
        "2024-11-04T05:00Z",
        "05:30"
      ],
      [
        "every hour, in autumn",
        "0 * * * *",
        "America/New_York",
        "2024-11-03T04:30Z",
        "2024-11-03T08:00Z",
        "05:00 06:00 07:00 08:00"
      ],
      [
        "every quarter, in autumn",
        "*/15 * * * *",
        "America/New_York",
        "2024-11-03T05:40Z",
        "2024-11-03T07:05Z",
        "05:45 06:00 06:15 06:30 06:45 07:00"
      ],
      [
        "hours that are named are the first ones",
        "*/30 0-12 * * *",
        "America/New_York",
        "2024-11-03T04:50Z",
        "2024-11-03T07:40Z",
        "05:00 05:30 07:00 07:30"
      ],
      // Australia/Lord_Howe changes by half an hour, at 15:00Z and 15:30Z.
      [
        "half an hour less, nightly",
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2024-10-05T12:00Z",
        "2024-10-06T12:00Z",
        "15:45"
      ],
      [
        "half an hour less, every hour",
        "0 * * * *",
        "Australia/Lord_Howe",
        "2024-10-05T14:00Z",
        "2024-10-05T17:00Z",
        "14:30 15:30 16:00 17:00"
      ],
      [
        "half an hour more, every hour",
        "0 * * * *",
        "Australia/Lord_Howe",
        "2024-04-06T13:30Z",
        "2024-04-06T17:00Z",
        "14:00 15:30 16:30"
      ],
      [
        "half an hour more, every half",
        "*/30 * * * *",
        "Australia/Lord_Howe",
        "2024-04-06T13:50Z",
        "2024-04-06T15:40Z",
        "14:00 14:30 15:00 15:30"
      ],
      // Africa/Casablanca puts its clocks back for Ramadan: 03:00 is 02:00 at 02:00Z on 10 March 2024.
      ["Ramadan begins", "30 2 * * *", "Africa/Casablanca", "2024-03-09T12:00Z", "2024-03-10T12:00Z", "01:30"],
      ["Ramadan ends", "30 2 * * *", "Africa/Casablanca", "2024-04-13T12:00Z", "2024-04-14T12:00Z", "02:30"],
      // America/Havana puts its clocks back at 01:00, Apia had no 30 December 2011.
      [
        "midnight comes twice, on days that are named",
        "30 * 3 11 *",
        "America/Havana",
        "2024-11-03T03:00Z",
        "2024-11-03T06:40Z",
        "04:30 05:30 06:30"
      ],
      [
        "a summer of one week",
        "0 12 * * *",
        "America/Boa_Vista",
        "2000-10-07T00:00Z",
        "2000-10-16T00:00Z",
        "16:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 16:00"
      ],
      ["a day that is skipped", "0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00Z", "2012-01-10T00:00Z", "22:00"]
    ])("%s: %s in %s", (_, expression, zone, from, to, expected) => {
      const trigger = cron(expression, zone)
      expect(clockTimes(following(trigger, at(from), at(to)))).toBe(expected)
      expect(clockTimes(Trigger.between(trigger, 0, at(from), at(to), 100).slots)).toBe(expected)
    })

    // What the header of internal/cronSlots.ts says, tried minute by minute with the host's own clock.
    const transitions: ReadonlyArray<readonly [zone: string, at: string]> = [
      ["America/New_York", "2024-03-10T07:00Z"],
      ["America/New_York", "2024-11-03T06:00Z"],
      ["Europe/Rome", "2025-03-30T01:00Z"],
      ["Europe/Rome", "2025-10-26T01:00Z"],
      ["Australia/Lord_Howe", "2024-10-05T15:30Z"],
      ["Australia/Lord_Howe", "2024-04-06T15:00Z"],
      ["Africa/Casablanca", "2024-03-10T02:00Z"],
      ["Africa/Casablanca", "2024-04-14T02:00Z"],
      ["America/Havana", "2024-11-03T05:00Z"],
      ["Asia/Beirut", "2022-03-26T22:00Z"],
      ["Asia/Kolkata", "2024-03-10T07:00Z"]
    ]

    const wallClock = (zone: string) => {
      const format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric"
      })
      return (moment: number): number => {
        const part: Record<string, number> = {}
        for (const { type, value } of format.formatToParts(moment)) part[type] = Number(value)
        return Date.UTC(part["year"]!, part["month"]! - 1, part["day"]!, part["hour"]!, part["minute"]!)
      }
    }

    const list = (min: number, max: number) => fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 })
    const field = (min: number, max: number) =>
      fc.oneof(
        fc.constant("*"),
        fc.integer({ min: 2, max }).map((step) => `*/${step}`),
        list(min, max).map((values) => values.join(","))
      )
    // The hours in which clocks are changed come often.
    const hours = fc.oneof(fc.constant("*"), list(0, 3).map((values) => values.join(",")), field(0, 23))

    it.each(transitions)("are as documented in %s at %s", (zone, moment) => {
      const wallAt = wallClock(zone)
      const [first, last] = [at(moment) - 16 * hour, at(moment) + 16 * hour]
      // Two days and more, for times that are moved into the window.
      const shown = new Map<number, Array<number>>()
      for (let time = first - 6 * hour; time <= last + 6 * hour; time += minute) {
        const wall = wallAt(time)
        shown.set(wall, [...shown.get(wall) ?? [], time])
      }
      const offsetBefore = wallAt(first - 6 * hour) - (first - 6 * hour)
      const walls = [...shown.keys()]
      const [lowest, highest] = [Math.min(...walls), Math.max(...walls)]

      fc.assert(
        fc.property(
          field(0, 59),
          hours,
          fc.constantFrom("* * *", "*/2 * *", "* * 0,3,6"),
          (minutes, hourField, days) => {
            const expression = `${minutes} ${hourField} ${days}`
            const parsed = Cron.unsafeParse(expression, "UTC")
            const everyHour = parsed.hours.size === 0
            // Only to be faster than `Cron.match` alone.
            const timeMatches = (date: Date) =>
              (parsed.minutes.size === 0 || parsed.minutes.has(date.getUTCMinutes()))
              && (everyHour || parsed.hours.has(date.getUTCHours()))
            const expected = new Set<number>()
            for (let wall = lowest; wall <= highest; wall += minute) {
              if (!timeMatches(new Date(wall)) || !Cron.match(parsed, wall)) continue
              const times = shown.get(wall) ?? [wall - offsetBefore]
              for (const time of everyHour ? times : times.slice(0, 1)) expected.add(time)
            }
            const inside = [...expected].filter((slot) => slot > first && slot <= last).sort((a, b) => a - b)
            const trigger = cron(expression, zone)
            expect(following(trigger, first, last)).toEqual(inside)
            expect(Trigger.between(trigger, 0, first, last, 10_000)).toEqual({ slots: inside, total: inside.length })
          }
        ),
        { numRuns: 30 }
      )
    })
  })
})
