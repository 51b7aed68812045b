/** What goes over the wire so that instances wake each other, and what does not. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import { Effect, Queue, Stream } from "effect"
import type { TaskBackend } from "effect-taskflow"
import { TaskEvent } from "effect-taskflow"
import { Client } from "pg"
import * as SqlBackend from "../../src/backend/SqlBackend.js"
import { postgres } from "../support/databases.js"
import { batchOf, databases, facts, now, task, watched } from "../support/sql.js"
import { testInTurn } from "../support/testOn.js"

const database = databases.find(({ kind }) => kind === "postgres")!
const test = testInTurn(database)

/** What is told on the channel of these tables. */
const overhear = (prefix: string) =>
  Effect.gen(function*() {
    const heard = yield* Queue.unbounded<string>()
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new Client({ ...postgres, user: postgres.username })),
      (one) => Effect.promise(() => one.end())
    )
    client.on("notification", ({ payload }) => Queue.unsafeOffer(heard, payload ?? ""))
    yield* Effect.promise(() => client.connect())
    yield* Effect.promise(() => client.query(`LISTEN ${prefix}live_hints`))
    const letters = Effect.map(Queue.take(heard), (payload) => payload.split(" ")[1]!)
    return { heard, letters }
  })

const another = facts(TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000002"))

/** One that listens, as an engine does. */
const listening = (client: SqlClient, options: SqlBackend.SqlBackendOptions) =>
  Effect.gen(function*() {
    const backend = yield* SqlBackend.make(client, options)
    const hints = yield* Queue.unbounded<void>()
    yield* Effect.forkScoped(Stream.runForEach(backend.hints("work"), () => Queue.offer(hints, undefined)))
    return { backend, hints }
  })

const write = (backend: TaskBackend["Type"], number: number) => backend.write(batchOf(number, [task()]))

describe.skipIf(!database.present)("hints on PostgreSQL", () => {
  test("are sent only while others are alive, and many as one", ({ open, prefix }) =>
    Effect.gen(function*() {
      const { heard, letters } = yield* overhear(prefix)
      const { backend, hints } = yield* listening(yield* open, { prefix })
      expect(yield* letters).toBe("h")
      yield* Queue.take(hints)
      yield* backend.attach(facts(), now)
      yield* backend.heartbeat(facts().id, now)
      for (let number = 1; number <= 5; number += 1) yield* write(backend, number)
      const other = yield* listening(yield* open, { prefix })
      // What was told before the other came would have been heard before it.
      expect(yield* letters).toBe("h")
      yield* Queue.take(other.hints)
      yield* other.backend.attach(another, now)
      yield* backend.heartbeat(facts().id, now)
      for (let number = 6; number <= 25; number += 1) yield* write(backend, number)
      yield* Queue.take(other.hints)
      expect(yield* letters).toMatch(/^[cw]+$/)
      expect(yield* Queue.size(heard)).toBeLessThan(20)
    }))

  test("need no connection when they are not wanted", ({ open, prefix }) =>
    Effect.gen(function*() {
      const { heard } = yield* overhear(prefix)
      const client = yield* open
      const { backend } = yield* listening(client, { prefix, notify: false })
      yield* backend.attach(facts(), now)
      yield* backend.attach(another, now)
      yield* backend.heartbeat(facts().id, now)
      yield* write(backend, 1)
      yield* client`SELECT pg_notify(${`${prefix}live_hints`}, 'mark')`
      expect(yield* Queue.take(heard)).toBe("mark")
    }))

  for (const notifyInTransaction of [true, false]) {
    const how = notifyInTransaction ? "are part of it" : "are left out when told so"
    test(`in a transaction of the application ${how}`, ({ open, prefix }) =>
      Effect.gen(function*() {
        const sent: Array<string> = []
        const client = watched(yield* open, ({ run, text }) => {
          sent.push(text)
          return run
        })
        const { heard, letters } = yield* overhear(prefix)
        const { backend, hints } = yield* listening(client, { prefix, notifyInTransaction })
        yield* Queue.take(hints)
        yield* letters
        const join = client.withTransaction(
          Effect.suspend(() => backend.joinTransaction!([task()], now))
        )
        yield* backend.attach(facts(), now)
        yield* join
        yield* backend.attach(another, now)
        yield* backend.heartbeat(facts().id, now)
        yield* join
        yield* client`SELECT pg_notify(${`${prefix}live_hints`}, '- mark')`
        expect(yield* letters).toBe(notifyInTransaction ? "wc" : "mark")
        expect(yield* Queue.size(heard)).toBeLessThanOrEqual(1)
      }))
  }

  test("do without when the client does not show how to connect", ({ open, prefix }) =>
    Effect.gen(function*() {
      const client = yield* open
      const hidden = new Proxy(client, {
        get: (target, key) => key === "config" ? undefined : Reflect.get(target, key)
      })
      const { backend, hints } = yield* listening(hidden, { prefix })
      yield* backend.attach(facts(), now)
      yield* backend.attach(another, now)
      yield* backend.claim({
        instance: facts().id,
        tasks: [{ name: "send_email", version: 1, slots: 1, window: 0 }],
        slots: 1,
        window: 0,
        stealAfter: null,
        now
      })
      yield* backend.heartbeat(facts().id, now)
      yield* write(backend, 1)
      // Found by looking.
      yield* Queue.take(hints)
    }))
})
