/**
 * Ten thousand requests that nobody should send, over every operation: none is answered with a 500 or not at all, and no answer
 * shows where it came from. The same on the databases, which refuse what memory takes.
 */
import "../support/seed.js"
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import type { TaskBackend } from "effect-taskflow"
import { TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { freshMysql, freshPostgres, freshRedis, hasMysql, hasPostgres, hasRedis } from "../support/databases.js"
import { exchange, type Got, requests, type Sent } from "./fuzzing.js"
import { Fails, Hangs, Orphan, post, serve, tasks, Works } from "./support.js"

// What only the inside knows: frames, files, packages, SQL.
const inside = /\n\s+at |node_modules|[\\/](src|dist)[\\/]|SqlError|SELECT |FiberFailure/

// Open streams are cut off at their cap, and logins are throttled: both say so.
const busy = new Set([429, 503])

const problemOf = ({ method }: Sent, { status, text, type }: Got): string | null => {
  if (status < 200 || (status >= 500 && !busy.has(status))) return `answered ${status}`
  // Answers show the stacks of tasks that failed, refusals show none.
  if (status < 400 || method === "HEAD") return null
  if (inside.test(text)) return "shows its inside"
  if (!type.startsWith("application/json")) return `${status} of type ${JSON.stringify(type)}`
  const body: unknown = JSON.parse(text)
  return typeof body === "object" && body !== null && "_tag" in body && "message" in body
    ? null
    : "a refusal without words"
}

const run = (backend: Layer.Layer<TaskBackend> | undefined, count: number) =>
  Effect.gen(function*() {
    const { instance, schedules } = yield* TaskManager
    const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.open, displayArguments: true }))
    const known = [instance, "works", "fails"]
    for (let n = 0; n < 5; n += 1) known.push((yield* Works.enqueue({ n })).taskId, (yield* Fails.enqueue()).taskId)
    known.push((yield* Hangs.enqueue({ note: "x" })).taskId, (yield* Orphan.enqueue({ note: "x" })).taskId)
    yield* schedules.upsert(Works, { every: "1 hour", payload: { n: 1 } })
    // As many as one asks for, the same ones each time.
    const all = fc.sample(requests(known), { seed: fc.readConfigureGlobal().seed ?? Date.now(), numRuns: count })
    const statuses = new Map<number, number>()
    const problems = yield* Effect.forEach(
      all,
      (sent) =>
        Effect.map(exchange(base, sent, 20_000), (got) => {
          statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1)
          const problem = problemOf(sent, got)
          return problem === null
            ? []
            : [
              `${problem}: ${sent.method} ${sent.path.slice(0, 200)} ${sent.body?.slice(0, 200)} → ${
                got.text.slice(0, 200)
              }`
            ]
        }),
      { concurrency: 16 }
    )
    expect(problems.flat().slice(0, 20)).toEqual([])
    // The run reached what it was for: answers and refusals of many kinds.
    for (const status of [200, 400, 404]) expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(count / 100)
    // And the server is as it was.
    yield* post(base, "/tasks/resume")
    expect((yield* post(base, "/tasks/definitions/works/enqueue", { payload: { n: 1 } })).status).toBe(201)
  }).pipe(Effect.provide(tasks(backend)))

describe("requests that nobody should send", () => {
  it.scopedLive("to memory", () => run(undefined, 10_000), 600_000)

  const places = [
    ["PostgreSQL", hasPostgres, freshPostgres],
    ["MariaDB", hasMysql, freshMysql],
    ["Redis", hasRedis, freshRedis]
  ] as const
  for (const [name, has, fresh] of places) {
    it.scopedLive(
      `to ${name}`,
      () => Effect.flatMap(Effect.promise(has), (there) => there ? run(Layer.orDie(fresh), 1_500) : Effect.void),
      240_000
    )
  }
})
