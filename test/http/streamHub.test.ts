import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, type Duration, Effect, Exit, Logger, Scope, Stream, TestClock } from "effect"
import * as StreamHub from "../../src/http/stream/StreamHub.js"
import { accepted, batchOf, connect, ended, folded, rowOf, started, visitor, world } from "./streamSupport.js"

const pass = (duration: Duration.DurationInput) => TestClock.adjust(duration)
/** Some time behind the start of the clock, with a hub over the records. */
const begun = (options: Partial<StreamHub.StreamHubOptions> = {}) =>
  Effect.gen(function*() {
    yield* pass("1 hour")
    const all = yield* world
    return { ...all, hub: yield* StreamHub.make({ ...all.sources, ...options }) }
  })

describe("a stream", () => {
  it.scoped("begins with bytes at once, then says who it is and what the caller may do", () =>
    Effect.gen(function*() {
      const { hub, sources } = yield* begun()
      const client = yield* connect(hub)
      yield* pass(0)
      expect(client.text().startsWith(": ok\n")).toBe(true)
      const [hello] = client.told()
      expect(hello).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{8}-\d+$/),
        frame: {
          t: "hello",
          epoch: expect.stringMatching(/^[0-9a-f]{8}$/),
          build: sources.build,
          now: yield* Clock.currentTimeMillis,
          can: { name: "ada" },
          maxRows: 5_000
        }
      })
    }))

  it.scoped("waits with hello until it is known from where on changes are told, but not for ever", () =>
    Effect.gen(function*() {
      const positioned = yield* Deferred.make<void>()
      const all = yield* world
      const changes = Effect.as(Deferred.await(positioned), all.sources.changes)
      const hub = yield* StreamHub.make({ ...all.sources, changes: Stream.unwrap(changes) })
      const client = yield* connect(hub)
      yield* pass("900 millis")
      expect(client.text()).toBe(": ok\nretry: 2000\n\n")
      yield* pass("200 millis")
      expect(client.of("hello")).toHaveLength(1)
      expect(client.of("reset")).toHaveLength(0)
      yield* Deferred.succeed(positioned, undefined)
      yield* pass(0)
      expect(client.of("reset"), "it may have read too early").toHaveLength(1)
    }))

  it.scoped("tells of new and changed tasks with their versions, at most four times a second, the latest state of each", () =>
    Effect.gen(function*() {
      const { create, hub, put } = yield* begun()
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass("2 seconds")
      let record = yield* create
      yield* pass(0)
      expect(client.of("runs")).toEqual([{ t: "runs", n: [rowOf(record)], u: [], d: [] }])
      for (let step = 0; step < 100; step += 1) {
        record = { ...record, status: "running", attempts: step + 1, claim: step + 1 }
        yield* put(record)
        yield* pass("10 millis")
      }
      yield* pass("250 millis")
      const frames = client.of("runs").slice(1)
      expect(frames.length).toBeGreaterThanOrEqual(4)
      expect(frames.length).toBeLessThanOrEqual(5)
      expect(frames.every(({ n, u }) => n.length === 0 && u.length === 1)).toBe(true)
      expect(frames.at(-1)!.u).toEqual([rowOf(record)])
    }))

  it.scoped("says which tasks are not kept any more", () =>
    Effect.gen(function*() {
      const { create, hub, put, records } = yield* begun()
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      const record = yield* create
      yield* pass("1 second")
      yield* put(ended(started(record)))
      records.delete(record.taskId)
      yield* pass("1 second")
      expect(client.of("runs").at(-1)).toEqual({ t: "runs", n: [], u: [], d: [record.taskId] })
    }))

  it.scoped("counts more than 50 new tasks in a frame instead of telling them, and says when that is over", () =>
    Effect.gen(function*() {
      const { hub, put, reads } = yield* begun()
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      const now = yield* Clock.currentTimeMillis
      yield* put(...Array.from({ length: 51 }, () => accepted(now)))
      yield* pass("1 second")
      expect(client.of("runs")).toEqual([
        { t: "runs", n: [], u: [], d: [], over: 51 },
        { t: "runs", n: [], u: [], d: [] }
      ])
      expect(reads.ids).toBe(0)
      yield* put(...Array.from({ length: 50 }, () => accepted(now)))
      yield* pass("1 second")
      // What does not fit into one frame comes with the next.
      const told = client.of("runs").slice(2)
      expect(told.flatMap(({ n }) => n)).toHaveLength(50)
      expect(told.every(({ over }) => over === undefined)).toBe(true)
    }))

  it.scoped("tells of as many changed tasks as fit into a frame, and samples when they are more than it can show", () =>
    Effect.gen(function*() {
      const { hub, put } = yield* begun()
      const old = Array.from({ length: 1_500 }, () => accepted(0))
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      yield* put(...old.slice(0, 800))
      yield* pass("6 seconds")
      const told = client.of("runs")
      expect(told.every(({ over, sampled }) => over === undefined && sampled === undefined)).toBe(true)
      expect(Math.max(...told.map(({ u }) => u.length))).toBeLessThanOrEqual(200)
      expect(new Set(told.flatMap(({ u }) => u.map(({ taskId }) => taskId))).size).toBe(800)

      yield* put(...old)
      yield* pass("8 seconds")
      const more = client.of("runs").slice(told.length)
      expect(more[0]!.sampled).toBeGreaterThan(0)
      expect(more.at(-1)!.sampled, "the end of it is told").toBeUndefined()
      const shown = more.reduce((sum, { u }) => sum + u.length, 0)
      expect(shown + more.reduce((sum, { sampled = 0 }) => sum + sampled, 0)).toBe(1_500)
      for (const { u } of [...told, ...more]) {
        expect(JSON.stringify(u).length, "with all else 100 kB a second").toBeLessThan(24_000)
      }
    }))

  it.scoped("tells of the task that another one retries", () =>
    Effect.gen(function*() {
      const { hub, put, records } = yield* begun()
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      const failed = ended(started(accepted(0)), "failed")
      const retry = { ...accepted(yield* Clock.currentTimeMillis), retryOf: failed.taskId }
      records.set(failed.taskId, { ...failed, retriedAs: retry.taskId })
      yield* put(retry)
      yield* pass("1 second")
      const [frame] = client.of("runs")
      expect(frame!.n.map(({ taskId }) => taskId)).toEqual([retry.taskId])
      expect(frame!.u[0]!.retriedAs).toBe(retry.taskId)
    }))

  it.scoped("tells counts and the latest minute when they changed, at most once a second, and new clients at once", () =>
    Effect.gen(function*() {
      const { create, hub, put, reads, state } = yield* begun()
      const client = yield* connect(hub, { topics: "counts,buckets" })
      yield* pass("1 second")
      expect(client.of("counts")).toHaveLength(1)
      expect(client.of("bucket")).toHaveLength(0)
      const asked = reads.counts
      yield* pass("1 minute")
      expect(reads.counts, "nothing changed").toBe(asked)
      state.bucket = { ts: 1, ok: 1 }
      const record = yield* create
      for (let step = 0; step < 20; step += 1) {
        yield* put(started({ ...record, claim: step }))
        yield* pass("100 millis")
      }
      expect(reads.counts - asked).toBeLessThanOrEqual(3)
      yield* put(ended(started(record)))
      yield* pass("1 second")
      yield* pass("2 seconds")
      expect(client.of("counts").at(-1)).toMatchObject({ c: { success: 1, running: 0 }, rate: 0, dlq: 0 })
      expect(client.of("counts").some(({ rate }) => rate !== null && rate > 0)).toBe(true)
      expect(client.of("bucket")).toEqual([{ t: "bucket", b: { ts: 1, ok: 1 } }])
      const later = yield* connect(hub, { topics: "counts" })
      yield* pass(0)
      expect(later.told().map(({ frame }) => frame.t)).toEqual(["hello", "counts"])
    }))

  it.scoped("tells batches to those who ask for them, at most once a second, and new clients at once", () =>
    Effect.gen(function*() {
      const { hub, putBatch, reads } = yield* begun()
      const client = yield* connect(hub, { topics: "batches" })
      const other = yield* connect(hub)
      yield* pass("2 seconds")
      expect(client.of("batches"), "there are none").toEqual([])
      const before = reads.batches
      putBatch(batchOf("a", 1))
      yield* pass(300)
      expect(client.of("batches")).toEqual([{ t: "batches", b: [batchOf("a", 1)] }])
      for (let v = 2; v <= 30; v += 1) {
        putBatch(batchOf("a", v))
        yield* pass(100)
      }
      expect(client.of("batches").length).toBeLessThanOrEqual(5)
      expect(reads.batches - before).toBeLessThanOrEqual(5)
      yield* pass("1 second")
      expect(client.of("batches").at(-1)).toEqual({ t: "batches", b: [batchOf("a", 30)] })
      const { length } = client.of("batches")
      yield* pass("10 seconds")
      expect(client.of("batches"), "nothing changed").toHaveLength(length)
      expect(other.of("batches"), "who did not ask hears nothing").toEqual([])
      const later = yield* connect(hub, { topics: "batches" })
      yield* pass(0)
      expect(later.of("batches")).toEqual([{ t: "batches", b: [batchOf("a", 30)] }])
      const polled = yield* hub.poll(visitor, {
        topics: { shared: new Set(["batches"]), watched: [] },
        since: undefined
      })
      expect(polled.frames.map((frame) => JSON.parse(new TextDecoder().decode(frame)).t)).toEqual(["hello", "batches"])
    }))

  it.scoped("tells how many groups of errors are open: when something failed, and when a person changed it", () =>
    Effect.gen(function*() {
      const { create, hub, put, reads, state } = yield* begun()
      const client = yield* connect(hub, { topics: "counts" })
      yield* pass("3 seconds")
      expect(client.of("counts").at(-1)).toMatchObject({ attention: 0 })
      const asked = reads.attention
      state.attention = 2
      const record = yield* create
      yield* put(ended(started(record)))
      yield* pass("5 seconds")
      expect(reads.attention, "nothing failed").toBe(asked)
      for (let step = 0; step < 20; step += 1) {
        yield* put(ended(started({ ...record, claim: step }), "failed"))
        yield* pass("100 millis")
      }
      yield* pass("3 seconds")
      expect(client.of("counts").at(-1)).toMatchObject({ attention: 2 })
      expect(reads.attention - asked).toBeLessThanOrEqual(3)
      state.attention = 1
      hub.lookAtAttention()
      yield* pass("3 seconds")
      expect(client.of("counts").at(-1)).toMatchObject({ attention: 1 })
      const before = reads.attention
      yield* pass("1 minute")
      expect(reads.attention, "nothing changed").toBe(before)
    }))

  it.scoped("pings every 15 seconds and ends after 15 minutes", () =>
    Effect.gen(function*() {
      const { hub } = yield* begun()
      const client = yield* connect(hub)
      yield* pass("14 seconds")
      expect(client.text()).not.toContain(": ping")
      yield* pass("2 seconds")
      expect(client.text().split(": ping\n\n")).toHaveLength(2)
      yield* pass("14 minutes")
      expect(yield* client.hasEnded).toBe(false)
      yield* pass("1 minute")
      expect(client.of("bye")).toEqual([{ t: "bye", why: "lifetime" }])
      expect(yield* client.hasEnded).toBe(true)
      expect((yield* hub.metrics).connections).toBe(0)
    }))

  it.scoped("asks every minute whether its user may still listen", () =>
    Effect.gen(function*() {
      const { hub } = yield* begun()
      const answers = { allowed: true, asked: 0 }
      const stillAllowed = Effect.sync(() => {
        answers.asked += 1
        return answers.allowed
      })
      const client = yield* connect(hub, { visitor: { ...visitor, stillAllowed } })
      const unsure = yield* connect(hub, { visitor: { ...visitor, stillAllowed: Effect.die(new Error("no idea")) } })
      const hangs = yield* connect(hub, { visitor: { ...visitor, stillAllowed: Effect.never } })
      yield* pass("59 seconds")
      expect(answers.asked).toBe(0)
      yield* pass("10 seconds")
      expect(answers.asked).toBe(1)
      for (const other of [unsure, hangs]) expect(other.of("bye")).toEqual([{ t: "bye", why: "lifetime" }])
      answers.allowed = false
      yield* pass("1 minute")
      expect(client.of("bye")).toEqual([{ t: "bye", why: "auth" }])
      expect(yield* client.hasEnded).toBe(true)
    }))

  it.scoped("goes on where it was: no frame twice, none missing", () =>
    Effect.gen(function*() {
      const { create, hub } = yield* begun()
      const watcher = yield* connect(hub, { topics: "runs" })
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      for (let step = 0; step < 3; step += 1) yield* Effect.zipRight(create, pass("250 millis"))
      yield* client.leave
      for (let step = 0; step < 5; step += 1) yield* Effect.zipRight(create, pass("250 millis"))
      const since = folded(client.told()).lastId!
      const again = yield* connect(hub, { topics: "runs", since })
      yield* pass(0)
      for (let step = 0; step < 3; step += 1) yield* Effect.zipRight(create, pass("250 millis"))
      const [hello, ...rest] = again.told()
      expect(hello).toMatchObject({ id: since, frame: { t: "hello" } })
      expect([...client.told(), ...rest].slice(1)).toEqual(watcher.told().slice(1))
      expect(watcher.of("runs")).toHaveLength(11)
    }))

  it.scoped("resets who comes from another server, from too long ago, or with something else", () =>
    Effect.gen(function*() {
      const { hub, page } = yield* begun()
      const first = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      const id = first.told()[0]!.id!
      for (let step = 0; step < 510; step += 1) yield* page([], true)
      yield* pass("1 second")
      const last = yield* connect(hub, { topics: "runs", since: id })
      yield* pass(0)
      expect(last.of("reset"), "with two frames of counts all that fits into the ring").toHaveLength(510)
      yield* page([], true)
      yield* pass("1 second")
      for (const since of [id, "00000000-1", "nonsense", "", `${id.split("-")[0]}-999999`]) {
        const client = yield* connect(hub, { topics: "runs", since })
        yield* pass(0)
        expect(client.told().map(({ frame }) => frame.t), since).toEqual(["hello", "reset"])
        expect(client.told().at(-1)!.id).toBe(last.told().at(-1)!.id)
        yield* client.leave
      }
    }))

  it.scoped("resets everybody when the feed missed something, also who was away then", () =>
    Effect.gen(function*() {
      const { hub, page } = yield* begun()
      const client = yield* connect(hub, { topics: "counts" })
      const away = yield* connect(hub, { topics: "runs" })
      yield* pass(0)
      yield* away.leave
      yield* page([], true)
      yield* pass("1 second")
      expect(client.of("reset")).toHaveLength(1)
      const back = yield* connect(hub, { topics: "runs", since: folded(away.told()).lastId! })
      yield* pass(0)
      expect(back.of("reset")).toHaveLength(1)
    }))

  it.scoped(
    "resets a client that reads too slowly, and never holds more than 64 frames for it",
    () =>
      Effect.gen(function*() {
        const { create, hub } = yield* begun()
        const gate = yield* Deferred.make<void>()
        const greeted = { yet: false }
        const slow = yield* connect(hub, {
          topics: "runs",
          onTold: () => {
            greeted.yet = true
          },
          pause: Effect.suspend(() => greeted.yet ? Deferred.await(gate) : Effect.void)
        })
        const quick = yield* connect(hub, { topics: "runs" })
        yield* pass(0)
        for (let step = 0; step < 200; step += 1) yield* Effect.zipRight(create, pass("250 millis"))
        expect(quick.of("runs")).toHaveLength(200)
        expect((yield* hub.metrics).lost).toBeGreaterThan(0)
        yield* Deferred.succeed(gate, undefined)
        yield* pass(0)
        expect(slow.of("reset").length).toBeGreaterThan(0)
        expect(slow.told().length).toBeLessThan(80)
        yield* create
        yield* pass("1 second")
        expect(slow.told().at(-1)).toEqual(quick.told().at(-1))
        expect(quick.of("reset")).toHaveLength(0)
      })
  )

  it.scoped(
    "costs as much for a hundred clients as for one: one read, one encoding a frame",
    () =>
      Effect.gen(function*() {
        const { create, hub, reads } = yield* begun()
        const clients = yield* Effect.replicateEffect(connect(hub), 100)
        yield* pass("2 seconds")
        const before = { ...reads }
        const { frames } = yield* hub.metrics
        for (let step = 0; step < 10; step += 1) yield* Effect.zipRight(create, pass("250 millis"))
        expect(reads.records - before.records).toBe(10)
        expect(reads.summaries - before.summaries).toBe(10)
        expect(reads.counts - before.counts).toBeLessThanOrEqual(4)
        expect(reads.feeds).toBe(1)
        expect((yield* hub.metrics).frames - frames).toBeLessThanOrEqual(14)
        for (const client of clients) expect(client.of("runs")).toHaveLength(10)
      })
  )

  it.scoped("is refused when there are as many as allowed, until one of them left", () =>
    Effect.gen(function*() {
      const { hub } = yield* begun({ maxStreams: 2 })
      const first = yield* connect(hub)
      yield* connect(hub)
      yield* pass(0)
      const refused = yield* Effect.flip(connect(hub))
      expect(refused).toMatchObject({ _tag: "StreamUnavailable", retryAfter: 5 })
      yield* first.leave
      expect((yield* hub.metrics).connections).toBe(1)
      yield* connect(hub)
      expect((yield* hub.metrics).connections).toBe(2)
    }))

  it.scoped("says goodbye when the hub closes, and begins no more", () =>
    Effect.gen(function*() {
      const all = yield* world
      const scope = yield* Scope.make()
      const hub = yield* Scope.extend(StreamHub.make(all.sources), scope)
      const client = yield* connect(hub)
      yield* pass(0)
      yield* Scope.close(scope, Exit.void)
      yield* client.awaitEnd
      expect(client.of("bye")).toEqual([{ t: "bye", why: "shutdown" }])
      expect((yield* Effect.flip(connect(hub))).message).toContain("shuts down")
    }))
})

describe("the hub", () => {
  it.scoped("reads nothing while nobody listens, keeps frames for two minutes, and then forgets", () =>
    Effect.gen(function*() {
      const { create, hub, reads } = yield* begun()
      yield* create
      yield* pass("1 minute")
      expect(reads).toMatchObject({ feeds: 0, records: 0, counts: 0, bucket: 0 })
      const client = yield* connect(hub, { topics: "runs" })
      yield* pass("1 second")
      const { lastId } = folded(client.told())
      yield* client.leave
      const { counts } = reads
      yield* create
      yield* pass("1 minute")
      expect(reads.records, "for the ring").toBe(1)
      expect(reads.counts, "nobody hears them").toBe(counts)
      const back = yield* connect(hub, { topics: "runs", since: lastId! })
      yield* pass(0)
      expect(back.of("runs")).toHaveLength(1)
      yield* back.leave
      yield* pass("119 seconds")
      expect((yield* hub.metrics).awake).toBe(true)
      yield* pass("2 seconds")
      expect((yield* hub.metrics).awake).toBe(false)
      yield* create
      yield* pass("1 minute")
      expect(reads.records).toBe(1)
      const late = yield* connect(hub, { topics: "runs", since: folded(back.told()).lastId! })
      yield* pass(0)
      expect(late.told().map(({ frame }) => frame.t)).toEqual(["hello", "reset"])
      expect(reads.feeds).toBe(2)
    }))

  it.scoped("loses nothing while the backend is down", () =>
    Effect.gen(function*() {
      const { create, hub, put, state } = yield* begun()
      const client = yield* connect(hub)
      yield* pass("1 second")
      state.down = true
      const record = yield* create
      yield* pass("1 second")
      yield* put(started(record))
      yield* pass("10 seconds")
      expect(client.of("runs")).toHaveLength(0)
      state.down = false
      yield* pass("10 seconds")
      expect(client.of("runs").at(-1)!.n).toEqual([rowOf(started(record))])
      expect(client.of("counts").at(-1)!.c).toMatchObject({ running: 1 })
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))))

  it.scoped("answers those who poll with the same frames, and without keeping anything open", () =>
    Effect.gen(function*() {
      const { create, hub } = yield* begun()
      const wish = { topics: { shared: new Set(["runs"] as const), watched: [] }, since: undefined }
      const frames = (polled: StreamHub.Polled) =>
        polled.frames.map((frame) => JSON.parse(new TextDecoder().decode(frame)))
      const first = yield* hub.poll(visitor, wish)
      expect(frames(first)).toMatchObject([{ t: "hello" }])
      const record = yield* create
      yield* pass("5 seconds")
      const second = yield* hub.poll(visitor, { ...wish, since: first.next })
      expect(frames(second)).toEqual([{ t: "runs", n: [rowOf(record)], u: [], d: [] }])
      const third = yield* hub.poll(visitor, { ...wish, since: second.next })
      expect(frames(third)).toEqual([])
      expect(third.next).toBe(second.next)
      expect(frames(yield* hub.poll(visitor, { ...wish, since: "00000000-1" }))).toEqual([{ t: "reset" }])
      expect((yield* hub.metrics).connections).toBe(0)
      yield* pass("3 minutes")
      expect((yield* hub.metrics).awake).toBe(false)
    }))
})

describe("a watched task", () => {
  it.scoped("sends its new log lines, read once for all who watch, and first where the log is", () =>
    Effect.gen(function*() {
      const { create, hub, log, reads } = yield* begun()
      const record = yield* create
      yield* log(record, "before")
      const topics = `log:${record.taskId}`
      const clients = yield* Effect.replicateEffect(connect(hub, { topics }), 5)
      yield* pass(0)
      for (const client of clients) {
        expect(client.of("log")[0]).toEqual({ t: "log", run: record.taskId, from: 1, l: [] })
      }
      yield* pass("2 seconds")
      const { logs } = reads
      yield* log(record, "a", "b")
      yield* log(record, "c")
      yield* pass("250 millis")
      yield* log(record, "d")
      yield* pass("1 second")
      const [client] = clients
      expect(client!.of("log").slice(-2)).toEqual([
        { t: "log", run: record.taskId, from: 1, l: ["a", "b", "c"] },
        { t: "log", run: record.taskId, from: 4, l: ["d"] }
      ])
      expect(reads.logs - logs).toBe(2)
    }))

  it.scoped("sends at most 500 lines in a frame, the rest in the next ones", () =>
    Effect.gen(function*() {
      const { create, hub, log } = yield* begun()
      const record = yield* create
      const client = yield* connect(hub, { topics: `log:${record.taskId}` })
      yield* pass("2 seconds")
      const lines = Array.from({ length: 1_200 }, (_, index) => `line ${index}`)
      yield* log(record, ...lines)
      yield* pass("2 seconds")
      const frames = client.of("log").slice(1)
      expect(frames.map(({ from, l }) => [from, l.length])).toEqual([[0, 500], [500, 500], [1_000, 200]])
      expect(frames.flatMap(({ l }) => l)).toEqual(lines)
    }))

  it.scoped("sends its summary on each change, and null when it is gone", () =>
    Effect.gen(function*() {
      const { create, hub, page, put, records } = yield* begun()
      const record = yield* create
      const client = yield* connect(hub, { topics: `run:${record.taskId}` })
      yield* pass("1 second")
      const running = { ...started(record), progress: { value: 0.5, message: "half" } }
      yield* put(running)
      yield* pass("1 second")
      records.delete(record.taskId)
      yield* page([{
        _tag: "Progressed",
        taskId: record.taskId,
        at: 0,
        by: running.owner!,
        claim: 1,
        progress: running.progress
      }])
      yield* pass("1 second")
      expect(client.of("run")).toEqual([
        { t: "run", run: record.taskId, patch: rowOf(record) },
        { t: "run", run: record.taskId, patch: rowOf(running) },
        { t: "run", run: record.taskId, patch: null }
      ])
      expect(client.of("runs")).toEqual([])
    }))

  it.scoped("leaves each client ten messages a second in all, and nobody waits for ever", () =>
    Effect.gen(function*() {
      const { create, hub, log, put } = yield* begun()
      const records = yield* Effect.replicateEffect(create, 8)
      const at: Array<number> = []
      const seen = new Map<string, number>()
      const clock = yield* Effect.clock
      const busy = yield* connect(hub, {
        topics: `runs,counts,buckets,${records.map(({ taskId }) => `log:${taskId}`).join()}`,
        onTold: ({ frame }) => {
          if (frame.t !== "hello") at.push(clock.unsafeCurrentTimeMillis())
          if (frame.t === "log") seen.set(frame.run, (seen.get(frame.run) ?? 0) + 1)
        }
      })
      const other = yield* connect(hub, { topics: `log:${records[0]!.taskId}` })
      yield* pass("2 seconds")
      at.length = 0
      seen.clear()
      for (let step = 0; step < 100; step += 1) {
        for (const record of records) {
          yield* log(record, `${step}`)
          yield* put(started({ ...record, claim: step, logLines: step }))
        }
        yield* pass("100 millis")
      }
      for (const from of at) {
        expect(at.filter((time) => time >= from && time < from + 1_000).length).toBeLessThanOrEqual(10)
      }
      expect(seen.size).toBe(8)
      for (const count of seen.values()) expect(count).toBeGreaterThanOrEqual(3)
      expect(other.of("log").length).toBeGreaterThanOrEqual(3)
      yield* pass("5 seconds")
      expect(busy.of("log").flatMap(({ l }) => l)).toHaveLength(800)
    }))
})
