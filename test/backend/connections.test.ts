import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { type Connections, dedicated } from "../../src/backend/sql/connections.js"
import { pooled } from "../../src/backend/sql/pooled.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"

const dialect = { ...postgresDialect, session: [], sessionHints: [], end: null }
const lost = new SqlError({ message: "reset", cause: new Error("reset") })

/** A client whose connections are given one by one, when `give` is called; the driver's side of each is `stream`. */
const handOver = (answer: (number: number) => Effect.Effect<{ readonly rows: ReadonlyArray<object> }, SqlError>) => {
  const asked: Array<Deferred.Deferred<number>> = []
  const released: Array<number> = []
  const cut: Array<number> = []
  const reserve = Effect.acquireRelease(
    Effect.gen(function*() {
      const turn = yield* Deferred.make<number>()
      asked.push(turn)
      const number = yield* Deferred.await(turn)
      const pg = { connection: { stream: { destroy: () => void cut.push(number) } } }
      return { number, pg, executeRaw: () => answer(number) }
    }),
    ({ number }) => Effect.sync(() => void released.push(number))
  )
  const give = (place: number, number: number) => Deferred.succeed(asked[place]!, number)
  // safe: what the engine's connections use of a client
  return { asked, client: { reserve } as unknown as SqlClient, cut, give, released }
}

const waitFor = (what: () => boolean) =>
  Effect.repeat(Effect.sleep("2 millis"), { until: what }).pipe(Effect.timeout("30 seconds"))

describe("a connection of the engine that does not answer", () => {
  for (const late of ["fails", "answers"] as const) {
    it.scopedLive(`is replaced, and lets go of itself alone when it ${late} at last`, () =>
      Effect.gen(function*() {
        const answer = yield* Deferred.make<{ readonly rows: ReadonlyArray<object> }, SqlError>()
        let opened = 0
        const released: Array<number> = []
        const reserve = Effect.acquireRelease(
          Effect.sync(() => {
            opened += 1
            const number = opened
            const executeRaw = () => number === 1 ? Deferred.await(answer) : Effect.succeed({ rows: [{ number }] })
            return { number, executeRaw }
          }),
          ({ number }) => Effect.sync(() => released.push(number))
        )
        // safe: what `dedicated` uses of a client
        const connections = yield* dedicated({ reserve } as unknown as SqlClient, dialect, 30)
        const ask = connections.use((db) => db.all({ sql: "SELECT 1", params: [] }))

        expect(Exit.isFailure(yield* Effect.exit(ask))).toBe(true)
        expect(yield* ask).toEqual([{ number: 2 }])
        expect(released).toEqual([])

        const error = new SqlError({ message: "reset", cause: new Error("reset") })
        yield* late === "fails" ? Deferred.fail(answer, error) : Deferred.succeed(answer, { rows: [] })
        yield* Effect.sleep("20 millis")
        expect(released).toEqual([1])
        expect(yield* ask).toEqual([{ number: 2 }])
        expect(opened).toBe(2)
      }))
  }
})

describe("a connection of the engine that still waits for an answer", () => {
  // As SIGTERM does it.
  it.scopedLive("when the engine is interrupted is hung up: its client would wait for it", () =>
    Effect.gen(function*() {
      let waits = false
      const pool = handOver(() => {
        waits = true
        return Effect.never
      })
      const engine = yield* dedicated(pool.client, { ...dialect, end: "END" }, 60_000).pipe(
        Effect.flatMap((connections) => Effect.forkDaemon(ask(connections))),
        Effect.zipRight(Effect.never),
        Effect.scoped,
        Effect.fork
      )
      yield* waitFor(() => pool.asked.length === 1)
      yield* pool.give(0, 1)
      yield* waitFor(() => waits)
      yield* Effect.timeout(Fiber.interrupt(engine), "30 seconds")
      expect([pool.cut, pool.released]).toEqual([[1], [1]])
    }))
})

const ask = (connections: Pick<Connections, "use">) => connections.use((db) => db.all({ sql: "SELECT 1", params: [] }))
const row = (number: number) => Effect.succeed({ rows: [{ number }] })

describe("a connection of the engine", () => {
  it.scopedLive("is there before anything is asked on it, and after a break is asked for at once", () =>
    Effect.gen(function*() {
      const pool = handOver((number) => number === 1 ? Effect.fail(lost) : row(number))
      const making = yield* Effect.fork(dedicated(pool.client, dialect))
      yield* waitFor(() => pool.asked.length === 1)
      yield* pool.give(0, 1)
      const connections = yield* making
      expect(pool.asked.length).toBe(1)
      expect(Exit.isFailure(yield* Effect.exit(ask(connections)))).toBe(true)
      yield* waitFor(() => pool.asked.length === 2 && pool.released.length === 1)
      yield* pool.give(1, 2)
      expect(yield* ask(connections)).toEqual([{ number: 2 }])
      expect(pool.asked.length).toBe(2)
    }))

  it.scopedLive("that comes late is kept, and its place in the queue with it", () =>
    Effect.gen(function*() {
      const pool = handOver((number) => number === 1 ? Effect.fail(lost) : row(number))
      const making = yield* Effect.fork(dedicated(pool.client, dialect, 60))
      yield* waitFor(() => pool.asked.length === 1)
      yield* pool.give(0, 1)
      const connections = yield* making
      yield* Effect.exit(ask(connections))
      yield* waitFor(() => pool.asked.length === 2)
      expect(Exit.isFailure(yield* Effect.exit(ask(connections)))).toBe(true)
      yield* pool.give(1, 2)
      yield* Effect.sleep("20 millis")
      expect(yield* ask(connections)).toEqual([{ number: 2 }])
    }))

  it.scopedLive("is not given up while it answers one statement after the other", () =>
    Effect.gen(function*() {
      const pool = handOver((number) => Effect.delay(row(number), "50 millis"))
      const making = yield* Effect.fork(dedicated(pool.client, dialect, 500))
      yield* waitFor(() => pool.asked.length === 1)
      yield* pool.give(0, 1)
      const connections = yield* making
      const many = connections.use((db) =>
        Effect.forEach(Array.from({ length: 12 }), () => db.all({ sql: "SELECT 1", params: [] }))
      )
      expect((yield* many).length).toBe(12)
    }))
})

describe("a heartbeat", () => {
  it.scopedLive("comes before all others that wait for the connection, behind one of them", () =>
    Effect.gen(function*() {
      const pool = handOver(row)
      const making = yield* Effect.fork(dedicated(pool.client, dialect))
      yield* waitFor(() => pool.asked.length === 1)
      yield* pool.give(0, 1)
      const connections = yield* making
      const order: Array<string> = []
      const held = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const long = connections.use(() => Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(held)))
      const noted = (name: string) => () => Effect.sync(() => void order.push(name))
      const claims = ["claim", "another claim", "a reap"].map((name) => connections.use(noted(name)))
      const first = yield* Effect.fork(long)
      yield* Deferred.await(begun)
      const others = yield* Effect.forEach(claims, (claim) => Effect.fork(claim))
      yield* Effect.yieldNow()
      yield* Effect.sleep("5 millis")
      const beat = yield* Effect.fork(connections.urgent(noted("heartbeat")))
      yield* Effect.yieldNow()
      yield* Effect.sleep("5 millis")
      yield* Deferred.succeed(held, undefined)
      for (const fiber of [first, ...others, beat]) yield* fiber
      expect(order).toEqual(["heartbeat", "claim", "another claim", "a reap"])
    }))
})

describe("a read", () => {
  it.scopedLive("that is not answered fails, and its connection is cut", () =>
    Effect.gen(function*() {
      const pool = handOver((number) => number === 1 ? Effect.never : row(number))
      const reads = pooled(pool.client, dialect, 60)
      const first = yield* Effect.fork(Effect.exit(ask(reads)))
      yield* waitFor(() => pool.asked.length === 1)
      yield* pool.give(0, 1)
      expect(Exit.isFailure(yield* first)).toBe(true)
      expect(pool.cut).toEqual([1])
      const second = yield* Effect.fork(ask(reads))
      yield* waitFor(() => pool.asked.length === 2)
      yield* pool.give(1, 2)
      expect(yield* second).toEqual([{ number: 2 }])
      expect(pool.released).toEqual([2])
    }))

  it.scopedLive("that no connection comes free for fails, and takes none that comes later", () =>
    Effect.gen(function*() {
      const pool = handOver(row)
      expect(Exit.isFailure(yield* Effect.exit(ask(pooled(pool.client, dialect, 60))))).toBe(true)
      yield* pool.give(0, 1)
      yield* waitFor(() => pool.released.length === 1)
      expect(pool.cut).toEqual([])
    }))
})
