/** The parts of the dashboard that are functions of what they are given. No browser is needed for them. */
import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import type { Attempt, Run } from "../../src/dashboard/api/types.js"
import { backoff } from "../../src/dashboard/live/backoff.js"
import { nextOf } from "../../src/dashboard/login/next.js"
import { routeOf, runPath } from "../../src/dashboard/route.js"
import { treeOf } from "../../src/dashboard/run/cause.js"
import { bornAt, outlived } from "../../src/dashboard/run/gone.js"
import { timelineOf } from "../../src/dashboard/run/lanes.js"
import { nameIn, readStack, splitError } from "../../src/dashboard/run/stack.js"
import { detailOf } from "../../src/dashboard/runs/detail.js"
import { matches } from "../../src/dashboard/runs/matching.js"
import { isNarrowed, queryOf, reachOf, textOf } from "../../src/dashboard/runs/query.js"
import { marksOf } from "../../src/dashboard/runs/special.js"
import { chipsOf, joined, partsOf, problemOf } from "../../src/dashboard/runs/terms.js"
import * as format from "../../src/dashboard/text/format.js"
import { curlOf } from "../../src/dashboard/ui/curl.js"
import { steady } from "../../src/dashboard/ui/steady.js"
import { timeTicks } from "../../src/dashboard/ui/timeTicks.js"
import { parse } from "../../src/http/filter/parse.js"

const now = Date.parse("2026-11-27T10:00:00.000Z")
const ago = (seconds: number): string => new Date(now - seconds * 1_000).toISOString()

const run = (changes: Partial<Run> = {}): Run => ({
  // safe: a text of the right form
  taskId: "01890000-0000-7000-8000-0000099a8057" as Run["taskId"],
  taskName: "send_email",
  v: 1,
  status: "failed",
  createdAt: ago(60),
  startedAt: ago(58),
  endedAt: ago(50),
  duration: 8_000,
  retriesUsed: 1,
  attempts: 2,
  crashes: 0,
  error: "SmtpError: timed out",
  tags: { plan: "pro", tenant: "northwind" },
  source: "manual",
  schedule: null,
  priority: 8,
  executor: "fiber",
  idempotencyKey: "order-7",
  runAt: null,
  nextAttemptAt: null,
  instance: "abc123",
  retryOf: null,
  retriedAs: null,
  cancelRequested: false,
  stopReason: "retriesSpent",
  progress: null,
  ...changes
})

const fits = (q: string, changes: Partial<Run> = {}) => {
  const parsed = parse(q)
  if (!parsed.ok) throw new Error(`${q}: ${parsed.errors[0]?.message}`)
  return matches(run(changes), parsed.terms, now)
}

describe("a request as a command", () => {
  it("is what a shell reads back as it was", () => {
    const body = { selection: { filter: { q: "error:\"it's gone\"" } } }
    expect(curlOf("http://127.0.0.1:3000/tasks/batches", body, "ada")).toBe(
      "curl -u 'ada' -H 'content-type: application/json' " +
        `-d '{"selection":{"filter":{"q":"error:\\"it'\\''s gone\\""}}}' 'http://127.0.0.1:3000/tasks/batches'`
    )
    expect(curlOf("u", {})).toBe("curl -H 'content-type: application/json' -d '{}' 'u'")
  })
})

describe("whether a run that was told fits the filter", () => {
  it("is answered for every term that a summary can tell", () => {
    const yes = [
      "",
      "status:failed",
      "status:success,failed",
      "-status:success",
      "task:send_email,x",
      "task:send*",
      "tag:plan=pro,free",
      "tag:plan",
      "tag:plan=p*",
      "-tag:none",
      "error:TIMED",
      "error:smtp*",
      "dur:>5s",
      "dur:8s",
      "wait:>1s",
      "age:<2m",
      "attempts:2",
      "retries:>=1",
      "priority:>=8",
      "source:manual",
      "-source:schedule",
      "executor:fiber",
      "id:099a8057",
      "id:01890000-0000-7000-8000-0000099a8057",
      "key:order*",
      "instance:abc*",
      "since:1h",
      "until:2026-11-28",
      "northwind",
      "\"timed out\"",
      "status:failed task:send_email dur:>5s"
    ]
    expect(yes.filter((q) => fits(q) !== true)).toEqual([])
    expect(yes.slice(1).filter((q) => !/^-|[ ,]/.test(q) && fits(`-${q}`) !== false)).toEqual([])
    expect(fits("status:retrying", { status: "running", nextAttemptAt: ago(-5) })).toBe(true)
    expect(fits("status:running", { status: "running", nextAttemptAt: ago(-5) })).toBe(true)
    expect(fits("schedule:nightly", { schedule: { name: "nightly", slot: ago(60) } })).toBe(true)
    expect(fits("dur:>5s", { status: "pending", startedAt: null, endedAt: null, duration: null })).toBe(false)
    expect(fits("dur:>50s", { status: "running", endedAt: null, duration: null })).toBe(true)
    expect(fits("status:failed tag:plan=free")).toBe(false)
  })

  it("is left open where only the server knows, unless another term says no", () => {
    for (const q of ["args.order.id:7", "group:mHk1Zq", "-group:x"]) expect(fits(q), q).toBeNull()
    expect(fits("error:late", { error: "x".repeat(500) })).toBeNull()
    expect(fits("late", { error: "x".repeat(500) })).toBeNull()
    expect(fits("instance:abc", { instance: null })).toBeNull()
    expect(fits("args.a:1 status:success")).toBe(false)
    expect(fits("args.a:1 status:failed")).toBeNull()
  })
})

describe("what the address asks", () => {
  const of = (search: string) => {
    const params = new URLSearchParams(search)
    return queryOf((name) => params.get(name))
  }

  it("has defaults, and what is not understood counts as not said", () => {
    const plain = { q: "", status: null, window: "24h", from: null, to: null, sort: "-created" }
    expect(of("")).toEqual(plain)
    expect(of("status=nope&since=5y&sort=name&from=yesterday&to=1")).toEqual(plain)
    expect(of("sort=duration&since=all&status=retrying")).toEqual({
      ...plain,
      sort: "duration",
      window: "all",
      status: "retrying"
    })
  })

  it("is one text for the API, which can read it", () => {
    expect(textOf(of(""))).toBe("since:24h")
    expect(textOf(of("since=all"))).toBe("")
    expect(textOf(of("q=task%3Aa&status=failed&since=1h"))).toBe("task:a status:failed since:1h")
    expect(textOf(of("q=task%3Aa&status=failed&since=1h"), { anyStatus: true })).toBe("task:a since:1h")
    const times = "from=2026-11-27T09%3A00%3A00.000Z&to=2026-11-27T10%3A00%3A00.000Z&since=1h"
    expect(textOf(of(times))).toBe("since:2026-11-27T09:00:00.000Z until:2026-11-27T10:00:00.000Z")
    expect(reachOf(of(times))).toBeNull()
    for (const search of ["", times, "status=retrying&since=30d"]) {
      expect(parse(textOf(of(search))).ok, search).toBe(true)
    }
    expect([isNarrowed(of("")), isNarrowed(of("q=x")), isNarrowed(of("status=failed"))]).toEqual([false, true, true])
  })
})

describe("the filter as chips", () => {
  it("reads as the same terms again", () => {
    for (const q of ["task:a,b tag:\"a b\"=c -source:schedule \"timed out\" dur:>5s", "status:failed", ""]) {
      const chips = chipsOf(q)!
      expect(chipsOf(joined(chips.terms))!.parsed).toEqual(chips.parsed)
    }
    expect(chipsOf("\"open")).toBeNull()
    expect(problemOf("statsu:failed")).toContain("did you mean status")
    expect(problemOf("status:failed")).toBeNull()
  })

  it("is said in a key and the rest", () => {
    expect(partsOf("task:a,b")).toEqual(["task:", "a,b"])
    expect(partsOf("-tag:a=b")).toEqual(["-tag:", "a=b"])
    expect(partsOf("args.a.b:1")).toEqual(["args.", "a.b:1"])
    expect(partsOf("\"http://x\"")).toEqual(["", "\"http://x\""])
  })
})

describe("spans and times", () => {
  it("are said in one unit or two", () => {
    const spans: ReadonlyArray<readonly [number, string]> = [
      [0, "0 ms"],
      [340, "340 ms"],
      [999, "999 ms"],
      [1_340, "1.34 s"],
      [4_200, "4.2 s"],
      [59_949, "59.9 s"],
      [59_950, "1m 00s"],
      [185_000, "3m 05s"],
      [4_320_000, "1h 12m"],
      [3_599_600, "1h 00m"],
      [273_600_000, "3d 4h"]
    ]
    for (const [millis, said] of spans) expect(format.duration(millis), String(millis)).toBe(said)
    expect([4, 59, 60, 3_599, 3_600, 86_399, 86_400].map((seconds) => format.age(seconds * 1_000))).toEqual(
      ["4s", "59s", "1m", "59m", "1h", "23h", "1d"]
    )
    expect([format.countdown(11_200), format.countdown(61_000), format.age(-5)]).toEqual(["12 s", "1m 01s", "0s"])
  })

  it("of a rate say little, but not nothing, where there is little", () => {
    expect([0, 0.02, 0.05, 0.16, 3, 12.4].map(format.rate)).toEqual(["0", "<0.1", "0.1", "0.2", "3", "12"])
  })

  it("have no unit that runs over, whatever the span", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 10 }), (millis) => {
      const said = format.duration(millis)
      expect(said).toMatch(/^(\d{1,3} ms|[\d.]{1,4} s|[1-5]?\dm [0-5]\ds|(1?\d|2[0-3])h [0-5]\dm|\d+d (1?\d|2[0-3])h)$/)
    }))
  })
})

describe("the life of a run as bars", () => {
  const attempt = (index: number, from: number, to: number | null): Attempt => ({
    attempt: index,
    instance: null,
    startedAt: ago(from),
    endedAt: to === null ? null : ago(to),
    duration: null,
    outcome: to === null ? "running" : "failed",
    error: null,
    stacktrace: null
  })

  it("shows the queue, each attempt, and the waits between", () => {
    const { collapsed, lanes, ticks, total, waiting } = timelineOf(
      run({ createdAt: ago(20), endedAt: ago(0) }),
      [attempt(1, 18, 10), attempt(2, 8, 0)],
      now
    )
    expect([total, waiting, collapsed]).toEqual([20_000, 4_000, false])
    expect(lanes.map(({ took }) => took)).toEqual([2_000, 8_000, 8_000])
    expect(lanes[0]!.bars).toEqual([{ kind: "queue", from: 0, to: 0.1 }])
    expect(lanes[1]!.bars).toEqual([{ kind: "attempt", from: 0.1, to: 0.5 }, { kind: "wait", from: 0.5, to: 0.6 }])
    expect(ticks.map(({ millis }) => millis)).toEqual([0, 5_000, 10_000, 15_000, 20_000])
  })

  it("draws long waits shorter, and everything stays in its place and order", () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 5_000 })), { maxLength: 6 }),
      fc.boolean(),
      (steps, ends) => {
        let at = 0
        const attempts = steps.map(([wait, took], index) => {
          const from = at += wait
          at += took
          const time = (millis: number) => new Date(now + millis).toISOString()
          return { ...attempt(index + 1, 0, 0), startedAt: time(from), endedAt: time(at) }
        })
        const last = new Date(now + at).toISOString()
        const { lanes, ticks } = timelineOf(run({ createdAt: ago(0), endedAt: ends ? last : null }), attempts, now + at)
        const bars = lanes.flatMap((lane) => lane.bars)
        for (const { from, to } of bars) expect(0 <= from && from <= to && to <= 1).toBe(true)
        const starts = lanes.map(({ bars }) => bars[0]!.from)
        expect(starts).toEqual([...starts].sort((a, b) => a - b))
        for (const [index, { at }] of ticks.entries()) {
          if (index > 0) expect(at - ticks[index - 1]!.at).toBeGreaterThan(0.15)
        }
      }
    ))
  })

  it("goes on while the run does", () => {
    const running = run({ status: "running", createdAt: ago(10), endedAt: null, duration: null })
    expect(timelineOf(running, [attempt(1, 10, null)], now + 5_000).total).toBe(15_000)
    expect(timelineOf({ ...running, status: "pending" }, [], now).lanes).toHaveLength(1)
  })
})

describe("a stack", () => {
  it("has frames of the application and of libraries", () => {
    const { frames, head } = readStack(
      "Declined: no funds\n    at charge (/app/src/pay.ts:48:11)\n    at run (/app/node_modules/effect/x.js:1:2)\n    at node:internal/x:1:1"
    )
    expect(head).toBe("Declined: no funds")
    expect(frames.map(({ own, place }) => [own, place])).toEqual([
      [true, "/app/src/pay.ts:48:11"],
      [false, "/app/node_modules/effect/x.js:1:2"],
      [false, "node:internal/x:1:1"]
    ])
    expect(splitError("GatewayTimeout: no answer: none")).toEqual(["GatewayTimeout", "no answer: none"])
    expect(splitError("no name here")).toEqual(["", "no name here"])
  })

  it("names the error whose message does not, and knows functions without a name", () => {
    const stack = readStack(
      "Declined: no funds\nsecond line\n    at <anonymous> (/app/pay.ts:3:7)\n    at Array.map (<anonymous>)"
    )
    expect(nameIn(stack, "no funds\nsecond line")).toBe("Declined")
    expect(nameIn(stack, "of something else")).toBe("")
    expect(nameIn(stack, "")).toBe("")
    expect(nameIn(readStack("no stack: at all"), "at all")).toBe("")
    expect(stack.frames.map(({ own }) => own)).toEqual([true, false])
  })
})

describe("what a row says", () => {
  const said = (changes: Partial<Run>, preview: string | null = "{\"n\":1}") =>
    detailOf(run({ error: null, ...changes }), now, preview).text
  it("is the error of what failed, the progress of what runs, and else what it was given", () => {
    expect(said({ error: "SmtpError: 421\nmore" })).toBe("SmtpError: 421")
    const running = { status: "running", endedAt: null } as const
    expect(said({ ...running, progress: { value: 0.5, message: "half" } })).toBe("half")
    expect(said(running)).toBe("{\"n\":1}")
    expect(said({ status: "success" })).toBe("{\"n\":1}")
    expect(said({ status: "success" }, null)).toBe("plan=pro  tenant=northwind  order-7")
    expect(said({ status: "interrupted", stopReason: "shutdown" })).toBe("Its instance stopped while it ran")
  })

  it("has marks for what is special, each with words", () => {
    const marks = (changes: Partial<Run>) =>
      marksOf(run({ idempotencyKey: null, ...changes })).map(({ label }) => label)
    expect(marks({})).toEqual([])
    expect(marks({ source: "scheduled" })).toEqual(["Scheduled"])
    expect(marks({ idempotencyKey: "k" })).toEqual(["Has an idempotency key"])
    expect(marks({ retryOf: run().taskId, crashes: 2 })).toEqual(["Retry of", "Rescued"])
    // It ran nowhere again.
    expect(marks({ status: "interrupted", crashes: 1 })).toEqual([])
    expect(marksOf(run({ crashes: 2 }))[0]?.title).toContain("2 times")
  })
})

describe("the marks of an axis of time", () => {
  const hour = 3_600_000
  const berlin = (at: number) => at < Date.parse("2026-03-29T01:00:00Z") ? hour : 2 * hour
  const clocks = (start: string, reach: number) =>
    timeTicks(Date.parse(start), reach, berlin).map(({ at }) => new Date(at + berlin(at)).toISOString().slice(5, 16))

  it("are at round times of the zone, also where clocks are put forward", () => {
    expect(clocks("2026-03-02T09:07:00Z", hour)).toEqual(
      ["10:10", "10:20", "10:30", "10:40", "10:50", "11:00"].map((time) => `03-02T${time}`)
    )
    expect(clocks("2026-03-28T21:30:00Z", 24 * hour)).toEqual(
      ["00", "03", "06", "09", "12", "15", "18", "21"].map((time) => `03-29T${time}:00`)
    )
    expect(clocks("2026-03-26T12:00:00Z", 7 * 24 * hour)).toEqual(
      ["03-27", "03-28", "03-29", "03-30", "03-31", "04-01", "04-02"].map((day) => `${day}T00:00`)
    )
  })

  it("are few, in order and on the axis, however long it is", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 4e12 }), (start, reach) => {
      const places = timeTicks(start, reach, berlin).map(({ place }) => place)
      expect(places.length).toBeLessThanOrEqual(10)
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(places.every((place) => place >= 0 && place <= 1)).toBe(true)
    }))
    expect(timeTicks(0, 0, () => 0)).toEqual([])
  })
})

describe("a cause", () => {
  const part = (depth: number, kind: "parallel" | "sequential" | "error", message = "") =>
    ({ depth, kind, name: "", message, stack: "" }) as const
  const drawn = (nodes: ReturnType<typeof treeOf>): unknown =>
    nodes.map(({ children, part: { kind, message } }) => children.length === 0 ? message : [kind, drawn(children)])

  it("is a tree again", () => {
    const parts = [
      part(0, "parallel"),
      part(1, "error", "a"),
      part(1, "sequential"),
      part(2, "error", "b"),
      part(2, "error", "c"),
      part(1, "error", "d")
    ]
    expect(drawn(treeOf(parts))).toEqual([["parallel", ["a", ["sequential", ["b", "c"]], "d"]]])
  })

  it("shows every part, whatever depths somebody stored", () => {
    const size = (nodes: ReturnType<typeof treeOf>): number =>
      nodes.reduce((sum, { children }) => sum + 1 + size(children), 0)
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (depths) => {
      expect(size(treeOf(depths.map((depth) => part(depth, "error"))))).toBe(depths.length)
    }))
  })
})

describe("a run that is gone", () => {
  const day = 86_400_000
  const kept = { success: 7 * day, failed: 30 * day, interrupted: null, cancelled: 7 * day }
  const ended = (status: Run["status"], days: number) =>
    // safe: what is looked at is there
    run({ status, endedAt: new Date(now - days * day).toISOString() }) as unknown as Parameters<typeof outlived>[1]
  const id = (at: number) => `${at.toString(16).padStart(12, "0").replace(/^(.{8})/, "$1-")}-7000-8000-000000000001`

  it("was removed by retention when it ended longer ago than such runs are kept", () => {
    expect(outlived("", ended("success", 8), kept, now)).toBe(7 * day)
    expect(outlived("", ended("success", 6), kept, now)).toBeNull()
    expect(outlived("", ended("failed", 8), kept, now)).toBeNull()
    expect(outlived("", ended("interrupted", 800), kept, now)).toBeNull()
    expect(outlived("", ended("success", 8), null, now)).toBeNull()
  })

  it("that nobody knew is as old as its id", () => {
    expect(bornAt(id(now))).toBe(now)
    expect(outlived(id(now - 8 * day), null, kept, now)).toBe(7 * day)
    expect(outlived(id(now - 6 * day), null, kept, now)).toBeNull()
    expect(bornAt("nonsense")).toBeNull()
    expect(outlived("nonsense", null, kept, now)).toBeNull()
    const forEver = { success: null, failed: null, interrupted: null, cancelled: null }
    expect(outlived(id(0), null, forEver, now)).toBeNull()
  })
})

describe("places", () => {
  it("are read from paths, and what is none is unknown", () => {
    expect(routeOf("")).toEqual({ page: "home" })
    expect(routeOf("overview")).toEqual({ page: "home" })
    expect(routeOf("overview/1").page).toBe("unknown")
    expect(routeOf("runs/")).toEqual({ page: "runs" })
    expect(routeOf(runPath("a/b c"))).toEqual({ page: "run", id: "a/b c" })
    expect(routeOf("runs/%E0%A4%A").page).toBe("unknown")
    expect(routeOf("runs/1/2").page).toBe("unknown")
    expect(routeOf("schedules")).toEqual({ page: "schedules" })
    expect(routeOf("instances/")).toEqual({ page: "instances" })
    expect(routeOf("audit")).toEqual({ page: "audit" })
    expect(routeOf("schedules/x").page).toBe("unknown")
    expect(routeOf("other").page).toBe("unknown")
  })

  it("behind the login are those of this dashboard alone", () => {
    const home = new URL("https://ops.example/a/tasks/dashboard/")
    expect(nextOf("runs?q=1", home)).toBe(`${home.href}runs?q=1`)
    const others = [
      null,
      "",
      "https://evil.example/",
      "//evil.example",
      "\\\\evil.example",
      "javascript:alert(1)",
      "data:text/html,x",
      "../..",
      "/a/tasks/dashboardx",
      "/other",
      "http://ops.example/a/tasks/dashboard/"
    ]
    for (const next of others) expect(nextOf(next, home), String(next)).toBe(home.href)
    fc.assert(fc.property(fc.string(), (next) => nextOf(next, home).startsWith(home.href)))
  })

  it("stay where they are under a hand, what is new behind them", () => {
    expect(steady(["a", "b", "c"], ["d", "c", "a"], (key) => key)).toEqual(["a", "c", "d"])
    expect(steady([], ["b", "a"], (key) => key)).toEqual(["b", "a"])
  })

  it("that are lost are tried again later and later, spread by chance", () => {
    for (let failures = 0; failures < 40; failures += 1) {
      const longest = Math.min(30_000, 500 * 2 ** failures)
      expect(backoff(failures, 1)).toBe(longest)
      expect(backoff(failures, 0)).toBe(Math.round(longest * 0.6))
    }
  })
})
