import * as fs from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Effect, FastCheck as fc, Logger, TestClock, TestContext } from "effect"
import type { Frame, Row } from "../../src/http/stream/frame.js"
import * as Messages from "../../src/http/stream/messages.js"
import * as Reduce from "../../src/http/stream/reduce.js"
import * as StreamHub from "../../src/http/stream/StreamHub.js"
import {
  accepted,
  batchOf,
  changeOf,
  type Client,
  connect,
  ended,
  rowOf,
  type Shown,
  started,
  world
} from "./streamSupport.js"

interface Plain extends Row {
  readonly text: string
}
const row = (taskId: string, v: number, text = ""): Plain => ({ taskId, v, text })
const hello: Frame<Plain> = { t: "hello", epoch: "e", build: "b", now: 0, can: {}, maxRows: 3 }
const runs = (frame: Partial<Extract<Frame<Plain>, { t: "runs" }>>): Frame<Plain> => ({
  t: "runs",
  n: [],
  u: [],
  d: [],
  ...frame
})
const after = (live: Reduce.Live<Plain>, ...frames: ReadonlyArray<Frame<Plain>>) =>
  frames.reduce((live, frame) => Reduce.frame(live, frame, null), live)
const shown = (live: Reduce.Live<Plain>) => Array.from(live.runs.values(), ({ row }) => row)
/** Greeted, with this list read. */
const listed = (...rows: ReadonlyArray<Plain>) => {
  const [live, token] = Reduce.ask(after(Reduce.empty<Plain>(), hello))
  return Reduce.list(live, rows, token)
}

describe("what a client knows", () => {
  it("is stale until a list that was asked for behind hello is there", () => {
    const [early, first] = Reduce.ask(Reduce.empty<Plain>())
    const greeted = after(early, hello)
    expect(Reduce.isStale(Reduce.list(greeted, [row("a", 1)], first))).toBe(true)
    const [live, second] = Reduce.ask(greeted)
    expect(Reduce.isStale(Reduce.list(live, [row("a", 1)], second))).toBe(false)
  })

  it("keeps the newer of a list and a frame, in whichever order they come", () => {
    const [live, token] = Reduce.ask(listed(row("a", 1)))
    const told = after(live, runs({ u: [row("a", 3), row("b", 3)] }))
    expect(shown(Reduce.list(told, [row("a", 2), row("b", 2)], token))).toEqual([row("a", 3), row("b", 3)])
    expect(shown(after(Reduce.list(live, [row("a", 4)], token), runs({ u: [row("a", 3)] })))).toEqual([row("a", 4)])
  })

  it("with one version, keeps what a frame told while the list was on its way, and else the list", () => {
    const [live, token] = Reduce.ask(after(listed(row("a", 1)), runs({ u: [row("a", 1, "before")] })))
    expect(shown(Reduce.list(live, [row("a", 1, "list")], token))).toEqual([row("a", 1, "list")])
    const told = after(live, runs({ u: [row("a", 1, "meanwhile")] }))
    expect(shown(Reduce.list(told, [row("a", 1, "list")], token))).toEqual([row("a", 1, "meanwhile")])
  })

  it("does not bring back what was deleted while the list was on its way", () => {
    const [live, token] = Reduce.ask(listed(row("a", 1), row("b", 1)))
    const told = after(live, runs({ d: ["a"] }), runs({ u: [row("a", 2)] }))
    expect(shown(told)).toEqual([row("b", 1)])
    expect(shown(Reduce.list(told, [row("a", 1), row("b", 1)], token))).toEqual([row("b", 1)])
  })

  it("ignores changes of what it does not show, unless an answer that may hold it is on its way", () => {
    expect(shown(after(listed(), runs({ u: [row("x", 2)] })))).toEqual([])
    const [live, token] = Reduce.ask(listed())
    const told = after(live, runs({ u: [row("x", 2)] }))
    expect(shown(told)).toEqual([])
    expect(shown(Reduce.more(told, [row("x", 1)], token))).toEqual([row("x", 2)])
    expect(Reduce.failed(told, token).early.size).toBe(0)
  })

  it("counts what is new, told or not, and is stale when counting is over", () => {
    const some = after(listed(row("a", 1)), runs({ n: [row("b", 1)] }))
    expect(shown(some)).toEqual([row("a", 1), row("b", 1)])
    expect(some.fresh).toBe(1)
    const many = after(some, runs({ over: 60 }), runs({ over: 40 }))
    expect(many).toMatchObject({ fresh: 101, sampling: true, staleSince: null })
    expect(Reduce.isStale(after(many, runs({})))).toBe(true)
    expect(Reduce.isStale(after(some, runs({ sampled: 3 }), runs({})))).toBe(true)
  })

  it("holds no more rows than it may, and is stale when there are more", () => {
    const full = after(listed(row("a", 1), row("b", 1)), runs({ n: [row("c", 1), row("d", 1)] }))
    expect(full.runs.size).toBe(3)
    expect(full.fresh).toBe(2)
    expect(Reduce.isStale(full)).toBe(true)
    expect(shown(Reduce.keep(full, new Set(["a"])))).toEqual([row("a", 1)])
  })

  it("takes counts and buckets as they are told, the latest of each minute", () => {
    const counts: Frame<Plain> = { t: "counts", c: { failed: 1 }, rate: null, dlq: 1, attention: 1 }
    const live = after(
      Reduce.empty<Plain>(),
      counts,
      { t: "bucket", b: { ts: 1, ok: 1 } },
      { t: "bucket", b: { ts: 1, ok: 2 } },
      ...Array.from({ length: 120 }, (_, ts): Frame<Plain> => ({ t: "bucket", b: { ts: ts + 2 } }))
    )
    expect(live.counts).toEqual(counts)
    expect(live.buckets.size).toBe(120)
    expect(live.buckets.has(1)).toBe(false)
  })

  it("keeps the newer of each batch, in whichever order answers and frames come, and no more than it may", () => {
    const live = Reduce.batches(
      after(listed(), { t: "batches", b: [batchOf("b", 4), batchOf("a", 2)] }),
      [batchOf("b", 3), batchOf("a", 2, { who: "eve" }), batchOf("c", 1)]
    )
    expect(Array.from(live.batches.values(), ({ id, v, who }) => `${id}${v} ${who}`)).toEqual([
      "a2 ada",
      "b4 ada",
      "c1 ada"
    ])
    const done = after(live, { t: "batches", b: [batchOf("c", 2, { state: "done" })] })
    expect(done.batches.get("c")).toMatchObject({ v: 2, state: "done" })
    expect(after(done, { t: "batches", b: [] }).batches, "what ended is told for a minute alone").toEqual(done.batches)
    const many = Array.from({ length: 120 }, (_, n) => batchOf(`m${1_000 + n}`, 1))
    const full = Reduce.batches(done, many)
    expect(full.batches.size).toBe(100)
    expect(full.batches.has("a")).toBe(false)
    expect(full.batches.has("m1119")).toBe(true)
  })

  it("joins log lines without gap and without line twice", () => {
    const log = (from: number, ...l: ReadonlyArray<string>): Frame<Plain> => ({ t: "log", run: "a", from, l })
    expect(after(listed(), log(0, "a")).logs.size, "nobody watches").toBe(0)
    const watched = after(Reduce.watch(listed(), "a"), log(2))
    expect(Reduce.isBehind(watched.logs.get("a")!)).toBe(true)
    const fetched = Reduce.lines(watched, "a", 0, ["a", "b", "c"])
    expect(Reduce.isBehind(fetched.logs.get("a")!)).toBe(false)
    const more = after(fetched, log(2, "c", "d"), log(2, "c"))
    expect(more.logs.get("a")!.lines).toEqual(["a", "b", "c", "d"])
    const gap = after(more, log(6, "g"))
    expect(gap.logs.get("a")).toMatchObject({ next: 4, until: 7 })
    const half = Reduce.lines(gap, "a", 4, ["e", "f"])
    expect(Reduce.isBehind(half.logs.get("a")!), "the answer is older than the frame").toBe(true)
    expect(Reduce.unwatch(half, "a").logs.size).toBe(0)
  })

  it("knows where to go on, and what resets it", () => {
    const greeted = Reduce.frame(Reduce.empty<Plain>(), hello, "e-1")
    const [live, token] = Reduce.ask(greeted)
    const current = Reduce.frame(Reduce.list(live, [], token), runs({}), "e-4")
    expect(current.lastId).toBe("e-4")
    const bye = Reduce.frame(current, { t: "bye", why: "lifetime" }, null)
    expect(bye).toMatchObject({ lastId: "e-4", bye: "lifetime" })
    const resumed = Reduce.frame(bye, hello, "e-4")
    expect(resumed.bye).toBe(null)
    expect(Reduce.isStale(resumed)).toBe(false)
    expect(Reduce.isStale(after(resumed, { t: "reset" }))).toBe(true)
  })

  it("is told in messages, wherever the bytes are cut", () => {
    const text =
      ": ok\nretry: 2000\n\nid: e-1\ndata: {\"t\":\"reset\"}\n\n: ping\n\ndata: 1\ndata: 2\n\nid: e-2\ndata: {"
    const expected = [{ id: "e-1", data: "{\"t\":\"reset\"}" }, { id: null, data: "1\n2" }]
    fc.assert(fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const read = Messages.reader()
      const at = [0, ...cuts, text.length].sort((a, b) => a - b)
      expect(at.slice(1).flatMap((end, index) => read(text.slice(at[index], end)))).toEqual(expected)
    }))
  })
})

describe("the modules that browsers load", () => {
  it("load nothing but each other", () => {
    const folder = new URL("../../src/http/stream/", import.meta.url)
    const loaded = (file: string) =>
      [...fs.readFileSync(new URL(file, folder), "utf8").matchAll(/from "([^"]+)"/g)].map(([, name]) => name)
    expect(loaded("frame.ts")).toEqual([])
    expect(loaded("messages.ts")).toEqual([])
    expect(new Set(loaded("reduce.ts"))).toEqual(new Set(["./frame.js", "./messages.js"]))
  })
})

// ── the reducer against the hub ──────────────────────────────────────────────────────────────────────────────────────

// What happens in every run, and what in some of them only: a run full of accidents ends with everything read again, which
// would hide what frames alone got wrong.
const usual = [
  { weight: 6, arbitrary: fc.record({ do: fc.constant("change" as const), which: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), answeredAfter: fc.nat(4) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("pass" as const), millis: fc.constantFrom(20, 300, 300, 1_200) })
  }
]
const unusual = [
  { weight: 3, arbitrary: fc.record({ do: fc.constant("create" as const), many: fc.constantFrom(1, 1, 3, 60) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("storm" as const), times: fc.constantFrom(1, 60) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("log" as const), lines: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), which: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("logs" as const), answeredAfter: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("reconnect" as const), after: fc.constantFrom(0, 600, 150_000) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("gap" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("batch" as const), which: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("batches" as const), answeredAfter: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("stall" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fail" as const) }) }
]
const commands = fc.subarray(unusual).chain((some) =>
  fc.array(fc.oneof(...usual, ...some), { minLength: 5, maxLength: 40 })
)

type Command = typeof commands extends fc.Arbitrary<ReadonlyArray<infer A>> ? A : never

/** What a program does with the stream: the three rules of the reducer, and reading with a delay. */
const simulate = (commands: ReadonlyArray<Command>) =>
  Effect.scoped(Effect.gen(function*() {
    yield* TestClock.adjust("1 hour")
    const { batches, create, log, logs, page, put, putBatch, records, sources, state } = yield* world
    const hub = yield* StreamHub.make(sources)
    const watched = yield* create
    yield* Effect.replicateEffect(create, 5)
    yield* TestClock.adjust("2 minutes")
    let live = Reduce.watch(Reduce.empty<Shown>(), watched.taskId)
    let client = null as Client | null
    let gate = yield* Deferred.make<void>()
    yield* Deferred.succeed(gate, undefined)
    let step = 0
    let answers: Array<{ readonly at: number; readonly give: () => void }> = []

    const truth = () => Array.from(records.values(), rowOf)
    const read = (answeredAfter: number) => {
      const [asked, token] = Reduce.ask(live)
      live = asked
      const rows = truth()
      const give = () => {
        live = Reduce.list(live, rows, token)
      }
      answers.push({ at: step + answeredAfter, give })
    }
    const fetchLines = (answeredAfter: number) => {
      const { next } = live.logs.get(watched.taskId)!
      const l = (logs.get(watched.taskId) ?? []).slice(next)
      answers.push({
        at: step + answeredAfter,
        give: () => {
          live = Reduce.lines(live, watched.taskId, next, l)
        }
      })
    }
    const answer = () => {
      const due = answers.filter(({ at }) => at <= step)
      answers = answers.filter(({ at }) => at > step)
      for (const { give } of due) give()
    }
    const open = Effect.gen(function*() {
      if (client !== null && !(yield* client.hasEnded)) return
      client = yield* connect(hub, {
        topics: `runs,counts,batches,log:${watched.taskId}`,
        ...live.lastId === null ? {} : { since: live.lastId },
        onTold: ({ frame, id }) => {
          live = Reduce.frame(live, frame, id)
        },
        pause: Effect.suspend(() => Deferred.await(gate))
      })
    })
    const nth = (which: number) => Array.from(records.values())[which % records.size]!
    yield* open
    yield* TestClock.adjust("2 seconds")

    for (const one of commands) {
      step += 1
      answer()
      switch (one.do) {
        case "change": {
          const record = nth(one.which)
          const next = record.status === "pending"
            ? started(record)
            : record.status !== "running"
            ? { ...record, retriedAs: record.taskId }
            : one.which % 3 === 0
            ? ended(record)
            : { ...record, progress: { value: step, message: null } }
          yield* put(next)
          break
        }
        case "create":
          yield* Effect.replicateEffect(create, one.many)
          break
        case "storm": {
          // Many others change, of which nobody shows anything, and in the middle of them those that are shown.
          const others = Array.from({ length: one.times * 20 }, () => accepted(0))
          const shown = Array.from(records.values(), (record) => ({ ...record, claim: record.claim + 1 }))
          const now = yield* Clock.currentTimeMillis
          for (const record of shown) records.set(record.taskId, record)
          const before = others.splice(0, others.length / 2)
          yield* page([...before, ...shown, ...others].map((record) => changeOf(record, now)))
          break
        }
        case "log":
          yield* log(watched, ...Array.from({ length: one.lines }, (_, index) => `${step}.${index}`))
          break
        case "delete": {
          const record = nth(one.which)
          if (record.taskId === watched.taskId) break
          yield* put(record)
          records.delete(record.taskId)
          break
        }
        case "read":
          read(one.answeredAfter)
          break
        case "logs":
          fetchLines(one.answeredAfter)
          break
        case "reconnect":
          if (client !== null) yield* client.leave
          yield* TestClock.adjust(one.after)
          yield* open
          break
        case "gap":
          // What changed here is told by nobody.
          records.set(watched.taskId, { ...records.get(watched.taskId)!, claim: step + 1_000 })
          yield* page([], true)
          break
        case "batch": {
          const id = `b${one.which}`
          putBatch(batchOf(id, (batches.get(id)?.v ?? 0) + 1))
          break
        }
        case "batches": {
          const told = Array.from(batches.values())
          answers.push({
            at: step + one.answeredAfter,
            give: () => {
              live = Reduce.batches(live, told)
            }
          })
          break
        }
        case "stall":
          if (yield* Deferred.isDone(gate)) gate = yield* Deferred.make<void>()
          else yield* Deferred.succeed(gate, undefined)
          break
        case "fail":
          state.down = !state.down
          break
        case "pass":
          yield* TestClock.adjust(one.millis)
      }
    }

    state.down = false
    yield* Deferred.succeed(gate, undefined)
    yield* TestClock.adjust("10 seconds")
    yield* open
    for (let round = 0; round < 3; round += 1) {
      yield* TestClock.adjust("10 seconds")
      step += 10
      answer()
      if (Reduce.isStale(live)) read(0)
      if (Reduce.isBehind(live.logs.get(watched.taskId)!)) fetchLines(0)
      answer()
    }
    return {
      live,
      batches: Array.from(batches.values()),
      truth: truth(),
      lines: logs.get(watched.taskId) ?? [],
      watched: watched.taskId
    }
  }))

const bySort = (rows: Iterable<Shown>) => Array.from(rows).sort((a, b) => a.taskId < b.taskId ? -1 : 1)

describe("any interleaving of lists, frames, disconnects and resets", () => {
  it("converges to what is true", () =>
    fc.assert(
      fc.asyncProperty(commands, (commands) =>
        Effect.runPromise(
          simulate(commands).pipe(
            Effect.map(({ batches, lines, live, truth, watched }) => {
              const told = Array.from(live.runs.values(), ({ row }) => row!)
              const kept = new Map(truth.map((row) => [row.taskId, row]))
              // What retention deletes is told by nobody; what was deleted here behind a change is.
              expect(bySort(told)).toEqual(bySort(kept.values()))
              expect(live.logs.get(watched)!.lines).toEqual(lines)
              expect(Reduce.isStale(live)).toBe(false)
              expect(Array.from(live.batches.values())).toEqual(batches.sort((a, b) => a.id < b.id ? -1 : 1))
              expect(live.counts?.c["pending"]).toBe(truth.filter(({ status }) => status === "pending").length)
            }),
            Effect.provide(TestContext.TestContext),
            Effect.provide(Logger.remove(Logger.defaultLogger))
          )
        )),
      { numRuns: 50 }
    ), 60_000)
})
