import { HttpServerError, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, FiberId, Layer, Logger, Schema, Scope, TestClock } from "effect"
import { BackgroundTasks, Task, type TaskBackend, TaskBackendError, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import * as SqliteBackend from "../src/backend/SqliteBackend.js"
import * as TaskBackendModule from "../src/TaskBackend.js"
import { engine, gate, oneOf, sharedBackend, wrappedBackend } from "./support/engine.js"
import { databases } from "./support/sql.js"

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const Urgent = Task.make("urgent", { payload: { to: Schema.String }, eager: true })
const Broken = Task.make("broken", { error: Schema.String })

const Meet = Task.make("meet", { payload: { me: Schema.String } })

const sent: Array<string> = []
const met = { ada: Deferred.unsafeMake<void>(FiberId.none), grace: Deferred.unsafeMake<void>(FiberId.none) }
const handlers = Layer.mergeAll(
  Mail.toLayer(({ to }) => Effect.sync(() => void sent.push(to))),
  Urgent.toLayer(({ to }) => Effect.sync(() => void sent.push(to))),
  // Ends when both are there.
  Meet.toLayer(({ me }) =>
    Effect.zipRight(
      Deferred.succeed(me === "ada" ? met.ada : met.grace, undefined),
      Effect.zipRight(Deferred.await(met.ada), Deferred.await(met.grace))
    )
  ),
  Broken.toLayer(() => Effect.fail("broken"))
).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))

const ok = HttpServerResponse.empty({ status: 204 })

/** One request: `response` is the route's exit, `out` says that the response is out. */
const begin = <E, R>(
  route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  source: object = new Request("http://app.example/")
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const request = HttpServerRequest.fromWeb(source as Request) // safe: only its source is looked at
    const fiber = yield* BackgroundTasks.provide(route).pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, request),
      Effect.provideService(Scope.Scope, scope),
      Effect.forkDaemon
    )
    return { fiber, response: Fiber.await(fiber), out: Scope.close(scope, Exit.void) }
  })

const add = <T extends Task.Any>(
  task: T,
  payload: Task.Input<T>,
  options?: { readonly eager?: boolean; readonly idempotencyKey?: string; readonly delay?: "1 hour" }
) => Effect.flatMap(BackgroundTasks, (background) => background.add(task, payload, options))

const statusOf = (taskId: string) =>
  Effect.map(Effect.flatMap(TaskManager, ({ get }) => get(taskId)), ({ status }) => status)

/** Shows that what may start does: everything that was to start before it has. */
const othersRun = Effect.gen(function*() {
  const { taskId } = yield* Mail.enqueue({ to: "other" }, { priority: -1 })
  yield* TaskflowTest.awaitStatus(taskId, "success")
})

const fresh = Effect.sync(() => {
  sent.splice(0)
  met.ada = Deferred.unsafeMake(FiberId.none)
  met.grace = Deferred.unsafeMake(FiberId.none)
})

const backends = {
  memory: Effect.succeed(Layer.provideMerge(handlers, engine())),
  SQLite: Effect.map(
    databases[0]!.place,
    (place) => Layer.provideMerge(handlers, engine({}, Layer.orDie(databases[0]!.layer(place))))
  )
}

for (const [name, layer] of Object.entries(backends)) {
  const test = <E>(what: string, body: Effect.Effect<void, E, TaskManager | Scope.Scope>) =>
    it.scoped(what, () => Effect.flatMap(layer, (all) => Effect.provide(Effect.zipRight(fresh, body), all)))

  describe(`BackgroundTasks on ${name}`, () => {
    test(
      "a task is committed when add answers, and starts when the response is out",
      Effect.gen(function*() {
        const added = yield* Deferred.make<string>()
        const { out, response } = yield* begin(Effect.gen(function*() {
          const { _tag, taskId } = yield* add(Mail, { to: "ada" }, { idempotencyKey: "k" })
          expect([_tag, yield* statusOf(taskId)]).toEqual(["Enqueued", "pending"])
          const again = yield* add(Mail, { to: "ada" }, { idempotencyKey: "k" })
          expect([again._tag, again.taskId]).toEqual(["Deduplicated", taskId])
          // safe: what the compiler would refuse
          const wrong = yield* Effect.flip(add(Mail, { to: 7 as unknown as string }))
          expect([wrong._tag, "path" in wrong && wrong.path]).toEqual(["TaskArgumentError", "to"])
          yield* Deferred.succeed(added, taskId)
          return ok
        }))
        const taskId = yield* Deferred.await(added)
        expect(Exit.isSuccess(yield* response)).toBe(true)
        yield* othersRun
        expect([sent, yield* statusOf(taskId)]).toEqual([["other"], "pending"])
        yield* out
        yield* TaskflowTest.awaitStatus(taskId, "success")
        expect(sent).toEqual(["other", "ada"])
      })
    )

    test(
      "an eager one starts at once, whatever becomes of the route; the call counts before the definition",
      Effect.gen(function*() {
        const ids: Array<string> = []
        const { out, response } = yield* begin(Effect.gen(function*() {
          ids.push((yield* add(Mail, { to: "call" }, { eager: true })).taskId)
          ids.push((yield* add(Urgent, { to: "definition" })).taskId)
          ids.push((yield* add(Urgent, { to: "held" }, { eager: false })).taskId)
          return yield* Effect.fail("no")
        }))
        yield* response
        yield* TaskflowTest.awaitStatus(ids[0]!, "success")
        yield* TaskflowTest.awaitStatus(ids[1]!, "success")
        yield* out
        yield* TaskflowTest.awaitStatus(ids[2]!, "cancelled")
        expect(sent).toEqual(["call", "definition"])
      })
    )

    const ends = {
      "fails": { route: Effect.fail("no"), becomes: "cancelled" },
      "dies": { route: Effect.die("no"), becomes: "cancelled" },
      "is interrupted by the server": { route: Effect.interruptWith(FiberId.make(7, 0)), becomes: "cancelled" },
      "answers 500": { route: Effect.succeed(HttpServerResponse.empty({ status: 500 })), becomes: "cancelled" },
      "answers 503": { route: Effect.succeed(HttpServerResponse.empty({ status: 503 })), becomes: "cancelled" },
      "answers 404": { route: Effect.succeed(HttpServerResponse.empty({ status: 404 })), becomes: "success" },
      "loses its client": {
        route: Effect.interruptWith(HttpServerError.clientAbortFiberId),
        becomes: "success"
      }
    } as const
    for (const [what, { becomes, route }] of Object.entries(ends)) {
      test(
        `what was added ends as ${becomes} when the route ${what}, and nothing else does`,
        Effect.gen(function*() {
          const ids: Array<string> = []
          const own = yield* Mail.enqueue({ to: "delayed, of nobody's request" }, { delay: "1 hour" })
          const { out, response } = yield* begin(Effect.gen(function*() {
            for (const to of ["a", "b"]) ids.push((yield* add(Mail, { to })).taskId)
            ids.push((yield* add(Mail, { to: "c" }, { delay: "1 hour" })).taskId)
            return yield* route
          }))
          yield* response
          yield* othersRun
          expect(yield* statusOf(ids[0]!)).toBe("pending")
          yield* out
          for (const id of ids.slice(0, 2)) yield* TaskflowTest.awaitStatus(id, becomes)
          if (becomes === "cancelled") yield* TaskflowTest.awaitStatus(ids[2]!, "cancelled")
          else expect(yield* statusOf(ids[2]!)).toBe("pending")
          expect(yield* statusOf(own.taskId)).toBe("pending")
          expect([...sent].sort()).toEqual(becomes === "cancelled" ? ["other"] : ["a", "b", "other"])
        })
      )
    }

    test(
      "they run side by side, and one that fails leaves the others alone",
      Effect.gen(function*() {
        const ids: Array<string> = []
        const { out, response } = yield* begin(Effect.gen(function*() {
          ids.push((yield* add(Broken, undefined)).taskId)
          for (const me of ["ada", "grace"]) ids.push((yield* add(Meet, { me })).taskId)
          return ok
        }))
        yield* response
        yield* out
        yield* TaskflowTest.awaitStatus(ids[0]!, "failed")
        for (const id of ids.slice(1)) yield* TaskflowTest.awaitStatus(id, "success")
      })
    )

    test(
      "cancelled while it is held, it stays cancelled",
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const ids: Array<string> = []
        const { out, response } = yield* begin(Effect.gen(function*() {
          ids.push((yield* add(Mail, { to: "unwanted" })).taskId)
          ids.push((yield* add(Mail, { to: "wanted" })).taskId)
          return ok
        }))
        yield* response
        expect(yield* manager.cancel(ids[0]!)).toBe("cancelled")
        yield* out
        yield* TaskflowTest.awaitStatus(ids[1]!, "success")
        expect([sent, yield* statusOf(ids[0]!)]).toEqual([["wanted"], "cancelled"])
      })
    )

    test(
      "added after the response it starts at once",
      Effect.gen(function*() {
        const late = yield* gate
        const added = yield* Deferred.make<string, unknown>()
        const { out, response } = yield* begin(Effect.gen(function*() {
          const later = Effect.zipRight(late.wait, add(Mail, { to: "late" }))
          yield* Effect.forkDaemon(Effect.intoDeferred(Effect.map(later, ({ taskId }) => taskId), added))
          return ok
        }))
        yield* response
        yield* out
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)))
        yield* late.open
        yield* TaskflowTest.awaitStatus(yield* Deferred.await(added), "success")
      })
    )
  })
}

describe("BackgroundTasks", () => {
  const withMemory = Effect.provide(Layer.provideMerge(handlers, engine()))

  it.effect("of one request are bounded; eager ones do not count", () =>
    Effect.gen(function*() {
      yield* fresh
      const { out, response } = yield* begin(Effect.gen(function*() {
        for (let n = 0; n < 1_000; n += 1) yield* add(Mail, { to: String(n) })
        yield* add(Mail, { to: "eager" }, { eager: true })
        const error = yield* Effect.flip(add(Mail, { to: "one more" }))
        expect(error._tag).toBe("TaskHoldLimit")
        expect(error.message).toContain("mail was not added: this request holds 1000")
        return ok
      }))
      expect(yield* response).toEqual(Exit.succeed(ok))
      yield* out
      yield* TaskflowTest.drain
      expect(sent).toHaveLength(1_001)
    }).pipe(withMemory))

  it.effect("held for an hour they start although the response is not out", () =>
    Effect.gen(function*() {
      const ids: Array<string> = []
      const { response } = yield* begin(Effect.gen(function*() {
        ids.push((yield* add(Mail, { to: "forgotten" })).taskId)
        return ok
      }))
      yield* response
      yield* TestClock.adjust("59 minutes")
      yield* othersRun
      expect(yield* statusOf(ids[0]!)).toBe("pending")
      yield* TestClock.adjust("2 minutes")
      yield* TaskflowTest.awaitStatus(ids[0]!, "success")
    }).pipe(withMemory))

  const slowWrite = Effect.gen(function*() {
    const begun = yield* gate
    const blocked = yield* gate
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) =>
        batch.changes.some((change) => change._tag === "Insert" && change.record.payload.includes("slow"))
          ? Effect.zipRight(begun.open, Effect.zipRight(blocked.wait, write(batch)))
          : write(batch)
    }))
    return { backend, begun, blocked }
  })
  for (
    const [by, becomes] of [[HttpServerError.clientAbortFiberId, "success"], [FiberId.make(7, 0), "cancelled"]] as const
  ) {
    it.effect(`a route that is interrupted before add answered leaves a task that ends as ${becomes}`, () =>
      Effect.gen(function*() {
        yield* fresh
        const { backend, begun, blocked } = yield* slowWrite
        yield* Effect.gen(function*() {
          const { fiber, out, response } = yield* begin(Effect.as(add(Mail, { to: "slow" }), ok))
          yield* begun.wait
          yield* Fiber.interruptAsFork(fiber, by)
          expect(Exit.isInterrupted(yield* response)).toBe(true)
          yield* out
          yield* blocked.open
          const { items } = yield* Effect.flatMap(TaskManager, ({ list }) => list())
          expect(items).toHaveLength(1)
          yield* TaskflowTest.awaitStatus(items[0]!.taskId, becomes)
          expect(sent).toEqual(becomes === "success" ? ["slow"] : [])
        }).pipe(Effect.provide(Layer.provideMerge(handlers, engine({}, backend))))
      }))
  }

  it.effect("a backend that does not answer is asked until the task is cancelled", () =>
    Effect.gen(function*() {
      yield* fresh
      let failures = 3
      const backend = wrappedBackend(({ cancel }) => ({
        cancel: (taskId, now) =>
          Effect.suspend(() => {
            failures -= 1
            return failures < 0
              ? cancel(taskId, now)
              : Effect.fail(new TaskBackendError({ method: "cancel", cause: new Error("away") }))
          })
      }))
      yield* Effect.gen(function*() {
        const { taskId } = yield* Effect.gen(function*() {
          const added = yield* Deferred.make<{ readonly taskId: string }, unknown>()
          const { out, response } = yield* begin(
            Effect.zipRight(Effect.intoDeferred(add(Mail, { to: "x" }), added), Effect.fail("no"))
          )
          yield* response
          yield* out
          return yield* Deferred.await(added)
        })
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
        yield* TestClock.adjust("1 minute")
        yield* TaskflowTest.awaitStatus(taskId, "cancelled")
        expect(sent).toEqual([])
      }).pipe(Effect.provide(Layer.provideMerge(handlers, engine({}, backend))))
    }))

  it.effect("a client of Node that went away is no reason to wait for a response that nobody gets", () =>
    Effect.gen(function*() {
      yield* fresh
      const listeners: Array<() => void> = []
      const socket = {
        destroyed: false,
        once: (_: "close", listener: () => void) => listeners.push(listener),
        off: (_: "close", listener: () => void) => listeners.splice(listeners.indexOf(listener), 1)
      }
      const ids: Array<string> = []
      const route = Effect.map(add(Mail, { to: "ada" }), ({ taskId }) => {
        ids.push(taskId)
        return ok
      })
      const first = yield* begin(route, { url: "/", socket })
      yield* first.response
      yield* othersRun
      expect(yield* statusOf(ids[0]!)).toBe("pending")
      for (const listener of listeners) listener()
      yield* TaskflowTest.awaitStatus(ids[0]!, "success")
      yield* first.out
      expect(listeners).toEqual([])
    }).pipe(withMemory))

  it.effect("layerEager: add is enqueue", () =>
    Effect.gen(function*() {
      yield* fresh
      const { taskId } = yield* add(Mail, { to: "now" })
      yield* TaskflowTest.awaitStatus(taskId, "success")
    }).pipe(Effect.provide(BackgroundTasks.layerEager), withMemory))

  it.scoped("inside a transaction they belong to that: they start after the commit, and a failing route leaves them", () =>
    Effect.gen(function*() {
      yield* fresh
      const { inTransaction, layer } = yield* transactionalSqlite
      yield* Effect.gen(function*() {
        const ids: Array<string> = []
        const { out, response } = yield* begin(Effect.gen(function*() {
          ids.push((yield* inTransaction(add(Mail, { to: "committed" }))).taskId)
          return yield* Effect.fail("no")
        }))
        yield* response
        yield* TestClock.adjust("1 second")
        yield* TaskflowTest.awaitStatus(ids[0]!, "success")
        yield* out
        expect(sent).toEqual(["committed"])
      }).pipe(Effect.provide(layer))
    }))
})

const transactionalSqlite = Effect.gen(function*() {
  const [sqlite] = databases
  const { Reactivity } = yield* Effect.promise(() => import("@effect/experimental"))
  const { backendOn } = yield* Effect.promise(() => import("./support/sql.js"))
  const place = yield* sqlite!.place
  const client = yield* Effect.provide(sqlite!.open(place), Reactivity.layer)
  const backend = Layer.scoped(TaskBackendModule.TaskBackend, backendOn(client, { prefix: "t_" }))
  return {
    inTransaction: client.withTransaction,
    layer: Layer.provideMerge(handlers, engine({}, Layer.orDie(backend)))
  }
})

// Two engines, as in two processes.
const fleets = {
  memory: Effect.map(sharedBackend, (backend) => () => Effect.succeed(backend)),
  SQLite: Effect.map(databases[0]!.place, (place) => () =>
    Effect.map(
      Layer.build(SqliteBackend.layer({ filename: `${place}/tasks.db` })),
      Context.get(TaskBackendModule.TaskBackend)
    ))
} satisfies Record<
  string,
  Effect.Effect<() => Effect.Effect<TaskBackend["Type"], unknown, Scope.Scope>, never, Scope.Scope>
>

for (const [name, fleet] of Object.entries(fleets)) {
  const poll = { min: "100 millis", max: "1 second" } as const

  const heldAt = (one: { readonly context: Context.Context<TaskManager> }) =>
    Effect.gen(function*() {
      const ids: Array<string> = []
      const { out, response } = yield* begin(Effect.gen(function*() {
        ids.push((yield* add(Mail, { to: "held" })).taskId)
        return ok
      }))
      yield* response
      return { out, taskId: ids[0]! }
    }).pipe(Effect.provide(one.context))

  describe(`BackgroundTasks of two instances on ${name}`, () => {
    it.scoped("an idle instance leaves alone what another holds, and takes it when the response is out", () =>
      Effect.gen(function*() {
        yield* fresh
        const open = yield* fleet
        const web = yield* oneOf(yield* open(), Layer.empty, { poll })
        const worker = yield* oneOf(yield* open(), handlers, { poll })
        const { out, taskId } = yield* heldAt(web)
        yield* TestClock.adjust("20 seconds")
        yield* Effect.provide(othersRun, worker.context)
        expect([sent, yield* Effect.provide(statusOf(taskId), worker.context)]).toEqual([["other"], "pending"])
        yield* out
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
        yield* TestClock.adjust("2 seconds")
        yield* Effect.provide(TaskflowTest.awaitStatus(taskId, "success"), worker.context)
      }))

    it.scoped("a shutdown gives back what is held", () =>
      Effect.gen(function*() {
        yield* fresh
        const open = yield* fleet
        const web = yield* oneOf(yield* open(), handlers, { poll })
        const other = yield* oneOf(yield* open(), Layer.empty, { poll })
        const { out, taskId } = yield* heldAt(web)
        yield* web.close
        const record = yield* Effect.provide(Effect.flatMap(TaskManager, ({ get }) => get(taskId)), other.context)
        expect([record.status, record.owner, record.runAt]).toEqual(["pending", null, null])
        yield* out
        expect(sent).toEqual([])
      }))

    it.scoped(
      "the task of an instance that died while it held it runs elsewhere, a lease later",
      () =>
        Effect.gen(function*() {
          yield* fresh
          const open = yield* fleet
          const web = yield* oneOf(yield* open(), handlers, { poll })
          const worker = yield* oneOf(yield* open(), handlers, { poll })
          const { taskId } = yield* heldAt(web)
          yield* web.cut
          for (let second = 0; second < 60; second += 5) yield* TestClock.adjust("5 seconds")
          yield* Effect.provide(TaskflowTest.awaitStatus(taskId, "success"), worker.context)
        }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))),
      60_000
    )
  })
}
