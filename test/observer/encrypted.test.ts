/** What observers write while a cipher is there: what the handler logs and how it failed, nothing else of what it carries. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Console, Effect, Exit, Layer, Schema, Tracer } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskLog, TaskManager, TaskProgress } from "effect-taskflow"
import { ConsoleObserver, FileObserver } from "effect-taskflow/observers"
import { cipher } from "../support/cipher.js"

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String, message: Schema.String }) {}

const Carries = Task.make("carries", {
  payload: { secret: Schema.String, refuse: Schema.Boolean },
  success: Schema.String,
  error: Refused,
  retry: { retries: 1, delay: 0 }
})
const handler = Carries.toLayer(({ refuse }) =>
  Effect.gen(function*() {
    yield* TaskLog.info("zqlineqz", { who: "zqextraqz" })
    yield* TaskProgress.set(0.5, "zqprogressqz")
    return refuse ? yield* new Refused({ why: "zqwhyqz", message: "zqmessageqz" }) : "zqresultqz"
  })
)

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-encrypted-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

const wordsOf = (text: string) => [...new Set(text.match(/zq[a-z]+qz/g))].sort()

describe("observers beside a cipher", () => {
  it.scopedLive("and traces tell what is logged and how it failed", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => ({
          _tag: "Span",
          name,
          parent,
          context,
          links,
          kind,
          attributes: new Map(),
          sampled: true,
          spanId: "b7ad6b7169203331",
          traceId: "0af7651916cd43dd8448eb211c80319c",
          status: { _tag: "Started", startTime },
          attribute: (...all) => void told.push(JSON.stringify(all)),
          event: (text, _, attributes) => void told.push(JSON.stringify([text, attributes])),
          end: (_, exit) => void told.push(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""),
          addLinks: () => {}
        }),
        context: (run) => run()
      })
      const engine = Layer.provide(TaskflowLayer({ announce: false }), Layer.provide(cipher(), MemoryBackend.layer()))
      yield* Effect.gen(function*() {
        const { taskId } = yield* Carries.enqueue({ secret: "zqpayloadqz", refuse: true }, {
          idempotencyKey: "zqkeyqz"
        })
        yield* Effect.flip(Carries.awaitResult(taskId))
      }).pipe(Effect.provide(handler), Effect.provide(engine), Effect.provide(Layer.setTracer(tracer)))
      expect(wordsOf(told.join("\n"))).toEqual(["zqextraqz", "zqlineqz", "zqmessageqz"])
    }))

  it.scopedLive(
    "tell what is logged; how it failed in JSON alone; no payload, result, progress or key",
    () =>
      Effect.gen(function*() {
        const place = yield* folder
        const printed = { text: [] as Array<string>, json: [] as Array<string> }
        const collecting = (into: Array<string>, console: Console.Console) =>
          Console.setConsole({ ...console, log: (...args) => Effect.sync(() => into.push(args.map(String).join(" "))) })
        const console = yield* Effect.console
        const lifecycle = { lifecycle: "all", minLevel: "debug" } as const
        const observers = Layer.mergeAll(
          FileObserver.layer({ path: path.join(place, "beside.log"), ...lifecycle }),
          Layer.provide(ConsoleObserver.layer(lifecycle), collecting(printed.text, console)),
          Layer.provide(ConsoleObserver.layer({ ...lifecycle, format: "json" }), collecting(printed.json, console))
        )
        const engine = TaskflowLayer({
          announce: false,
          logFile: { path: path.join(place, "tasks.log"), ...lifecycle }
        })
        yield* Effect.gen(function*() {
          const done = yield* Carries.enqueue({ secret: "zqpayloadqz", refuse: false }, { idempotencyKey: "zqkeyqz" })
          expect(yield* Carries.awaitResult(done.taskId)).toBe("zqresultqz")
          const refused = yield* Carries.enqueue({ secret: "zqpayloadqz", refuse: true }, {
            idempotencyKey: "zqkeytooqz"
          })
          yield* Effect.flip(Carries.awaitResult(refused.taskId))
          const again = yield* (yield* TaskManager).retry(refused.taskId)
          yield* Effect.flip(Carries.awaitResult(again))
        }).pipe(
          Effect.provide(Layer.merge(handler, observers)),
          Effect.provide(Layer.provide(engine, Layer.provide(cipher(), MemoryBackend.layer())))
        )
        for (const name of ["beside.log", "tasks.log"]) {
          const written = fs.readFileSync(path.join(place, name), "utf8")
          for (const step of ["PENDING", "RUNNING", "SUCCESS", "RETRYING", "FAILED"]) expect(written).toContain(step)
          expect([name, wordsOf(written)]).toEqual([name, ["zqlineqz"]])
        }
        expect(wordsOf(printed.text.join("\n"))).toEqual(["zqlineqz"])
        expect(wordsOf(printed.json.join("\n"))).toEqual(["zqextraqz", "zqlineqz", "zqmessageqz"])
      })
  )
})
