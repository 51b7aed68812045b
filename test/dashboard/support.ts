/** What the browser tests share: a server with tasks that end as the test wants, and people who use its dashboard. */
import { createServer } from "node:http"
import { HttpLayerRouter } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Exit, Layer, Logger, LogLevel, Redacted, Schema, Scope } from "effect"
import { Task, TaskLog, type TaskManager, TaskProgress } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import type { Page } from "playwright-core"
import { engine } from "../support/engine.js"

export class Declined extends Schema.TaggedError<Declined>()("Declined", { message: Schema.String }) {}

export const Mail = Task.make("send_email", {
  payload: { to: Schema.String },
  success: Schema.Struct({ messageId: Schema.String }),
  tags: ({ to }) => ({ domain: to.split("@")[1] ?? "" }),
  priority: 8
})
export const Charge = Task.make("charge_payment", {
  payload: { order: Schema.String },
  error: Declined,
  retry: { retries: 2, delay: "20 millis" },
  tags: ({ order }) => ({ order })
})
/** Runs until it is cancelled, and says something now and then. */
export const Report = Task.make("monthly_report", { payload: { month: Schema.String } })
/** Nobody handles it: it waits. */
export const Waiting = Task.make("waits_for_a_handler", { payload: { n: Schema.Number } })

const handlers = Layer.mergeAll(
  Mail.toLayer(({ to }) =>
    Effect.gen(function*() {
      yield* Effect.log("connecting")
      yield* TaskLog.warning("slow answer", { code: 451 })
      return { messageId: `<${to}>` }
    })
  ),
  Charge.toLayer(({ order }) =>
    Effect.zipRight(
      TaskLog.info("charging", { order }),
      Effect.fail(new Declined({ message: `the bank declined ${order}` }))
    )
  ),
  Report.toLayer(({ month }) =>
    Effect.forever(
      Effect.zipRight(
        TaskProgress.set(0.4, `page 4 of 10 of ${month}`),
        Effect.zipRight(Effect.log("page"), Effect.sleep("200 millis"))
      )
    )
  )
)

const quiet = Logger.minimumLogLevel(LogLevel.None)

/** The engine, on memory. Its logs go to its records alone. */
export const application: Layer.Layer<TaskManager> = Layer.provideMerge(
  Layer.provide(handlers, Logger.remove(Logger.defaultLogger)),
  engine({ maxConcurrentTasks: 4 })
).pipe(Layer.provide(quiet))

export const password = "correct horse"
export const auth = TaskAuth.users({
  users: [
    { username: "ada", password: Redacted.make(password) },
    { username: "bob", password: Redacted.make(password), access: "viewer" }
  ]
})

export interface Served {
  /** `http://127.0.0.1:PORT/tasks/`. */
  readonly url: string
  readonly port: number
  /** How many hear the stream now. */
  readonly streams: () => number
  /** Ends the server and every connection to it. */
  readonly stop: Effect.Effect<void>
}

/** Serves the application on a port, a free one by default, until it is stopped or the test ends. */
export const serve = (options: Partial<TaskHttp.TaskHttpOptions> = {}, port = 0) =>
  Effect.gen(function*() {
    const server = createServer()
    let streams = 0
    server.on("request", ({ url = "" }, response) => {
      if (!/\/stream\b/.test(url)) return
      streams += 1
      response.once("close", () => (streams -= 1))
    })
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    yield* Layer.buildWithScope(
      HttpLayerRouter.serve(TaskHttp.layer({ auth, displayArguments: true, ...options }), {
        disableLogger: true,
        disableListenLog: true
      }).pipe(
        Layer.provide(
          NodeHttpServer.layer(() => TaskHttp.closePromptly(server, { grace: "50 millis" }), {
            port,
            host: "127.0.0.1"
          })
        ),
        Layer.provide(quiet)
      ),
      scope
    )
    const address = server.address()
    const at = typeof address === "object" && address !== null ? address.port : port
    const served: Served = {
      url: `http://127.0.0.1:${at}${options.prefix ?? "/tasks"}/`,
      port: at,
      streams: () => streams,
      stop: Scope.close(scope, Exit.void)
    }
    return served
  })

/** Opens a place of the dashboard as somebody who logged in by script. */
export const openAs = async (page: Page, { url }: Served, username: "ada" | "bob", path = "runs"): Promise<void> => {
  // A page that somebody else had open asks on until it is left, and is refused when its session has ended.
  if (page.url() !== "about:blank") await page.goto("about:blank")
  const answer = await page.context().request.post(`${url}auth/login`, {
    data: { username, password },
    headers: { "x-taskflow": "1" }
  })
  if (!answer.ok()) throw new Error(`login: ${answer.status()} ${await answer.text()}`)
  await page.goto(`${url}dashboard/${path}`)
}

/** Waits until the page hears the stream. */
export const live = (page: Page): Promise<void> => page.locator(".live.on").waitFor()

/** The row of a run. */
export const row = (page: Page, taskId: string) => page.locator(`[data-run="${taskId}"]`)
