// Several engines on one backend: who lives, who died, and what becomes of the tasks.
import { describe, expect, it, vi } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Layer, type Scope, TestClock } from "effect"
import { Task, TaskBackend, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as LoopLag from "../src/internal/loopLag.js"
import { ofThisProcess, startTicksOf } from "../src/internal/processFacts.js"
import { TaskBackendError } from "../src/TaskError.js"
import { InstanceId } from "../src/TaskEvent.js"
import * as TaskflowConfig from "../src/TaskflowConfig.js"
import * as TaskId from "../src/TaskId.js"
import { collectedLogs, gate, oneOf, sharedBackend } from "./support/engine.js"

const Again = Task.make("again", { requeueOnInterrupt: true })
const Once = Task.make("once", { requeueOnInterrupt: false })

const manager = TaskManager
const idle = Layer.empty
const ids = TaskId.random()

// An instance that was there and beats no more.
const ghost = (backend: TaskBackend["Type"], facts: Partial<ReturnType<typeof ofThisProcess>> = {}) =>
  Effect.gen(function*() {
    const id = InstanceId.make(ids.next(0))
    yield* backend.attach({ id, host: "elsewhere", process: null, ...facts }, 0)
    return id
  })

const alive = (backend: TaskBackend["Type"], id: InstanceId) =>
  Effect.gen(function*() {
    const { peers } = yield* backend.heartbeat(InstanceId.make("nobody"), 0)
    return peers.some((peer) => peer.id === id && peer.state === "live")
  })

describe("an instance that is silent", () => {
  it.scoped("for one lease is dead: what it ran runs elsewhere, and it comes back under a new identity", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const backend = yield* sharedBackend
      const stopped: Array<string> = []
      const hang = (name: string) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => stopped.push(name)))
      const release = yield* gate
      const a = yield* oneOf(backend, Layer.merge(Again.toLayer(() => hang("again")), Once.toLayer(() => release.wait)))
      const { taskId } = yield* Effect.provide(Again.enqueue(), a.context)
      const once = yield* Effect.provide(Once.enqueue(), a.context)
      const b = yield* oneOf(backend, Again.toLayer(() => Effect.void))
      const instance = yield* Effect.provide(Effect.map(manager, (one) => one.instance), a.context)
      yield* a.cut
      yield* TestClock.adjust("24 seconds")
      expect(stopped).toEqual([])
      // The lease of 30 seconds less a sixth: soon others may start it, so it stops; what may not run twice goes on.
      yield* TestClock.adjust("2 seconds")
      expect(stopped).toEqual(["again"])
      expect(yield* alive(backend, instance)).toBe(true)
      yield* TestClock.adjust("15 seconds")
      const seen = yield* Effect.provide(Effect.flatMap(manager, (one) => one.get(taskId)), b.context)
      expect(seen).toMatchObject({ status: "success", crashes: 1, attempts: 2 })

      yield* a.mend
      yield* TestClock.adjust("15 seconds")
      const renewed = yield* Effect.provide(Effect.map(manager, (one) => one.instance), a.context)
      expect(renewed).not.toBe(instance)
      expect(logs.lines.filter(({ message }) => message.includes("goes on as"))).toHaveLength(1)
      yield* release.open
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.provide(Effect.flatMap(manager, (one) => one.get(once.taskId)), a.context))
        .toMatchObject({ status: "interrupted", stopReason: "instanceDied" })
      expect(logs.lines.some(({ message }) => message.includes(once.taskId) && message.includes("not recorded"))).toBe(
        true
      )
      const next = yield* Effect.provide(Once.enqueue(), a.context)
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.provide(Effect.flatMap(manager, (one) => one.get(next.taskId)), a.context))
        .toMatchObject({ status: "success", instance: renewed })
    }).pipe(Effect.provide(logs.layer))
  })

  it.scoped("together with everybody is not taken for dead", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const a = yield* oneOf(backend, idle)
      const b = yield* oneOf(backend, idle)
      const instances = yield* Effect.forEach([a, b], ({ context }) =>
        Effect.provide(Effect.map(manager, (one) => one.instance), context))
      yield* TestClock.adjust("12 seconds")
      yield* Effect.all([a.cut, b.cut])
      yield* TestClock.adjust("5 minutes")
      yield* b.mend
      yield* TestClock.adjust("19 seconds")
      yield* a.mend
      yield* TestClock.adjust("2 minutes")
      expect(
        yield* Effect.forEach(instances, (id) =>
          alive(backend, id))
      ).toEqual([true, true])
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.scoped("whose process is gone from this machine is dead at once; another machine's needs a lease", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const own = ofThisProcess()
      const facts = own.process!
      const gone = yield* ghost(backend, { host: own.host, process: { ...facts, pid: 2 ** 22 + 7 } })
      const reused = yield* ghost(backend, { host: own.host, process: { ...facts, startTicks: "1" } })
      const same = yield* ghost(backend, own)
      const other = yield* ghost(backend, { host: own.host, process: { ...facts, bootId: "x", pid: 2 ** 22 + 7 } })
      yield* oneOf(backend, idle)
      yield* TestClock.adjust("1 millis")
      const state = () => Effect.forEach([gone, reused, same, other], (id) => alive(backend, id))
      expect(yield* state()).toEqual([false, false, true, true])
      yield* TestClock.adjust("29 seconds")
      expect(yield* state()).toEqual([false, false, true, true])
      yield* TestClock.adjust("2 seconds")
      expect(yield* state()).toEqual([false, false, false, false])
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.scoped("is not taken for dead by its missing process when that is not asked for", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const own = ofThisProcess()
      const gone = yield* ghost(backend, { host: own.host, process: { ...own.process!, pid: 2 ** 22 + 7 } })
      yield* oneOf(backend, idle, { sameHostDetection: false })
      yield* TestClock.adjust("20 seconds")
      expect(yield* alive(backend, gone)).toBe(true)
    }))

  it.scoped("longer than half a lease between two heartbeats has to watch anew", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const other = yield* ghost(backend)
      const a = yield* oneOf(backend, idle)
      yield* TestClock.adjust("21 seconds")
      yield* a.cut
      yield* TestClock.adjust("18 seconds")
      yield* a.mend
      yield* TestClock.adjust("25 seconds")
      expect(yield* alive(backend, other)).toBe(true)
      yield* TestClock.adjust("20 seconds")
      expect(yield* alive(backend, other)).toBe(false)
    }).pipe(Effect.provide(collectedLogs().layer)))
})

describe("an instance that was declared dead", () => {
  // As a neighbour would: by the beat it saw.
  const kill = (backend: TaskBackend["Type"], id: InstanceId) =>
    Effect.gen(function*() {
      const { peers } = yield* backend.heartbeat(InstanceId.make("nobody"), 0)
      const { beat } = peers.find((peer) => peer.id === id)!
      return yield* backend.reap({ suspect: id, beat, now: 0, limit: 500 })
    })

  it.scoped("loses no enqueue: it is accepted under the new identity, and runs", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const backend = yield* sharedBackend
      const a = yield* oneOf(backend, Again.toLayer(() => Effect.void), { maxConcurrentTasks: 2 })
      const instance = yield* Effect.provide(Effect.map(manager, (one) => one.instance), a.context)
      yield* kill(backend, instance)
      const results = yield* Effect.provide(
        Effect.all([1, 2, 3, 4].map(() => Again.enqueue()), { concurrency: 4 }),
        a.context
      )
      expect(results.map(({ _tag }) => _tag)).toEqual(["Enqueued", "Enqueued", "Enqueued", "Enqueued"])
      yield* TestClock.adjust("1 second")
      const records = yield* Effect.provide(
        Effect.flatMap(manager, (one) => Effect.forEach(results, ({ taskId }) => one.get(taskId))),
        a.context
      )
      expect(records.map(({ attempts, status }) => [status, attempts])).toEqual(records.map(() => ["success", 1]))
      expect(new Set(records.map((record) => record.instance))).not.toContain(instance)
      expect(logs.lines.filter(({ message }) => message.includes("goes on as"))).toHaveLength(1)
    }).pipe(Effect.provide(logs.layer))
  })

  it.scoped("stops what runs elsewhere now, and empties its queue without writing", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      let stopped = 0
      let runs = 0
      const handler = Effect.suspend(() =>
        ++runs === 1 ? Effect.onInterrupt(Effect.never, () => Effect.sync(() => stopped += 1)) : Effect.void
      )
      const a = yield* oneOf(backend, Again.toLayer(() => handler), { maxConcurrentTasks: 1 })
      yield* Effect.provide(Again.enqueueMany([undefined, undefined, undefined]), a.context)
      const instance = yield* Effect.provide(Effect.map(manager, (one) => one.instance), a.context)
      expect((yield* kill(backend, instance)).records).toHaveLength(3)
      yield* TestClock.adjust("15 seconds")
      expect([stopped, runs]).toEqual([1, 4])
      const { counts } = yield* backend.stats({})
      expect(counts).toMatchObject({ success: 3, pending: 0, running: 0 })
    }).pipe(Effect.provide(collectedLogs().layer)))
})

describe("another instance", () => {
  it.scoped("can be asked to cancel: the running one hears it with its next heartbeat", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const a = yield* oneOf(backend, Once.toLayer(() => Effect.never))
      const b = yield* oneOf(backend, idle)
      const { taskId } = yield* Effect.provide(Once.enqueue(), a.context)
      const asked = Effect.flatMap(manager, (one) => one.cancel(taskId))
      expect(yield* Effect.provide(asked, b.context)).toBe("requested")
      yield* TestClock.adjust("11 seconds")
      expect(yield* Effect.provide(Effect.flatMap(manager, (one) => one.get(taskId)), b.context))
        .toMatchObject({ status: "cancelled" })
    }))

  it.scoped("runs what is enqueued here, and whoever waits for it here hears of its end", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const Sum = Task.make("sum")
      const a = yield* oneOf(backend, Sum.toLayer(() => Effect.sleep("3 seconds")))
      const b = yield* oneOf(backend, idle)
      const waiting = yield* Effect.fork(Effect.provide(Sum.execute(), b.context))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(waiting)
      yield* a.close
    }))
})

describe("an instance that could not be seen for a while, and was not taken for dead", () => {
  it.scoped("goes on: what it had to interrupt is pending again and runs here, what it could keep ends as it would", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const backend = yield* sharedBackend
      let runs = 0
      const again = Effect.suspend(() => ++runs === 1 ? Effect.never : Effect.void)
      const once = Effect.as(Effect.sleep("35 seconds"), undefined)
      const a = yield* oneOf(backend, Layer.merge(Again.toLayer(() => again), Once.toLayer(() => once)))
      const first = yield* Effect.provide(Again.enqueue(), a.context)
      const second = yield* Effect.provide(Once.enqueue(), a.context)
      yield* a.cut
      yield* TestClock.adjust("28 seconds")
      // Without its lease it starts nothing, not even what it is given now.
      const late = yield* Effect.fork(Effect.provide(Again.enqueue(), a.context))
      yield* TestClock.adjust("12 seconds")
      expect(runs).toBe(1)
      yield* a.mend
      yield* TestClock.adjust("15 seconds")
      const { taskId } = yield* Fiber.join(late)
      const get = (id: string) => Effect.provide(Effect.flatMap(manager, (one) => one.get(id)), a.context)
      expect(yield* get(first.taskId)).toMatchObject({ status: "success", attempts: 2, crashes: 0 })
      expect(yield* get(second.taskId)).toMatchObject({ status: "success", attempts: 1 })
      expect(yield* get(taskId)).toMatchObject({ status: "success" })
      expect(logs.lines.filter(({ message }) => message.includes("no heartbeat reached the backend"))).toHaveLength(1)
    }).pipe(Effect.provide(logs.layer))
  })
})

describe("what a neighbour does with the tasks of the dead", () => {
  it.scoped("is told as events, and to whoever waits", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const never = Layer.merge(Again.toLayer(() => Effect.never), Once.toLayer(() => Effect.never))
      const a = yield* oneOf(backend, never)
      const requeued = yield* Effect.provide(Again.enqueue(), a.context)
      const ended = yield* Effect.provide(Once.enqueue(), a.context)
      const b = yield* oneOf(backend, idle)
      const told: Array<readonly [string, string]> = []
      const one = yield* Effect.provide(manager, b.context)
      one.tap((event) => told.push([event._tag, event.taskId]))
      const waiting = yield* Effect.fork(one.awaitResult(ended.taskId))
      yield* a.cut
      yield* TestClock.adjust("41 seconds")
      expect(new Set(told.map(String)))
        .toEqual(new Set([`Requeued,${requeued.taskId}`, `Interrupted,${ended.taskId}`]))
      expect(yield* Fiber.join(waiting)).toMatchObject({ status: "interrupted", stopReason: "instanceDied" })
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.scoped("is done in chunks, one that brings nothing waits for the next heartbeat", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      const dead = yield* ghost(shared)
      const answers = [true, true, true, false]
      const asked: Array<readonly [number, number]> = []
      const reap: TaskBackend["Type"]["reap"] = ({ limit, suspect }) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          expect(suspect).toBe(dead)
          asked.push([now, limit])
          // safe: nothing looks into it but for its status
          const records = asked.length === 2 ? [] : [{ status: "pending", crashes: 0, taskName: "x" } as never]
          return { records, left: answers[asked.length - 1] ?? false }
        })
      yield* oneOf({ ...shared, reap }, idle)
      yield* TestClock.adjust("41 seconds")
      expect(asked).toEqual([[30_000, 500], [30_000, 500], [40_000, 500], [40_000, 500]])
    }).pipe(Effect.provide(collectedLogs().layer)))
})

describe("a reap", () => {
  const never = <A>() => Effect.uninterruptible(Effect.never) as Effect.Effect<A>

  it.scoped("that fails does not keep those behind it from being taken over", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const shared = yield* sharedBackend
      const broken = yield* ghost(shared)
      const behind = yield* ghost(shared)
      const reap: TaskBackend["Type"]["reap"] = (request) =>
        request.suspect === broken
          ? Effect.fail(new TaskBackendError({ method: "reap", cause: new Error("bad row") }))
          : shared.reap(request)
      yield* oneOf({ ...shared, reap }, idle)
      yield* TestClock.adjust("41 seconds")
      expect([yield* alive(shared, broken), yield* alive(shared, behind)]).toEqual([true, false])
      expect(logs.lines.some(({ message }) => message.includes(broken) && message.includes("failed"))).toBe(true)
    }).pipe(Effect.provide(logs.layer))
  })

  it.scoped("that is never answered does not keep the engine from closing", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      yield* ghost(shared)
      let reaps = 0
      const reap = () => Effect.suspend(() => (reaps += 1, never<never>()))
      const one = yield* oneOf({ ...shared, reap }, idle)
      yield* TestClock.adjust("41 seconds")
      expect(reaps).toBe(1)
      const closed = yield* Effect.fork(one.close)
      yield* TestClock.adjust("11 seconds")
      expect(yield* Fiber.poll(closed)).toMatchObject({ _tag: "Some" })
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.scoped("of this instance: neither does an attach under the new identity that is never answered", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      let attached = 0
      const attach: TaskBackend["Type"]["attach"] = (facts, now) =>
        Effect.suspend(() => ++attached === 1 ? shared.attach(facts, now) : never<void>())
      const one = yield* oneOf({ ...shared, attach }, idle)
      const id = yield* Effect.provide(Effect.map(manager, ({ instance }) => instance), one.context)
      yield* TestClock.adjust("1 second")
      const { peers } = yield* shared.heartbeat(InstanceId.make("nobody"), 0)
      const { beat } = peers.find((peer) => peer.id === id)!
      yield* shared.reap({ suspect: id, beat, now: 0, limit: 500 })
      yield* TestClock.adjust("11 seconds")
      expect(attached).toBe(2)
      const closed = yield* Effect.fork(one.close)
      yield* TestClock.adjust("11 seconds")
      expect(yield* Fiber.poll(closed)).toMatchObject({ _tag: "Some" })
    }).pipe(Effect.provide(collectedLogs().layer)))
})

describe("claims of a shared backend", () => {
  const claims = (options: { readonly shared: boolean }) =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const asked: Array<{ readonly at: number; readonly stealAfter: number | null }> = []
      const claim: TaskBackend["Type"]["claim"] = (request) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => {
          asked.push({ at, stealAfter: request.stealAfter })
          return backend.claim(request)
        })
      const one = yield* oneOf(
        { ...backend, info: { ...backend.info, ...options }, claim },
        Once.toLayer(() => Effect.void)
      )
      return { asked, backend, ...one }
    })

  it.scoped("come again by themselves, the seldomer the less there is, and may take what others do not start", () =>
    Effect.gen(function*() {
      const { asked, context } = yield* claims({ shared: true })
      yield* TestClock.adjust("1 minute")
      // Every two seconds or so when idle; doubled four times before.
      expect(asked.length).toBeGreaterThan(22)
      expect(asked.length).toBeLessThan(45)
      expect(new Set(asked.map(({ stealAfter }) => stealAfter))).toEqual(new Set([1_000]))
      const before = asked.length
      yield* Effect.provide(Once.enqueue(undefined, { delay: "100 millis" }), context)
      yield* TestClock.adjust("3 seconds")
      const gaps = asked.slice(before).map(({ at }, index) => at - asked[before + index - 1]!.at)
      expect(Math.min(...gaps.slice(1))).toBeLessThan(400)
    }))

  it.scoped("do not when nobody else is there", () =>
    Effect.gen(function*() {
      const { asked } = yield* claims({ shared: false })
      yield* TestClock.adjust("1 minute")
      expect(asked.length).toBeLessThan(3)
      expect(new Set(asked.map(({ stealAfter }) => stealAfter))).toEqual(new Set([null]))
    }))
})

describe("an instance", () => {
  it.scoped("is known before it writes, and detached when it has written everything", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const seen: Array<string> = []
      const noting = <A extends ReadonlyArray<unknown>, B, E>(
        name: string,
        method: (...args: A) => Effect.Effect<B, E>
      ) =>
      (...args: A) => Effect.zipRight(Effect.sync(() => seen.push(name)), method(...args))
      const one = yield* oneOf({
        ...backend,
        attach: noting("attach", backend.attach),
        detach: noting("detach", backend.detach),
        write: noting("write", backend.write)
      }, Again.toLayer(() => Effect.never))
      const { taskId } = yield* Effect.provide(Again.enqueue(), one.context)
      yield* one.close
      expect([seen[0], seen.at(-1), seen.filter((name) => name === "detach").length]).toEqual(["attach", "detach", 1])
      expect(yield* backend.get(taskId)).toMatchObject({ value: { status: "pending", owner: null } })
      expect((yield* backend.heartbeat(InstanceId.make("nobody"), 0)).peers).toEqual([])
    }))

  it.scoped("fails to start when the backend cannot be reached", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const attach = () => Effect.fail(new TaskBackendError({ method: "attach", cause: new Error("no route") }))
      const layer = TaskflowLayer().pipe(Layer.provide(Layer.succeed(TaskBackend, { ...backend, attach })))
      expect(yield* Effect.flip(Layer.build(layer))).toMatchObject({ _tag: "TaskBackendError", method: "attach" })
    }))

  it("takes no lease that could not work", () => {
    expect(() => TaskflowConfig.make({ lease: 10 })).toThrow("lease is 10 ms: at least 100 ms")
    expect(() => TaskflowConfig.make({ lease: "9 seconds", heartbeatInterval: "4 seconds" }))
      .toThrow("heartbeatInterval is 4000 ms: at most a third of lease, 3000 ms")
    expect(() => TaskflowConfig.make({ poll: { min: "3 seconds" } })).toThrow("poll.max is 2000 ms: at least 3000 ms")
    expect(TaskflowConfig.make({ lease: "9 seconds" })).toMatchObject({ lease: 9_000, heartbeatInterval: 3_000 })
    expect(TaskflowConfig.make({ lease: "2 seconds" }).heartbeatInterval).toBeCloseTo(2_000 / 3)
  })
})

describe("a clock that is off", () => {
  // On the live Clock: another one is as right as it says.
  const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.scoped(effect)

  it.live("is told to the backend put right, and warned of once", () => {
    const logs = collectedLogs()
    return run(Effect.gen(function*() {
      const shared = yield* sharedBackend
      const written: Array<number> = []
      const twice = yield* Deferred.make<void>()
      let beats = 0
      const backend: TaskBackend["Type"] = {
        ...shared,
        heartbeat: (id, now) =>
          Effect.flatMap(Clock.currentTimeMillis, (real) => {
            beats += 1
            if (beats === 3) Deferred.unsafeDone(twice, Effect.void)
            return Effect.map(shared.heartbeat(id, now), (answer) => ({ ...answer, backendNow: real + 3_600_000 }))
          }),
        write: (batch) => Effect.zipRight(Effect.sync(() => written.push(batch.now)), shared.write(batch))
      }
      const one = yield* oneOf(backend, Again.toLayer(() => Effect.void), {
        lease: "1 minute",
        heartbeatInterval: "40 millis"
      })
      yield* Deferred.await(twice)
      const before = yield* Clock.currentTimeMillis
      yield* Effect.provide(Again.execute(undefined, { delay: 5 }), one.context)
      expect(Math.abs(written[0]! - before - 3_600_000)).toBeLessThan(10_000)
      expect(logs.lines.filter(({ message }) => message.includes("behind the backend's"))).toHaveLength(1)
    })).pipe(Effect.provide(logs.layer))
  })

  it.scoped("is nobody's business on a clock of a test's own", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      const seen: Array<number> = []
      const heartbeat: TaskBackend["Type"]["heartbeat"] = (id, now) => {
        seen.push(now)
        return Effect.map(shared.heartbeat(id, now), (answer) => ({ ...answer, backendNow: 3_600_000 }))
      }
      yield* oneOf({ ...shared, heartbeat }, idle)
      yield* TestClock.adjust("20 seconds")
      expect(seen).toEqual([0, 10_000, 20_000])
    }))
})

describe("an event loop that stood still", () => {
  it("is noticed, and only then", () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] })
    return Effect.gen(function*() {
      const stalls: Array<number> = []
      let turns = 0
      yield* LoopLag.watch({ longerThan: 1_000, onTurn: () => turns += 1, onStall: (millis) => stalls.push(millis) })
      vi.advanceTimersByTime(2_000)
      expect([turns, stalls]).toEqual([4, []])
      const real = performance.now.bind(performance)
      vi.spyOn(performance, "now").mockImplementation(() => real() + 3_000)
      vi.advanceTimersByTime(500)
      expect([turns, stalls]).toEqual([4, [3_000]])
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        vi.restoreAllMocks()
        vi.useRealTimers()
      })),
      Effect.scoped,
      Effect.runPromise
    )
  })
})

describe("the facts of a process", () => {
  it("are read past a name with spaces and parentheses", () => {
    const fields = Array.from({ length: 25 }, (_, index) => String(index + 3))
    expect(startTicksOf(`12 (a) b (c)) ${fields.join(" ")}`)).toBe("22")
  })
})
