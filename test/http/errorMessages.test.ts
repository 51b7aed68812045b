/** The refusals of the HTTP API in their words: what was wrong, with which value, and what to do. Never more than that. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { secret } from "../support/errors.js"
import { type Answer, basic, post, send, serve, tasks } from "./support.js"

interface Case {
  readonly name: string
  readonly ask: (base: string) => Effect.Effect<Answer>
  readonly status: number
  readonly tag: string
  readonly says: string | RegExp
}

const get = (path: string) => (base: string) => send(base, "GET", `/tasks${path}`)
const write = (path: string, body: unknown) => (base: string) => post(base, `/tasks${path}`, body)

const cases: ReadonlyArray<Case> = [
  {
    name: "a task that is not there",
    ask: get("/x"),
    status: 404,
    tag: "TaskNotFound",
    says: `there is no task "x": the id is wrong, or retention removed it`
  },
  {
    name: "a definition that is not there",
    ask: get("/definitions/x"),
    status: 404,
    tag: "DefinitionNotFound",
    says: `no task "x" is known here: nobody registered it, and no record is of it`
  },
  {
    name: "an instance that is not there",
    ask: write("/instances/x/drain", {}),
    status: 404,
    tag: "InstanceNotFound",
    says: /^no instance "x" is alive: GET \/instances lists those that are$/
  },
  {
    name: "a schedule that is not there",
    ask: get("/schedules/nightly"),
    status: 404,
    tag: "ScheduleNotFound",
    says: `there is no schedule "nightly"`
  },
  {
    name: "a group of errors that is not there",
    ask: get("/errors/abc"),
    status: 404,
    tag: "ErrorGroupNotFound",
    says: `there is no group of errors "abc": it was not seen for 30 days, or never`
  },
  {
    name: "a batch that is not there",
    ask: get("/batches/abc"),
    status: 404,
    tag: "BatchNotFound",
    says: /^this instance knows no batch "abc": another one does it, it was restarted, or the batch is long over/
  },
  {
    name: "a path where nothing is",
    ask: get("/nothing/here"),
    status: 404,
    tag: "NoSuchRoute",
    says: "nothing is at this path, or not for this method"
  },
  {
    name: "a parameter that is none",
    ask: get("?limit=many"),
    status: 400,
    tag: "HttpApiDecodeError",
    says: /^limit: /
  },
  {
    name: "a filter that cannot be read",
    ask: get("?q=status%3Alost"),
    status: 400,
    tag: "TaskFilterError",
    says: /^q cannot be read: at 7: /
  },
  {
    name: "a cursor that is none",
    ask: get("?cursor=abc"),
    status: 400,
    tag: "TaskCursorError",
    says: "the cursor is none that was given out here: begin without one"
  },
  {
    name: "a payload that does not fit",
    ask: write("/definitions/works/enqueue", { payload: { n: "one" } }),
    status: 400,
    tag: "TaskArgumentError",
    says: `works: n: Expected number, actual "one"`
  },
  {
    name: "a secret in a payload that does not fit",
    ask: write("/definitions/works/enqueue", { payload: { n: 1, token: [secret] } }),
    status: 400,
    tag: "TaskArgumentError",
    says: "works: token: does not fit its schema; the value is not shown, it holds a secret"
  },
  {
    name: "a task that nobody handles",
    ask: write("/definitions/orphan/enqueue", { payload: { note: "a" } }),
    status: 409,
    tag: "TaskNotRegistered",
    says: `no live instance has a handler for "orphan": add its toLayer(…) to Main, or ask where it runs`
  },
  {
    name: "a body that is no JSON",
    ask: (base) =>
      send(base, "POST", "/tasks/definitions/works/enqueue", {
        "content-type": "application/json",
        "x-taskflow": "1"
      }, "{"),
    status: 400,
    tag: "BodyMalformed",
    says: "the body is no JSON"
  },
  {
    name: "a body that is too large",
    ask: write("/definitions/works/enqueue", { payload: { n: 1, token: "x".repeat(100_000) } }),
    status: 413,
    tag: "BodyTooLarge",
    says: "the body is larger than 65536 bytes"
  }
]

const expectRefused = (answer: Answer, { says, status, tag }: Omit<Case, "name" | "ask">): void => {
  expect([answer.status, answer.body._tag], answer.text).toEqual([status, tag])
  if (typeof says === "string") expect(answer.body.message).toBe(says)
  else expect(answer.body.message).toMatch(says)
  expect(answer.body.message.length).toBeLessThan(500)
  expect(answer.text).not.toContain(secret)
  expect(answer.text).not.toMatch(/_id|"cause"|"stack"|\.ts:/)
}

describe("a refusal says what was wrong, with which value, and what to do", () => {
  it.scopedLive("on an open server", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.open }))
      for (const { ask, name, ...expected } of cases) {
        const answer = yield* ask(base)
        expect(answer.body, name).toBeDefined()
        expectRefused(answer, expected)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("on one that asks who it is, without repeating what was sent", () =>
    Effect.gen(function*() {
      const users = [{ username: "ada", password: Redacted.make("lovelace-1815"), access: "viewer" as const }]
      const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.users({ users }) }))
      expectRefused(yield* send(base, "GET", "/tasks", basic("ada", secret)), {
        status: 401,
        tag: "Unauthorized",
        says: "credentials are required: these are missing or wrong"
      })
      const ada = basic("ada", "lovelace-1815")
      expectRefused(yield* send(base, "POST", "/tasks/x/cancel", { ...ada, "x-taskflow": "1" }), {
        status: 403,
        tag: "TaskForbidden",
        says: `this needs the permission "cancel", which you do not have`
      })
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("when what was sent is as long as a body may be", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.open }))
      const answer = yield* post(base, "/tasks/bulk-retry", { ids: ["a"], limits: "x".repeat(50_000) })
      expect([answer.status, answer.body._tag]).toEqual([400, "HttpApiDecodeError"])
      expect(answer.text.length).toBeLessThan(2_000)
      const other = yield* post(base, "/tasks/definitions/works/enqueue", { tags: "x".repeat(50_000) })
      expect([other.status, other.body._tag]).toEqual([400, "HttpApiDecodeError"])
      expect(other.text.length).toBeLessThan(2_000)
    }).pipe(Effect.provide(tasks())))
})
