/**
 * What an editor shows of the public API: types that fit on a screen, in words of the user's own code, with a text below. The
 * hovers are in hovers.md; after a change that is meant, `npx vitest run -u test/types/hover.test.ts` writes them anew.
 */
import { beforeAll, describe, expect, it } from "vitest"
import { type Editor, open, type Shown } from "./editor.js"
import { files, type PublicApi, read } from "./publicApi.js"

const text = `
import { Effect, Layer, Schema } from "effect"
import { BackgroundTasks, Task, TaskCipher, TaskContext, TaskflowLayer, TaskManager, TaskSchedule } from "effect-taskflow"
import { TaskAuth, TaskHost, TaskHttp } from "effect-taskflow/http"
import { SqliteBackend } from "effect-taskflow/sqlite"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {}

export const SendEmail/*task*/ = Task.make/*make*/("send_email", {
  payload: { address: Schema.String, template: Schema.String },
  success: Schema.Struct({ messageId: Schema.String }),
  error: SmtpError,
  retry/*retry*/: { retries: 3, delay/*delay*/: "1 second" },
  timeout/*timeout*/: "30 seconds",
  idempotencyKey/*idempotencyKey*/: (payload/*keyed*/) => payload.address
})
const Nightly/*nightly*/ = Task.make("nightly")
const payload = { address: "ada@example.com", template: "welcome" }

const enqueued/*enqueued*/ = SendEmail.enqueue/*enqueue*/(payload, { delay/*callDelay*/: "1 minute" })
const many/*many*/ = SendEmail.enqueueMany/*enqueueMany*/([payload])
const executed/*executed*/ = SendEmail.execute/*execute*/(payload)
const awaited/*awaited*/ = SendEmail.awaitResult/*awaitResult*/("id")
const generic/*generic*/ = Task.enqueue/*genericEnqueue*/(SendEmail, payload)
const handler/*handler*/ = SendEmail.toLayer/*toLayer*/(() => Effect.succeed({ messageId: "1" }))
const handled/*handled*/ = Task.handled/*handledOf*/(SendEmail, Nightly)

const main/*main*/ = handler.pipe(
  Layer.provide(TaskflowLayer/*taskflowLayer*/({ maxConcurrentTasks/*maxConcurrentTasks*/: 50, lease/*lease*/: "10 seconds" })),
  Layer.provide(SqliteBackend.layer/*sqlite*/({ filename/*filename*/: "tasks.db" }))
)
const http/*http*/ = TaskHttp.layer/*httpLayer*/({ auth/*auth*/: TaskAuth.users/*users*/({ users: [] }), prefix/*prefix*/: "/jobs" })
const client/*client*/ = TaskHttp.client/*httpClient*/({ baseUrl/*baseUrl*/: "http://localhost:3000" })
const host/*host*/ = TaskHost.make/*hostMake*/(main as never, { auth: TaskAuth.open/*open*/ })
const schedule/*schedule*/ = TaskSchedule.layer/*scheduleLayer*/(Nightly, { cron/*cron*/: "0 3 * * *", misfire/*misfire*/: "once" })
const cipher/*cipher*/ = TaskCipher.layer/*cipherLayer*/({ keys/*keys*/: [] })

export const program = Effect.gen(function*() {
  const manager = yield* TaskManager/*manager*/
  const record/*record*/ = yield* manager.get/*get*/("id")
  const page/*page*/ = yield* manager.list/*list*/({ limit: 10 })
  yield* manager.cancel/*cancel*/("id")
  yield* manager.retry/*managerRetry*/("id")
  yield* manager.pause/*pause*/("send_email")
  const background = yield* BackgroundTasks/*background*/
  yield* background.add/*add*/(SendEmail, payload)
  const current/*current*/ = yield* TaskContext.current/*contextCurrent*/
  return { record, page, current }
})
export const used = [enqueued, many, executed, awaited, generic, handled, http, client, host, schedule, cipher]

TaskflowLayer({ /*engineOptions*/ })
SendEmail./*methods*/enqueue
SendEmail.enqueue(payload, { /*callOptions*/ })
`

const places = [...text.matchAll(/(\w+)\/\*(\w+)\*\//g)].map(([, name, place]) => ({ name: name!, place: place! }))

// Of a value of the user's own there is no text; of its type there is a line.
const isOurs = ({ text }: Shown): boolean => text !== ""

// Checking takes long on a busy machine, and whoever runs the test waits for a sign of life.
const turn = () => new Promise((resolve) => setImmediate(resolve))

let editor: Editor
let api: PublicApi

// One program for both: most of the time goes into the types of Effect.
beforeAll(async () => {
  editor = open(text, files)
  await turn()
  api = read(editor.program)
  await turn()
}, 120_000)

describe("an editor", { timeout: 120_000 }, () => {
  it("finds no mistake in the text", () => {
    expect(editor.errors()).toEqual([])
  })

  it("shows what hovers.md has", async () => {
    const shown = places.map(({ name, place }) => {
      const { text, type } = editor.hover(place)
      return `## ${name}${name === place ? "" : ` (${place})`}\n\n\`\`\`ts\n${type}\n\`\`\`\n${
        text === "" ? "" : `\n${text}\n`
      }`
    })
    await expect(`# What an editor shows\n\n${shown.join("\n")}`).toMatchFileSnapshot("./hovers.md")
  })

  it("shows types of at most sixteen lines, without names from inside the package", () => {
    for (const { place } of places) {
      const { type } = editor.hover(place)
      expect(type.split("\n").length, type).toBeLessThanOrEqual(16)
      expect(type, place).not.toMatch(/internal\/|import\("|\.\.\. \d+ more|: any\b/)
    }
  })

  it("shows a text for everything of the package", () => {
    const own = [
      "task",
      "nightly",
      "enqueued",
      "many",
      "executed",
      "awaited",
      "generic",
      "handler",
      "handled",
      "main",
      "http"
    ]
    const values = [...own, "client", "host", "schedule", "cipher", "record", "page", "current", "keyed"]
    const silent = places.filter(({ place }) => !values.includes(place) && !isOurs(editor.hover(place)))
    expect(silent.map(({ place }) => place)).toEqual([])
  })

  it("offers the options and methods by name, each with a text", () => {
    expect(editor.offered("engineOptions")).toContain("maxConcurrentTasks")
    expect(editor.offered("callOptions")).toEqual(
      expect.arrayContaining(["delay", "idempotencyKey", "priority", "runAt"])
    )
    expect(editor.offered("methods")).toEqual(expect.arrayContaining(["enqueue", "execute", "toLayer"]))
    for (const [place, name] of [["engineOptions", "lease"], ["callOptions", "delay"], ["methods", "poll"]] as const) {
      expect(editor.offeredAs(place, name).text, name).not.toBe("")
    }
  })
})

describe("the public API", () => {
  it("has a text for every export", () => {
    expect(api.exports.length).toBeGreaterThan(300)
    expect(api.exports.filter(({ text }) => text === "").map(({ name }) => name)).toEqual([])
  })

  it("has a text for every option and every method", () => {
    expect(api.members.length).toBeGreaterThan(200)
    expect(api.members.filter(({ text }) => text === "").map(({ name }) => name)).toEqual([])
  })

  it("says of every optional option what it is without", () => {
    // Of a group of options each says it for itself.
    const isGroup = (name: string) => api.members.some((other) => other.name.startsWith(`${name}.`))
    const says = /default|without|instead|not together|left out/i
    const silent = api.members
      .filter(({ name, optional }) => optional && /(Options|Settings|Query)\./.test(name) && !isGroup(name))
      .filter(({ text }) => !says.test(text))
    expect(silent.map(({ name }) => name)).toEqual([])
  })
})
