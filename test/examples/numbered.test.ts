import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, Logger } from "effect"
import { describe, expect, it } from "vitest"
import * as FirstTask from "../../examples/01-first-task.js"
import * as Retries from "../../examples/02-retries.js"
import * as Idempotency from "../../examples/03-idempotency.js"
import * as Logs from "../../examples/04-context-logs-progress.js"
import * as Swapping from "../../examples/05-swapping-a-handler.js"
import * as Priority from "../../examples/06-priority-and-cancel.js"

const folder = path.resolve(import.meta.dirname, "../../examples")
const files = fs.readdirSync(folder).filter((file) => file.endsWith(".ts")).sort()

const run = <A, E>(program: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.provide(program, Logger.remove(Logger.defaultLogger)))

describe("the numbered examples", () => {
  it("are numbered, at most 80 lines, and say the command that runs them", () => {
    expect(files.map((file) => file.slice(0, 3))).toEqual(["01-", "02-", "03-", "04-", "05-", "06-"])
    for (const file of files) {
      const text = fs.readFileSync(path.join(folder, file), "utf8")
      expect(text.trimEnd().split("\n").length, file).toBeLessThanOrEqual(80)
      expect(text, file).toContain(` * node --conditions=@effect-taskflow/source --import tsx examples/${file}\n */\n`)
    }
  })

  it("01: a task runs, and its result is typed", async () => {
    expect(await run(FirstTask.program)).toEqual({
      greeting: "hello, Ada",
      another: "hello, Grace",
      record: { taskName: "greet", status: "success", attempts: 1 }
    })
  })

  it("02: retries as data and as a Schedule, and what ends them", async () => {
    expect(await run(Retries.program)).toEqual({
      paid: "charged 1200 at attempt 2",
      refused: "refused with 400",
      final: "GatewayError",
      ping: "failed",
      runs: [
        "charge: 3 runs, success",
        "charge: 1 runs, failed (retriesSpent)",
        "charge: 1 runs, failed (unrecoverable)",
        "ping: 3 runs, failed (retriesSpent)"
      ]
    })
  })

  it("03: one key runs once, a wrong payload is refused with its path", async () => {
    expect(await run(Idempotency.program)).toEqual({
      first: "Enqueued",
      second: "Deduplicated",
      sameId: true,
      messageId: "welcome-u1-1",
      many: ["Enqueued", "Enqueued", "Deduplicated"],
      refused: "userId | welcome_mail: userId: Expected string, actual 7",
      sent: 3
    })
  })

  it("04: lines, progress and events of a task that is retried", async () => {
    expect(await run(Logs.program)).toEqual({
      events: ["Enqueued", "Started", "AttemptFailed", "Started", "Succeeded"],
      lines: [
        "1 info exporting for reports",
        "1 warning page is locked {\"page\":2}",
        "2 info --- Retry 1 ---",
        "2 info exporting for reports"
      ],
      progress: { value: 1, message: "page 3 of 3" },
      outsideATask: "None"
    })
  })

  it("05: a fake handler, a day of delay and two hours of back-off in no time", async () => {
    expect(await run(Swapping.program)).toEqual({
      enqueued: { to: "ada@example.com", status: "pending" },
      ran: {
        beforeItsTime: 0,
        attempts: 3,
        status: "success",
        steps: ["pending", "running", "retrying", "retrying", "success"]
      }
    })
  })

  it("06: the order of starts, the outcomes of cancel, a retry by hand", async () => {
    expect(await run(Priority.program)).toEqual({
      outcomes: { waiting: "cancelled", delayed: "cancelled", running: "requested" },
      reason: "cancelled",
      started: ["first", "urgent", "normal", "low", "unwanted"],
      cleaned: ["first"],
      retried: true,
      counts: { pending: 0, running: 0, success: 4, failed: 0, interrupted: 0, cancelled: 3 }
    })
  })
})
