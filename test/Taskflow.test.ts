import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Option, Scope, TestClock } from "effect"
import { MemoryBackend, Task, TaskBackend, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { collectedLogs, engine, gate } from "./support/engine.js"

const dieMessage = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "it did not fail"

describe("one engine on one backend", () => {
  const backend = MemoryBackend.layer()
  const build = <A, E>(layer: Layer.Layer<A, E>) => Effect.exit(Effect.scoped(Layer.build(layer)))

  it.effect("two calls in two branches fail the build", () =>
    Effect.gen(function*() {
      const exit = yield* build(Layer.merge(TaskflowLayer(), TaskflowLayer()).pipe(Layer.provide(backend)))
      expect(dieMessage(exit)).toContain("a second engine on one backend")
    }))

  it.effect("one with options and one without fail the build", () =>
    Effect.gen(function*() {
      const exit = yield* build(
        Layer.merge(TaskflowLayer({ maxConcurrentTasks: 5 }), TaskflowLayer()).pipe(Layer.provide(backend))
      )
      expect(dieMessage(exit)).toContain("build it once, share the value")
    }))

  it.effect("one value provided in two branches builds once; a closed engine frees its backend", () =>
    Effect.gen(function*() {
      const shared = TaskflowLayer()
      const instances = yield* Effect.gen(function*() {
        const service = yield* MemoryBackend.make()
        const here = Layer.succeed(TaskBackend, service)
        const twice = Layer.merge(
          Layer.effect(Context.GenericTag<string>("a"), Effect.map(TaskManager, ({ instance }) => instance)).pipe(
            Layer.provide(shared)
          ),
          Layer.effect(Context.GenericTag<string>("b"), Effect.map(TaskManager, ({ instance }) => instance)).pipe(
            Layer.provide(shared)
          )
        ).pipe(Layer.provide(here))
        const read = Effect.all([Context.GenericTag<string>("a"), Context.GenericTag<string>("b")])
        return [...(yield* Effect.provide(read, twice)), ...(yield* Effect.provide(read, twice))]
      })
      expect(instances[0]).toBe(instances[1])
      expect(instances[2]).toBe(instances[3])
    }))

  it.effect("a bound that is no whole number fails the build by name", () =>
    Effect.gen(function*() {
      const exit = yield* build(TaskflowLayer({ maxConcurrentTasks: 0 }).pipe(Layer.provide(backend)))
      expect(dieMessage(exit)).toContain("maxConcurrentTasks is 0")
    }))
})

describe("the start", () => {
  it.effect("says where tasks are kept and what a shutdown does", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      yield* Effect.scoped(Layer.build(engine({ announce: true, shutdownTimeout: "30 seconds" })))
      expect(logs.lines).toMatchObject([{
        level: "Info",
        message: expect.stringContaining("memory (durability: none)")
      }])
      expect(logs.lines[0]!.message).toContain("every unfinished task is lost with the process")
    }).pipe(Effect.provide(logs.layer))
  })
})

describe("handlers", () => {
  const Mail = Task.make("mail")

  it.effect("two for one name fail the build and name it", () =>
    Effect.gen(function*() {
      const twice = Layer.merge(Mail.toLayer(() => Effect.void), Task.make("mail").toLayer(() => Effect.void))
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(twice)))
      expect(dieMessage(exit)).toContain(`two handlers for task "mail"`)
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a forgotten one is warned about once after 5 s with the count; when it comes the tasks run", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const ids = [yield* Mail.enqueue(), yield* Mail.enqueue(), yield* Mail.enqueue()].map(({ taskId }) => taskId)
      yield* TestClock.adjust("4 seconds")
      expect(logs.lines).toEqual([])
      yield* TestClock.adjust("1 second")
      const warnings = logs.lines.filter(({ level }) => level === "Warning").map(({ message }) => message)
      expect(warnings).toEqual(["3 × mail pending, no live instance has a handler: is its toLayer(…) in Main?"])
      let runs = 0
      yield* Effect.provide(
        Effect.forEach(ids, Mail.awaitResult),
        Mail.toLayer(() => Effect.sync(() => runs += 1))
      )
      expect(runs).toBe(3)
    }).pipe(Effect.provide(engine()), Effect.provide(logs.layer))
  })

  it.effect("in tests, awaiting a task without one dies at once and says which", () =>
    Effect.gen(function*() {
      expect(dieMessage(yield* Effect.exit(Mail.execute()))).toContain("task mail has no handler here")
      expect(dieMessage(yield* Effect.exit(TaskflowTest.drain))).toContain("drain: task mail has no handler")
      expect(yield* TaskflowTest.enqueuedOf(Mail)).toHaveLength(1)
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("when one leaves while the engine goes on, the others start tasks again a second later", () =>
    Effect.gen(function*() {
      const Stays = Task.make("stays")
      yield* Effect.gen(function*() {
        yield* Effect.provide(Mail.execute(), Mail.toLayer(() => Effect.void))
        const waiting = yield* Effect.fork(Stays.execute())
        yield* TestClock.adjust("999 millis")
        expect(Option.isNone(yield* Fiber.poll(waiting))).toBe(true)
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(waiting)
      }).pipe(Effect.provide(Stays.toLayer(() => Effect.void)))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("one that comes after another left opens the engine again", () =>
    Effect.gen(function*() {
      const run = Effect.provide(Mail.execute(), Mail.toLayer(() => Effect.void))
      yield* run
      yield* run
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("shutdown", () => {
  class Smtp extends Context.Tag("Smtp")<Smtp, { readonly isOpen: () => boolean }>() {}
  const smtp = (trace: Array<string>) =>
    Layer.scoped(
      Smtp,
      Effect.gen(function*() {
        let open = true
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            open = false
            trace.push("smtp closed")
          })
        )
        return { isOpen: () => open }
      })
    )

  const Send = Task.make("send")
  // A handler under way when the scope closes, and what it saw of its service when it ended.
  const closing = (
    compose: (
      handler: Layer.Layer<Task.Handler<"send">, never, TaskManager | Smtp>,
      smtp: Layer.Layer<Smtp>
    ) => Layer.Layer<TaskManager>
  ) =>
    Effect.gen(function*() {
      const trace: Array<string> = []
      const started = yield* Deferred.make<void>()
      const handler = Send.toLayer(() =>
        Effect.gen(function*() {
          yield* Deferred.succeed(started, undefined)
          yield* Effect.sleep("10 seconds")
          trace.push(`handler ends, smtp ${(yield* Smtp).isOpen() ? "open" : "closed"}`)
        })
      )
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(compose(handler, smtp(trace)), scope)
      const { taskId } = yield* Effect.provide(Send.enqueue(), context)
      yield* Deferred.await(started)
      const close = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(close)
      return { taskId, trace }
    })

  it.effect("a running task finishes before the services of its handler close: services inside the handler's layer", () =>
    Effect.gen(function*() {
      const { trace } = yield* closing((handler, smtpLayer) =>
        handler.pipe(Layer.provide(smtpLayer), Layer.provideMerge(engine({ shutdownTimeout: "30 seconds" })))
      )
      expect(trace).toEqual(["handler ends, smtp open", "smtp closed"])
    }))

  it.effect("and services outermost", () =>
    Effect.gen(function*() {
      const { trace } = yield* closing((handler, smtpLayer) =>
        handler.pipe(Layer.provideMerge(engine({ shutdownTimeout: "30 seconds" })), Layer.provide(smtpLayer))
      )
      expect(trace).toEqual(["handler ends, smtp open", "smtp closed"])
    }))

  // Builds an engine whose backend outlives it, so the test can look at what shutdown wrote.
  const shutDown = (options: {
    readonly handlers: Layer.Layer<never, never, TaskManager>
    readonly before: Effect.Effect<void, unknown, TaskManager>
    readonly adjust: ReadonlyArray<number>
  }) =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      const layer = options.handlers.pipe(
        Layer.provideMerge(
          engine({ shutdownTimeout: "30 seconds", maxConcurrentTasks: 2 }, Layer.succeed(TaskBackend, backend))
        )
      )
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      yield* Effect.provide(options.before, context)
      const close = yield* Effect.fork(Scope.close(scope, Exit.void))
      const closedAt: Array<boolean> = []
      for (const millis of options.adjust) {
        yield* TestClock.adjust(millis)
        closedAt.push(Option.isSome(yield* Fiber.poll(close)))
      }
      return { backend, closedAt, records: (yield* backend.list({ order: "oldest" })).items }
    })

  it.effect("is bounded by one deadline for all; what is left is interrupted, or requeued where allowed; nothing new starts", () =>
    Effect.gen(function*() {
      const Drop = Task.make("drop")
      const Keep = Task.make("keep", { requeueOnInterrupt: true })
      const Later = Task.make("later")
      const finalized: Array<string> = []
      let later = 0
      const hang = (name: string) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => finalized.push(name)))
      const { closedAt, records } = yield* shutDown({
        handlers: Layer.mergeAll(
          Drop.toLayer(() => hang("drop")),
          Keep.toLayer(() => hang("keep")),
          Later.toLayer(() => Effect.sync(() => later += 1))
        ),
        before: Effect.gen(function*() {
          yield* Drop.enqueue()
          const { taskId } = yield* Keep.enqueue()
          yield* Later.enqueue()
          yield* TaskflowTest.awaitStatus(taskId, "running")
          yield* Effect.yieldNow()
        }),
        adjust: [29_999, 1]
      })
      expect(closedAt).toEqual([false, true])
      expect(finalized.sort()).toEqual(["drop", "keep"])
      expect(later).toBe(0)
      expect(records.map(({ owner, status, stopReason, taskName }) => ({ owner, status, stopReason, taskName })))
        .toEqual([
          { taskName: "drop", status: "interrupted", stopReason: "shutdown", owner: null },
          { taskName: "keep", status: "pending", stopReason: null, owner: null },
          { taskName: "later", status: "pending", stopReason: null, owner: null }
        ])
    }))

  it.effect("a handler that cannot be interrupted is left behind after a grace, and recorded", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const Stuck = Task.make("stuck")
      const { closedAt, records } = yield* shutDown({
        handlers: Stuck.toLayer(() => Effect.uninterruptible(Effect.never)),
        before: Effect.gen(function*() {
          const { taskId } = yield* Stuck.enqueue()
          yield* TaskflowTest.awaitStatus(taskId, "running")
          yield* Effect.yieldNow()
        }),
        adjust: [30_000, 5_000]
      })
      expect(closedAt).toEqual([false, true])
      expect(records).toMatchObject([{ status: "interrupted" }])
      expect(logs.lines.at(-1)).toMatchObject({
        level: "Error",
        message: expect.stringContaining("1 tasks did not end")
      })
    }).pipe(Effect.provide(logs.layer))
  })

  it.effect("soon after a handler left has its own time all the same", () =>
    Effect.gen(function*() {
      const Early = Task.make("early")
      const Late = Task.make("late")
      let interrupted = false
      const late = Late.toLayer(() =>
        Effect.onInterrupt(Effect.sleep("5 seconds"), () =>
          Effect.sync(() => {
            interrupted = true
          }))
      )
      const scope = yield* Scope.make()
      const options = { shutdownTimeout: "30 seconds" } as const
      const context = yield* Layer.buildWithScope(late.pipe(Layer.provideMerge(engine(options))), scope)
      yield* Effect.provide(Effect.void, Layer.provide(Early.toLayer(() => Effect.void), Layer.succeedContext(context)))
      yield* TestClock.adjust("35 seconds")
      yield* Effect.provide(Late.enqueue(), context)
      yield* TestClock.adjust("100 millis")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      expect(interrupted).toBe(false)
    }))

  it.effect("an enqueue during the drain still commits, for whoever comes next", () =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      const Parent = Task.make("parent")
      const Child = Task.make("child")
      const release = yield* gate
      const layer = Layer.merge(
        Parent.toLayer(() => Effect.zipRight(release.wait, Effect.orDie(Child.enqueue()))),
        Child.toLayer(() => Effect.void)
      ).pipe(Layer.provideMerge(engine({ shutdownTimeout: "30 seconds" }, Layer.succeed(TaskBackend, backend))))
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      const { taskId } = yield* Effect.provide(Parent.enqueue(), context)
      yield* Effect.provide(TaskflowTest.awaitStatus(taskId, "running"), context)
      const close = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      yield* release.open
      yield* Fiber.join(close)
      expect(
        (yield* backend.list({ order: "oldest" })).items.map(({ owner, status, taskName }) => [taskName, status, owner])
      ).toEqual([
        ["parent", "success", null],
        ["child", "pending", null]
      ])
    }))
})
