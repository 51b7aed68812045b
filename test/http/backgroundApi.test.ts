/** BackgroundTasks in the handlers of an application's own HttpApi, beside the API of the tasks. */
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiSchema,
  HttpLayerRouter
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schema } from "effect"
import { BackgroundTasks, Task, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine } from "../support/engine.js"
import { post, send, serve } from "./support.js"

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const quiet = Logger.remove(Logger.defaultLogger)
const app = Layer.provideMerge(Mail.toLayer(() => Effect.void), engine()).pipe(Layer.provideMerge(quiet))

class NoStock extends Schema.TaggedError<NoStock>()("NoStock", {}, HttpApiSchema.annotations({ status: 409 })) {}

const Shop = HttpApi.make("shop").add(
  HttpApiGroup.make("orders").add(
    HttpApiEndpoint.post("order", "/orders")
      .setPayload(Schema.Struct({ ends: Schema.Literal("well", "declared", "dead") }))
      .addSuccess(Schema.Struct({ taskId: Schema.String }))
      .addError(NoStock)
  )
)

const ids: Array<string> = []
const Orders = HttpApiBuilder.group(
  Shop,
  "orders",
  (group) =>
    group.handle("order", ({ payload: { ends } }) =>
      Effect.gen(function*() {
        const background = yield* BackgroundTasks
        const { taskId } = yield* Effect.orDie(background.add(Mail, { to: ends }))
        ids.push(taskId)
        expect((yield* Effect.orDie((yield* TaskManager).get(taskId))).status).toBe("pending")
        if (ends === "declared") return yield* new NoStock()
        return ends === "well" ? { taskId } : yield* Effect.die("no")
      }))
).pipe(Layer.provide(BackgroundTasks.layerOfRequest))

const api = HttpLayerRouter.addHttpApi(Shop).pipe(Layer.provide(Orders))
const tasks = TaskHttp.layer({ auth: TaskAuth.open })

describe("BackgroundTasks in an HttpApi", () => {
  const inside = Layer.merge(Layer.provide(api, BackgroundTasks.middleware.layer), tasks)
  const around = Layer.merge(api, tasks).pipe(Layer.provide(BackgroundTasks.middleware.layer))
  for (const [where, routes] of [["around its routes", inside], ["around all routes", around]] as const) {
    it.scopedLive(`with the middleware ${where}: starts behind the response, and is cancelled with a handler that dies`, () =>
      Effect.gen(function*() {
        ids.splice(0)
        const base = yield* serve(routes)
        const answers = []
        for (const ends of ["well", "declared", "dead"]) answers.push((yield* post(base, "/orders", { ends })).status)
        expect(answers).toEqual([200, 409, 500])
        yield* TaskflowTest.awaitStatus(ids[0]!, "success")
        yield* TaskflowTest.awaitStatus(ids[1]!, "success")
        yield* TaskflowTest.awaitStatus(ids[2]!, "cancelled")
        expect((yield* send(base, "GET", "/tasks?status=cancelled")).body.items).toHaveLength(1)
      }).pipe(Effect.provide(app)))
  }

  it.scopedLive("without the middleware the request fails, and nothing was added", () =>
    Effect.gen(function*() {
      const base = yield* serve(Layer.merge(api, tasks))
      expect((yield* post(base, "/orders", { ends: "well" })).status).toBe(500)
      expect((yield* send(base, "GET", "/tasks")).body.items).toEqual([])
    }).pipe(Effect.provide(app)))
})
