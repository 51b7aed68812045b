import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TaskBackendError } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { wrappedBackend } from "../support/engine.js"
import { Fails, Orphan, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open })

/** Cells of CSV, read by the rules of RFC 4180. */
const cells = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const rows: Array<Array<string>> = [[]]
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|$)/g)) {
    if (end === "" && quoted === undefined && plain === "") break
    rows[rows.length - 1]!.push(quoted === undefined ? plain : quoted.replaceAll("\"\"", "\""))
    if (end === "\r\n") rows.push([])
  }
  return rows.slice(0, -1)
}

describe("GET /tasks/export.csv", () => {
  it.scopedLive("gives what the filter shows under the name of the day, with nothing that a spreadsheet would run", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const key = "=HYPERLINK(\"http://evil\",\"x\")"
      const { taskId } = yield* Works.enqueue({ n: 1 }, { idempotencyKey: key, tags: { note: "a,\"b\"\r\nc 💥" } })
      const failed = (yield* Fails.enqueue()).taskId
      yield* awaitStatus(taskId, "success")
      yield* awaitStatus(failed, "failed")
      const { headers, status, text } = yield* send(base, "GET", "/tasks/export.csv")
      expect(status).toBe(200)
      expect(headers["content-type"]).toBe("text/csv; charset=utf-8")
      expect(headers["content-disposition"]).toMatch(/^attachment; filename="runs-\d{4}-\d\d-\d\d\.csv"$/)
      expect(headers["cache-control"]).toBe("no-store")
      const [head, first, second, ...more] = cells(text)
      expect(more).toEqual([])
      const at = (name: string) => head!.indexOf(name)
      expect(head![0]).toBe("\ufefftaskId")
      expect(first![0]).toBe(failed)
      expect(first![at("error")]).toContain("no funds")
      expect(second![0]).toBe(taskId)
      expect(second![at("status")]).toBe("success")
      expect(second![at("idempotencyKey")]).toBe(`'${key}`)
      expect(JSON.parse(second![at("tags")]!)).toEqual({ parity: "odd", note: "a,\"b\"\r\nc 💥" })
      const some = yield* send(base, "GET", "/tasks/export.csv?status=failed")
      expect(cells(some.text).map(([id]) => id)).toEqual(["\ufefftaskId", failed])
      expect((yield* send(base, "GET", "/tasks/export.csv?status=broken")).status).toBe(400)
      expect((yield* send(base, "GET", "/tasks/export.csv?limit=100001")).status).toBe(400)
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/export.ndjson", () => {
  it.scopedLive("gives the rows of the list, one a line, page after page, up to the limit", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      yield* Orphan.enqueueMany(Array.from({ length: 450 }, (_, n) => ({ note: String(n) })))
      const lines = (path: string) =>
        Effect.map(send(base, "GET", path), ({ text }) => text.trimEnd().split("\n").map((line) => JSON.parse(line)))
      const all = yield* lines("/tasks/export.ndjson")
      expect(all).toHaveLength(450)
      expect(new Set(all.map(({ taskId }) => taskId)).size).toBe(450)
      expect(all.slice(0, 50)).toEqual((yield* send(base, "GET", "/tasks")).body.items)
      expect(yield* lines("/tasks/export.ndjson?limit=201")).toEqual(all.slice(0, 201))
      expect((yield* send(base, "GET", "/tasks/export.ndjson?task=nobody")).text).toBe("")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("breaks off when the backend fails half way, and answers 503 when it fails at once", () => {
    let asked = 0
    const failing = wrappedBackend((backend) => ({
      list: (query) =>
        Effect.suspend(() => {
          asked += 1
          return asked === 1
            ? backend.list(query)
            : Effect.fail(new TaskBackendError({ method: "list", cause: new Error("the disk is gone") }))
        })
    }))
    return Effect.gen(function*() {
      const base = yield* serve(open)
      yield* Orphan.enqueueMany(Array.from({ length: 300 }, (_, n) => ({ note: String(n) })))
      const answer = yield* Effect.exit(Effect.tryPromise(async () => {
        const response = await fetch(`${base}/tasks/export.ndjson`)
        expect(response.status).toBe(200)
        return await response.text()
      }))
      expect(Exit.isFailure(answer)).toBe(true)
      const { body, status } = yield* send(base, "GET", "/tasks/export.ndjson")
      expect(status).toBe(503)
      expect(body._tag).toBe("TaskBackendError")
    }).pipe(Effect.provide(tasks(failing)))
  })

  it.scopedLive("reads no further when the reader is gone", () => {
    let asked = 0
    const counting = wrappedBackend((backend) => ({
      list: (query) =>
        Effect.suspend(() => {
          asked += 1
          return backend.list(query)
        })
    }))
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const base = yield* Scope.extend(serve(open), scope)
      // More than the sockets between the two hold.
      const tags = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`note${n}`, "x".repeat(200)]))
      yield* Orphan.enqueueMany(Array.from({ length: 9_000 }, (_, n) => ({ note: String(n) })), { tags })
      yield* Effect.promise(async () => {
        const controller = new AbortController()
        const response = await fetch(`${base}/tasks/export.ndjson`, { signal: controller.signal })
        await response.body!.getReader().read()
        controller.abort()
      })
      // The server ends what it serves before it closes.
      yield* Scope.close(scope, Exit.void)
      expect(asked).toBeLessThan(45)
    }).pipe(Effect.provide(tasks(counting)))
  })
})
