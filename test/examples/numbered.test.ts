import * as fs from "node:fs"
import * as http from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import { Console, Effect, Layer, Logger } from "effect"
import { MysqlBackend } from "effect-taskflow/mysql"
import { PostgresBackend } from "effect-taskflow/postgres"
import { afterAll, describe, expect, it } from "vitest"
import * as FirstTask from "../../examples/01-first-task.js"
import * as Retries from "../../examples/02-retries.js"
import * as Idempotency from "../../examples/03-idempotency.js"
import * as Logs from "../../examples/04-context-logs-progress.js"
import * as Swapping from "../../examples/05-swapping-a-handler.js"
import * as Priority from "../../examples/06-priority-and-cancel.js"
import * as Sqlite from "../../examples/07-sqlite.js"
import * as OwnDatabase from "../../examples/08-your-own-database.js"
import * as Instances from "../../examples/09-several-instances.js"
import * as Pausing from "../../examples/10-pause-and-watch.js"
import * as Background from "../../examples/15-background-tasks.js"
import * as Alerts from "../../examples/16-alerts.js"
import * as LogFiles from "../../examples/17-log-files.js"
import * as Encryption from "../../examples/19-encryption.js"
import * as Schedules from "../../examples/20-schedules.js"
import * as CpuBound from "../../examples/21-cpu-bound.js"
import { hasMysql, hasPostgres, mysql, mysqlPrefix, postgres, postgresPrefix } from "../support/databases.js"

const folder = path.resolve(import.meta.dirname, "../../examples")
// `NN-name.worker.ts` and the like are parts of an example, not one of their own.
const files = fs.readdirSync(folder).filter((file) => /^[^.]+\.ts$/.test(file)).sort()

const [withPostgres, withMysql] = await Promise.all([hasPostgres(), hasMysql()])

const run = <A, E>(program: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.provide(program, Logger.remove(Logger.defaultLogger)))

describe("the numbered examples", () => {
  it("are numbered, at most 80 lines, and say the command that runs them", () => {
    expect(files.length).toBeGreaterThanOrEqual(20)
    const numbers = files.map((_, index) => `${String(index + 1).padStart(2, "0")}-`)
    expect(files.map((file) => file.slice(0, 3))).toEqual(numbers)
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

  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-numbered-"))
  afterAll(() => fs.rmSync(temporary, { recursive: true, force: true }))

  it("07: one life accepts, the next runs, the last one looks back", async () => {
    expect(await run(Sqlite.program(path.join(temporary, "tasks.db")))).toEqual({
      backend: "sqlite, host",
      sameTask: true,
      result: "invoice-o-1.pdf",
      history: [{ taskName: "invoice", attempts: 1 }]
    })
  })

  it("08: an order and its task commit together or vanish together, in one database", async () => {
    expect(await run(OwnDatabase.program)).toEqual({
      shipped: 1,
      tasks: ["o-1"],
      orders: [{ id: "o-1", shipped: 1 }],
      ofTheEngine: true,
      ofTheApplication: ["orders"]
    })
  })

  const together = {
    file: "cat.png.small",
    fence: 1,
    ranOnTheWorker: true,
    again: "Deduplicated",
    sameId: true
  }

  it.skipIf(!withPostgres)("09: two instances share one PostgreSQL", async () => {
    const shared = Effect.flatMap(
      postgresPrefix,
      (prefix) => Instances.program(() => PostgresBackend.layer({ ...postgres, prefix, maxConnections: 4 }))
    )
    expect(await run(Effect.scoped(shared))).toEqual(together)
  })

  it.skipIf(!withMysql)("09: two instances share one MySQL or MariaDB", async () => {
    const shared = Effect.flatMap(
      mysqlPrefix,
      (prefix) => Instances.program(() => MysqlBackend.layer({ ...mysql, prefix, maxConnections: 4 }))
    )
    expect(await run(Effect.scoped(shared))).toEqual(together)
  })

  it("10: a paused name waits, and what changed is told", async () => {
    expect(await run(Pausing.program)).toEqual({
      whilePaused: "pending",
      pausedBy: ["the deploy"],
      stillToHeed: 0,
      last: "success"
    })
  })

  // 11 to 14 are in hosts.test.ts, 18 is in opentelemetry.test.ts.
  it("15: held until the response is out, cancelled with a route that fails", async () => {
    expect(await run(Background.program)).toEqual({
      ada: { answered: 202, meanwhile: "pending", mail: "success" },
      mallory: { answered: 500, audit: "success", mail: "cancelled" }
    })
  })

  it("16: failures reach the chat as one message, also when it refused the first time", async () => {
    const messages: Array<string> = []
    let refusals = 1
    const server = http.createServer((request, response) => {
      const parts: Array<Buffer> = []
      request.on("data", (part: Buffer) => parts.push(part)).on("end", () => {
        response.statusCode = refusals > 0 ? 503 : 200
        if (refusals-- <= 0) messages.push(JSON.parse(Buffer.concat(parts).toString()).text)
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    try {
      // safe: it listens on TCP
      const { port } = server.address() as { readonly port: number }
      expect(await run(Alerts.program(`http://127.0.0.1:${port}`))).toEqual(["Right", "Left", "Left"])
    } finally {
      server.close()
    }
    expect(messages.flatMap((text) => text.split("\n")).sort()).toEqual([
      "charge (large) failed after 1 retry: 2000 is too much",
      "charge (large) failed after 1 retry: 3000 is too much"
    ])
  })

  it("17: files by size and by level, and objects on the console", async () => {
    const folder = path.join(temporary, "logs")
    const printed: Array<string> = []
    const collecting = Layer.unwrapEffect(
      Effect.map(Effect.console, (console) =>
        Console.setConsole({
          ...console,
          log: (line) => Effect.sync(() => printed.push(String(line)))
        }))
    )
    const files = await run(Effect.provide(LogFiles.program(folder), collecting))
    expect(Object.keys(files)).toEqual(["errors.log", "tasks.log", "tasks.log.1", "tasks.log.2"])
    const shape = (text: string) =>
      text.replace(/^\[[0-9a-f]{8}\]/gm, "[id8]").replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?= )(?! -- SUCC)/g, "TIME")
    const forged = "[id8] [import] TIME row 2: bad name\\n[00000000] [import] 2026-01-01T00:00:00 -- SUCCESS\n"
    expect(shape(files["errors.log"]!)).toBe([
      "[id8] [import] TIME nothing came",
      "[id8] [import] TIME nothing came",
      "[id8] [import] TIME -- FAILED",
      ""
    ].join("\n"))
    const tasks = shape(["tasks.log.2", "tasks.log.1", "tasks.log"].map((name) => files[name]).join(""))
    expect(tasks).toContain(forged)
    expect(tasks).toContain("[id8] [import] --- Retry 1 ---\n[id8] [import] TIME importing 0 rows\n")
    expect(tasks.trimEnd().split("\n")).toHaveLength(13)
    for (const name of ["tasks.log.2", "tasks.log.1"]) expect(Buffer.byteLength(files[name]!)).toBeLessThanOrEqual(400)
    expect(printed.map((line) => JSON.parse(line).level)).toEqual(["warning", "warning", "error", "warning", "error"])
  })

  it("19: nothing readable in the file, keys that rotate, a key that is missing", async () => {
    expect(await run(Encryption.program(path.join(temporary, "encrypted.db")))).toEqual({
      inTheFile: { name: true, secret: false },
      result: "sent to ada@example.com",
      rotated: "sent to ada@example.com",
      withoutTheKey: "TaskDecryptionError",
      withItAgain: "sent to late@example.com"
    })
  })

  it("20: each slot fires once, also after a downtime; a run by hand, a schedule made at run time", async () => {
    expect(await run(Schedules.program)).toEqual({
      noSlotIsLostOrDoubled: true,
      report: "nightly_report, manual",
      twoHoursOf: [3_600_000, 7_200_000],
      known: ["nightly_report: code", "sweep: code", "sweep /var: dynamic, paused"],
      removed: true
    })
  })

  it("21: a thread computes, waits are not shown as running, and a loop without end is cancelled", async () => {
    expect(await run(CpuBound.program)).toEqual({
      primes: 17_984,
      inMainThread: false,
      line: `counting {"below":200000}`,
      refused: 10_000_000,
      meanwhile: "pending",
      spinning: "cancelled",
      waiting: { primes: 25, inMainThread: false }
    })
  }, 60_000)
})
