/** Over HTTP: a task run again with another payload, enqueued for a time, and what is told of one name. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine } from "../support/engine.js"
import { basic, Declined, post, send, serve } from "./support.js"

const { awaitStatus } = TaskflowTest

const Send = Task.make("send", {
  payload: {
    to: Schema.NonEmptyString,
    token: Schema.Redacted(Schema.String),
    recipients: Schema.optional(
      Schema.Array(Schema.Struct({ name: Schema.String, pin: Schema.Redacted(Schema.String) }))
    )
  },
  error: Declined
})
/** Its password is a secret by its name alone; what does not fit is told with the value. */
const Named = Task.make("named", {
  payload: Schema.Struct({ user: Schema.String, password: Schema.String }).pipe(
    Schema.filter(({ password, user }) => !password.includes(user))
  ),
  error: Declined
})
const Orphan = Task.make("orphan", { payload: { note: Schema.String } })

const got: Array<unknown> = []
const handler = Send.toLayer(({ recipients = [], to, token }) =>
  Effect.suspend(() => {
    got.push({ to, token: Redacted.value(token), pins: recipients.map(({ pin }) => Redacted.value(pin)) })
    return to === "nobody" ? Effect.fail(new Declined({ reason: "nobody" })) : Effect.void
  })
)
const named = Named.toLayer(() => Effect.fail(new Declined({ reason: "no" })))
const app = Layer.provideMerge(Layer.merge(handler, named), engine())

const users: ReadonlyArray<readonly [string, TaskAuth.Access]> = [
  ["operator", "operator"],
  ["retrier", ["retry", "arguments"]],
  ["blind", ["retry", "enqueue"]]
]
const auth = TaskAuth.users({
  users: users.map(([username, access]) => ({ username, access, password: Redacted.make("secret") }))
})
const secretKey = Redacted.make("a key of more than thirty-two characters")
const routes = TaskHttp.layer({ auth, displayArguments: true, secretKey })
const as = (user: string) => basic(user, "secret")

const failed = Effect.gen(function*() {
  const { taskId } = yield* Send.enqueue({
    to: "nobody",
    token: Redacted.make("s3cret"),
    recipients: [{ name: "Ada", pin: Redacted.make("1111") }, { name: "Bob", pin: Redacted.make("2222") }]
  })
  yield* awaitStatus(taskId, "failed")
  return taskId
})

describe("POST /tasks/{id}/retry with a payload", () => {
  it.scopedLive("runs it, with the secrets that were not shown, and is written down without values", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const taskId = yield* failed
      const { body: { payload } } = yield* send(base, "GET", `/tasks/${taskId}`, as("operator"))
      expect(payload).toMatchObject({ to: "nobody", token: "<redacted>", recipients: [{ pin: "<redacted>" }, {}] })
      const answer = yield* post(
        base,
        `/tasks/${taskId}/retry`,
        { payload: { ...payload, to: "ada", recipients: [payload.recipients[0], { name: "Bob", pin: "3333" }] } },
        as("operator")
      )
      expect(answer.status).toBe(200)
      expect(answer.text).not.toMatch(/s3cret|1111|3333/)
      expect(answer.body.task).toMatchObject({ retryOf: taskId, payload: { to: "ada", token: "<redacted>" } })
      yield* awaitStatus(answer.body.taskId, "success")
      expect(got.at(-1)).toEqual({ to: "ada", token: "s3cret", pins: ["1111", "3333"] })
      const again = yield* post(base, `/tasks/${taskId}/retry`, { payload }, as("operator"))
      expect([again.status, again.body._tag]).toEqual([409, "TaskAlreadyRetried"])
      const { items } = yield* (yield* TaskManager).audit.page({ action: "retry" })
      expect(items.map(({ outcome, parameters }) => [outcome, JSON.parse(parameters)])).toEqual([
        ["TaskAlreadyRetried", { payloadChanged: true }],
        ["done", { payloadChanged: true, newTaskId: answer.body.taskId }]
      ])
    }).pipe(Effect.provide(app)))

  it.scopedLive("says where it does not fit, and which secret is not clear", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const taskId = yield* failed
      const { body: { payload } } = yield* send(base, "GET", `/tasks/${taskId}`, as("operator"))
      const refused = (changed: unknown) =>
        Effect.map(
          post(base, `/tasks/${taskId}/retry`, { payload: changed }, as("operator")),
          ({ body, status, text }) => {
            expect(text).not.toContain("s3cret")
            return [status, body._tag, body.path]
          }
        )
      expect(yield* refused({ ...payload, to: "" })).toEqual([400, "TaskArgumentError", "to"])
      expect(yield* refused({ ...payload, token: 7 })).toEqual([400, "TaskArgumentError", "token"])
      expect(yield* refused({ ...payload, recipients: [{ name: "Eve", pin: "<redacted>" }] }))
        .toEqual([400, "TaskArgumentError", "recipients[0]"])
      expect((yield* send(base, "GET", `/tasks/${taskId}`, as("operator"))).body.retriedAs).toBeNull()
      const plain = yield* post(base, `/tasks/${taskId}/retry`, {}, as("retrier"))
      expect(plain.status).toBe(200)
    }).pipe(Effect.provide(app)))

  it.scopedLive("quotes nothing that was put back when it does not fit", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const { taskId } = yield* Named.enqueue({ user: "ada", password: "hunter2" })
      yield* awaitStatus(taskId, "failed")
      const refused = (payload: unknown) => post(base, `/tasks/${taskId}/retry`, { payload }, as("operator"))
      const hidden = yield* refused({ user: "hunter", password: "<redacted>" })
      expect(hidden.body).toMatchObject({ _tag: "TaskArgumentError", path: "" })
      expect(hidden.text).not.toContain("hunter2")
      const open = yield* refused({ user: 7, password: "<redacted>" })
      expect(open.body).toMatchObject({
        _tag: "TaskArgumentError",
        path: "user",
        message: expect.stringContaining("7")
      })
    }).pipe(Effect.provide(app)))

  it.scopedLive("is for those who may enqueue too; to whom nothing is shown the placeholder is a text", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const taskId = yield* failed
      const payload = { to: "ada", token: "<redacted>" }
      const denied = yield* post(base, `/tasks/${taskId}/retry`, { payload }, as("retrier"))
      expect([denied.status, denied.body._tag, denied.body.permission]).toEqual([403, "TaskForbidden", "enqueue"])
      const answer = yield* post(base, `/tasks/${taskId}/retry`, { payload }, as("blind"))
      yield* awaitStatus(answer.body.taskId, "success")
      expect(got.at(-1)).toEqual({ to: "ada", token: "<redacted>", pins: [] })
    }).pipe(Effect.provide(app)))

  it.scopedLive("is refused where no handler is registered", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const { taskId } = yield* Orphan.enqueue({ note: "x" })
      yield* Effect.flatMap(TaskManager, (manager) => manager.cancel(taskId))
      const { body, status } = yield* post(base, `/tasks/${taskId}/retry`, { payload: { note: "y" } }, as("operator"))
      expect([status, body._tag]).toEqual([409, "TaskNotRegistered"])
    }).pipe(Effect.provide(app)))
})

describe("POST /tasks/definitions/{name}/enqueue", () => {
  it.scopedLive("takes a time before which it does not start", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const payload = { to: "ada", token: "t" }
      const at = "2999-01-01T00:00:00.000Z"
      const { body, status } = yield* post(
        base,
        "/tasks/definitions/send/enqueue",
        { payload, runAt: at },
        as("operator")
      )
      expect(status).toBe(201)
      expect((yield* send(base, "GET", `/tasks/${body.taskId}`, as("operator"))).body.runAt).toBe(at)
      const both = yield* post(
        base,
        "/tasks/definitions/send/enqueue",
        { payload, runAt: at, delay: 1 },
        as("operator")
      )
      expect([both.status, both.body._tag, both.body.path]).toEqual([400, "TaskArgumentError", "delay"])
      const none = yield* post(base, "/tasks/definitions/send/enqueue", { payload, runAt: "soon" }, as("operator"))
      expect([none.status, none.body._tag]).toEqual([400, "HttpApiDecodeError"])
    }).pipe(Effect.provide(app)))
})

describe("GET /tasks/definitions/{name} and /tasks/durations", () => {
  it.scopedLive("know names without a handler as long as there are tasks of them", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const of = (name: string) => send(base, "GET", `/tasks/definitions/${name}`, as("operator"))
      const known = yield* of("send")
      expect(known.body.definition.payloadSchema.properties).toMatchObject({
        token: { type: "string", format: "password", writeOnly: true },
        to: { $ref: expect.any(String) }
      })
      expect((yield* of("orphan")).status).toBe(404)
      const { taskId } = yield* Orphan.enqueue({ note: "x" })
      yield* Effect.flatMap(TaskManager, (manager) => manager.cancel(taskId))
      expect((yield* of("orphan")).body).toMatchObject({ taskName: "orphan", definition: null, instances: [] })
    }).pipe(Effect.provide(app)))

  it.scopedLive("tell about how many took how long", () =>
    Effect.gen(function*() {
      const base = yield* serve(routes)
      const { taskId } = yield* Send.enqueue({ to: "ada", token: Redacted.make("t") })
      yield* awaitStatus(taskId, "success")
      yield* failed
      const { body, status } = yield* send(base, "GET", "/tasks/durations?task=send&window=1h", as("operator"))
      expect(status).toBe(200)
      expect(body.durations.count).toBe(2)
      expect(body.items.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(2)
      for (const { from, to } of body.items) expect(to).toBeGreaterThan(from)
      const nobody = yield* send(base, "GET", "/tasks/durations?task=nobody", as("operator"))
      expect(nobody.body).toMatchObject({ items: [], durations: { count: 0, p95: null } })
      const wrong = yield* send(base, "GET", "/tasks/durations?window=soon", as("operator"))
      expect([wrong.status, wrong.body._tag]).toEqual([400, "HttpApiDecodeError"])
    }).pipe(Effect.provide(app)))
})
