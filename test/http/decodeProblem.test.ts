/** What is said to people whose request does not fit. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { post, send, serve, tasks } from "./support.js"

describe("HttpApiDecodeError", () => {
  it.scopedLive("names the place and what is expected there, without the schema around it", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.open }))
      const messageOf = (query: string) => Effect.map(send(base, "GET", query), ({ body }) => body.message)
      expect(yield* messageOf("/tasks?limit=0")).toBe("limit: a whole number from 1 to 200 is expected")
      expect(yield* messageOf("/tasks?order=up")).toBe(`order: one of "newest", "oldest" is expected, not "up"`)
      expect(yield* messageOf("/tasks?status=failed,lost")).toMatch(
        /^status\.1: one of "pending", .*"cancelled" is expected, not "lost"$/
      )
      expect(yield* messageOf("/tasks/stats?window=all")).toBe("window: <N>m, <N>h or <N>d is expected, as 24h")
      expect(yield* messageOf("/tasks/stats?window=1y")).toBe("window: <N>m, <N>h or <N>d is expected, as 24h")
      expect((yield* send(base, "DELETE", "/tasks/history?value=0&unit=day")).body).toEqual({
        _tag: "HttpApiDecodeError",
        message: "value: a whole number from 1 to 100000 is expected",
        issues: [expect.objectContaining({ path: ["value"] })]
      })
      expect((yield* send(base, "DELETE", "/tasks/history?unit=day")).body.message).toBe("value: is missing")
      expect((yield* post(base, "/tasks/auth/login", { username: "ada", password: 5 })).body._tag).not.toBe(
        "InternalError"
      )
      const { body } = yield* post(base, "/tasks/definitions/works/enqueue", { tags: { a: 1 }, priority: "high" })
      expect(body.message).toMatch(/^tags\.a: string is expected, not 1/)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("refuses what a body says beyond what is known: a misspelt filter is not one of all tasks", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.open }))
      const { taskId } = (yield* post(base, "/tasks/definitions/hangs/enqueue", { payload: { note: "stays" } })).body
      const cancel = { action: "cancel", selection: { filter: { statuz: ["failed"] } } }
      for (
        const [path, body, said] of [
          ["bulk-cancel", { filter: { statuz: ["failed"] } }, "filter.statuz: is unexpected, expected: \"status\""],
          ["bulk-retry", { ids: ["a"], limits: 1 }, "limits: is unexpected"],
          ["batches", cancel, "selection.filter.statuz: is unexpected, expected: \"status\""],
          ["batches", { action: "cancel", selection: { ids: [] } }, "selection.ids: an array of at least 1 item(s)"],
          [`${taskId}/retry`, { paylod: { note: "b" } }, "paylod: is unexpected, expected: \"payload\""],
          [
            "definitions/hangs/enqueue",
            { payload: { note: "b" }, idempotencykey: "k" },
            "idempotencykey: is unexpected"
          ]
        ] as const
      ) {
        const answer = yield* post(base, `/tasks/${path}`, body)
        expect([answer.status, answer.body._tag], path).toEqual([400, "HttpApiDecodeError"])
        expect(answer.body.message.startsWith(said), answer.body.message).toBe(true)
      }
      expect((yield* send(base, "GET", "/tasks")).body.items.map(({ status }: { readonly status: string }) => status))
        .toEqual(["running"])
    }).pipe(Effect.provide(tasks())))
})
