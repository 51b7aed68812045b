import { FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { TaskNotFound, TaskWrongStatus } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { Fails, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const credentials = { username: "ada", password: Redacted.make("pässwörd:with:colons") }
const auth = TaskAuth.basic(credentials)
const all = Layer.merge(tasks(), FetchHttpClient.layer)

describe("TaskHttp.client", () => {
  it.scopedLive("reads and writes with its credentials, at another prefix too, and fails with the engine's errors", () =>
    Effect.gen(function*() {
      const baseUrl = yield* serve(TaskHttp.layer({ auth, prefix: "/a/b/c" }))
      const client = yield* TaskHttp.client({ baseUrl, credentials, prefix: "/a/b/c" })
      const failed = (yield* Fails.enqueue()).taskId
      yield* awaitStatus(failed, "failed")
      const page = yield* client.tasks.list({ urlParams: { status: ["failed"], limit: 10 } })
      expect(page.items.map(({ taskId }) => taskId)).toEqual([failed])
      const { outcome, taskId } = yield* client.definitions.enqueue({
        path: { name: "works" },
        payload: { payload: { n: 4 } }
      })
      expect(outcome).toBe("enqueued")
      yield* awaitStatus(taskId, "success")
      const bulk = yield* client.bulk.bulkRetry({ urlParams: {}, payload: { ids: [failed, taskId] } })
      expect(bulk).toMatchObject({ dispatched: 1, skipped: 1 })
      const csv = yield* client.exports.csv({ urlParams: { task: "works" } })
      expect(csv).toContain(taskId)
      expect(yield* Effect.flip(client.tasks.retry({ path: { id: taskId }, payload: {} }))).toBeInstanceOf(
        TaskWrongStatus
      )
      expect(yield* Effect.flip(client.tasks.get({ path: { id: "nope" } }))).toBeInstanceOf(TaskNotFound)
    }).pipe(Effect.provide(all)))

  it.scopedLive("is refused without credentials, and carries what it is told to", () =>
    Effect.gen(function*() {
      const baseUrl = yield* serve(TaskHttp.layer({ auth }))
      const stranger = yield* TaskHttp.client({ baseUrl })
      expect(yield* Effect.flip(stranger.charts.metrics({ urlParams: {} }))).toMatchObject({ _tag: "Unauthorized" })
      const seen: Array<unknown> = []
      const client = yield* TaskHttp.client({
        baseUrl,
        credentials,
        transformClient: (client) =>
          client.pipe(
            HttpClient.mapRequest(HttpClientRequest.setHeader("x-request-id", "r1")),
            HttpClient.tapRequest((request) => Effect.sync(() => seen.push(request.headers)))
          )
      })
      yield* Works.enqueue({ n: 1 })
      expect((yield* client.charts.metrics({ urlParams: {} })).total).toBe(1)
      expect(seen).toEqual([expect.objectContaining({ "x-taskflow": "1" })])
      expect(JSON.stringify(seen)).not.toContain("colons")
    }).pipe(Effect.provide(all)))
})
