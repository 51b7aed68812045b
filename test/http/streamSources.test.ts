import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Logger, Stream, TestClock } from "effect"
import { TaskBackendError, TaskNotFound } from "effect-taskflow"
import * as ManagerSources from "../../src/http/stream/managerSources.js"
import { accepted, changeOf, ended, redaction, started } from "./streamSupport.js"

const down = new TaskBackendError({ method: "feed", cause: new Error("down") })

/** A manager whose backend fails as often as told. */
const managerOf = (failures: number) => {
  const record = { ...ended(started(accepted(0)), "failed"), failure: null }
  const asked: Array<string | undefined> = []
  let left = failures
  const manager: Parameters<typeof ManagerSources.make>[0] = {
    changes: (after) => {
      asked.push(after)
      return Stream.make({ changes: [changeOf(record, 0)], cursor: "later", reset: false })
    },
    changesAfter: () =>
      Effect.suspend(() => {
        left -= 1
        return left >= 0
          ? Effect.fail(down)
          : Effect.succeed({ changes: [], cursor: "here", more: false, reset: false })
      }),
    get: (taskId) => taskId === record.taskId ? Effect.succeed(record) : Effect.fail(new TaskNotFound({ taskId })),
    logs: (taskId) => Effect.fail(new TaskNotFound({ taskId })),
    stats: () => Effect.fail(down),
    errors: { list: () => Effect.fail(down), get: () => Effect.fail(down), dismiss: () => Effect.fail(down) }
  }
  return { asked, manager, record }
}

describe("what the hub tells of a manager", () => {
  it.scoped("begins where the feed is, however long the backend takes to say so, and leaves no gap behind that", () =>
    Effect.gen(function*() {
      const { asked, manager, record } = managerOf(3)
      const fiber = yield* Effect.fork(Stream.runCollect(ManagerSources.changes(manager)))
      expect(asked).toEqual([])
      yield* TestClock.adjust("10 seconds")
      const pages = Chunk.toReadonlyArray(yield* Fiber.join(fiber))
      expect(asked).toEqual(["here"])
      expect(pages).toEqual([
        { changes: [], cursor: "here", reset: false },
        { changes: [changeOf(record, 0)], cursor: "later", reset: false }
      ])
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))))

  it.effect("leaves out tasks that are not kept, lines that are not there, and stack traces", () =>
    Effect.gen(function*() {
      const { manager, record } = managerOf(0)
      const { logLines, records, summary } = ManagerSources.make(manager, redaction)
      expect(yield* records([accepted(1).taskId, record.taskId])).toEqual([record])
      expect(yield* logLines(record.taskId, 0)).toEqual([])
      expect(summary(record)).toMatchObject({ taskId: record.taskId, error: null })
      expect(summary(record)).not.toHaveProperty("stacktrace")
    }))
})
