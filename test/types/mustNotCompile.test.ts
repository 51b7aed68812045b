/**
 * Mistakes that the compiler must find, and in which words: every snippet has exactly one error.
 */
import * as path from "node:path"
import ts from "typescript"
import { beforeAll, describe, expect, it } from "vitest"

const here = import.meta.dirname
const root = path.resolve(here, "../..")

const prelude = `
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { HttpLayerRouter, HttpServerResponse, type HttpServer } from "@effect/platform"
import { BackgroundTasks, MemoryBackend, Task, TaskContext, TaskflowLayer, TaskManager, TaskSchedule } from "effect-taskflow"
import { Charge, HttpError, Nightly, Resize, SendEmail, SmtpError } from "./tasks.js"
export { Context, Effect, Layer, Schedule, Schema, MemoryBackend, Task, TaskContext, TaskflowLayer, TaskManager }
export { Charge, HttpError, Nightly, Resize, SendEmail, SmtpError }
declare const HttpServerLive: Layer.Layer<HttpServer.HttpServer>
export { BackgroundTasks, TaskSchedule, HttpLayerRouter, HttpServerLive, HttpServerResponse }
class Smtp extends Context.Tag("Smtp")<Smtp, { readonly send: () => Effect.Effect<{ readonly messageId: string }> }>() {}
const SmtpLive = Layer.succeed(Smtp, { send: () => Effect.succeed({ messageId: "m" }) })
const SendEmailHandler = SendEmail.toLayer(() => Effect.flatMap(Smtp, (smtp) => smtp.send()))
const NightlyHandler = Nightly.toLayer(() => Effect.log("report"))
declare const runMain: <E, A>(effect: Effect.Effect<A, E>) => void
export { NightlyHandler, runMain, SendEmailHandler, Smtp, SmtpLive }
`

interface Snippet {
  readonly name: string
  readonly code: string
  /** What the error says, as a reader finds it: with all its indented lines. */
  readonly says: ReadonlyArray<string>
}

const control = `
const Main: Layer.Layer<never, unknown> = SendEmailHandler.pipe(
  Layer.provide(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer()),
  Layer.provide(SmtpLive)
)
runMain(Layer.launch(Main))
runMain(Layer.launch(Task.handled(Nightly).pipe(
  Layer.provide(NightlyHandler),
  Layer.provide(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer())
)))
SendEmail.enqueue({ address: "a", template: "t" })
`

const missing = (tag: string) => `Type '${tag}' is not assignable to type 'never'.`

const snippets: ReadonlyArray<Snippet> = [
  {
    name: "a worker that needs a service and has no layer",
    code: "export default Task.worker(SendEmail, () => Effect.flatMap(Smtp, (smtp) => smtp.send()))",
    says: ["Type 'Smtp' is not assignable to type 'Scope | TaskContext'."]
  },
  {
    name: "a worker that needs the engine",
    code: `
export default Task.worker(SendEmail, () => Effect.as(Effect.orDie(Nightly.enqueue()), { messageId: "m" }), {
  layer: SmtpLive
})`,
    says: ["Type 'TaskManager' is not assignable to type"]
  },
  {
    name: "a worker whose layer is not complete",
    code: `
declare const unfinished: Layer.Layer<Smtp, never, TaskManager>
export default Task.worker(SendEmail, () => Effect.succeed({ messageId: "m" }), { layer: unfinished })`,
    says: ["Type 'Layer<Smtp, never, TaskManager>' is not assignable to type 'Layer<Smtp, never, never>'."]
  },
  {
    name: "a worker of a task whose schemas need a service",
    code: `
declare const signed: Schema.Schema<string, string, Smtp>
const Signed = Task.make("signed", { payload: signed })
export default Task.worker(Signed, () => Effect.void)`,
    says: ["Property '_itsSchemasNeedALayerFor' is missing"]
  },
  {
    name: "a worker that gives something else than its task",
    code: "export default Task.worker(SendEmail, () => Effect.succeed({ id: 1 }))",
    says: ["Property 'messageId' is missing in type '{ id: number; }'"]
  },
  {
    name: "N1 a main without a backend",
    code: `
const Main: Layer.Layer<never, unknown> = SendEmailHandler.pipe(Layer.provide(TaskflowLayer()), Layer.provide(SmtpLive))
runMain(Layer.launch(Main))`,
    says: [
      `Type 'Layer<Handler<"send_email">, TaskBackendError, TaskBackend>' is not assignable to type 'Layer<never, unknown, never>'.`,
      missing("TaskBackend")
    ]
  },
  {
    name: "N1 a backend provided before the engine that needs it",
    code: `
const Main: Layer.Layer<never, unknown> = NightlyHandler.pipe(
  Layer.provide(MemoryBackend.layer()),
  Layer.provide(TaskflowLayer())
)
runMain(Layer.launch(Main))`,
    says: [missing("TaskBackend")]
  },
  {
    name: "N1 a backend merged instead of provided",
    code: `
const Main: Layer.Layer<never, unknown> = Layer.mergeAll(NightlyHandler, MemoryBackend.layer()).pipe(
  Layer.provide(TaskflowLayer())
)
runMain(Layer.launch(Main))`,
    says: [missing("TaskBackend")]
  },
  {
    name: "N1 a missing backend seen only where main is run",
    code: `runMain(Layer.launch(NightlyHandler.pipe(Layer.provide(TaskflowLayer()))))`,
    says: [missing("TaskBackend")]
  },
  {
    name: "N1 a main without an engine",
    code: `
const Main: Layer.Layer<never, unknown> = NightlyHandler.pipe(Layer.provide(MemoryBackend.layer()))
runMain(Layer.launch(Main))`,
    says: [missing("TaskManager")]
  },
  {
    name: "N1 a main without what a handler needs",
    code: `
const Main: Layer.Layer<never, unknown> = SendEmailHandler.pipe(
  Layer.provide(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer())
)
runMain(Layer.launch(Main))`,
    says: [missing("Smtp")]
  },
  {
    name: "N2 a forgotten handler, where main lists its tasks",
    code: `
runMain(Layer.launch(Task.handled(SendEmail, Nightly).pipe(
  Layer.provide(NightlyHandler),
  Layer.provide(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer())
)))`,
    says: [
      `Argument of type 'Effect<never, TaskBackendError, Handler<"send_email">>' is not assignable`,
      missing("Handler<\"send_email\">")
    ]
  },
  {
    name: "N3 a payload of another type",
    code: `SendEmail.enqueue({ address: 1, template: "t" })`,
    says: ["Type 'number' is not assignable to type 'string'."]
  },
  {
    name: "N3 a payload with a misspelt field",
    code: `SendEmail.enqueue({ adress: "x", template: "t" })`,
    says: [
      "'adress' does not exist in type '{ readonly address: string; readonly template: string; }'. Did you mean to write 'address'?"
    ]
  },
  {
    name: "N3 a payload without a field",
    code: `SendEmail.enqueue({ address: "x" })`,
    says: ["Property 'template' is missing in type '{ address: string; }' but required in"]
  },
  {
    name: "N3 a payload without its brand",
    code: `Charge.enqueue({ id: "u1" })`,
    says: ["Type 'string' is not assignable to type 'string & Brand<\"UserId\">'."]
  },
  {
    name: "N3 a payload where there is none",
    code: `Nightly.enqueue({ address: "x" })`,
    says: ["is not assignable to parameter of type 'void'."]
  },
  {
    name: "N3 no payload where there is one",
    code: `SendEmail.enqueue()`,
    says: ["Expected 1-2 arguments, but got 0."]
  },
  {
    name: "N3 a wrong payload through the generic enqueue",
    code: `Task.enqueue(Resize, { image: 1 })`,
    says: ["Type 'number' is not assignable to type 'string'."]
  },
  {
    name: "N4 a handler that fails with what its task did not declare",
    code: `Nightly.toLayer(() => Effect.fail(new HttpError({ status: 500 })))`,
    says: [
      "Type 'Effect<never, HttpError, never>' is not assignable to type 'Effect<void, never, never>'",
      missing("HttpError")
    ]
  },
  {
    name: "N4 an async handler",
    code: `SendEmail.toLayer(async () => ({ messageId: "x" }))`,
    says: ["Type 'Promise<{ messageId: string; }>' is missing the following properties from type 'Effect<"]
  },
  {
    name: "N4 a handler that gives something else",
    code: `SendEmail.toLayer(() => Effect.succeed({ messageId: 1 }))`,
    says: ["Type 'number' is not assignable to type 'string'."]
  },
  {
    name: "N5 the context of a task outside a task",
    code: `Effect.runFork(Effect.gen(function*() { return (yield* TaskContext.current).attempt }))`,
    says: [
      "Argument of type 'Effect<number, never, TaskContext>' is not assignable to parameter of type 'Effect<number, never, never>'",
      missing("TaskContext")
    ]
  },
  {
    name: "N5 a snooze outside a task",
    code: `export const p: Effect.Effect<void> = Effect.gen(function*() { yield* Task.snooze("1 second") })`,
    says: [missing("TaskContext")]
  },
  {
    name: "N5 an unrecoverable failure outside a task",
    code: `Effect.runFork(Task.unrecoverable("no"))`,
    says: [missing("TaskContext")]
  },
  {
    name: "N6 a schedule that is both",
    code: `TaskSchedule.layer(Nightly, { every: "1 hour", cron: "0 3 * * *" })`,
    says: ["Type 'string' is not assignable to type 'undefined'."]
  },
  {
    name: "N6 a schedule that is neither",
    code: `TaskSchedule.layer(Nightly, { misfire: "all" })`,
    says: ["Property 'cron' is missing in type '{ misfire: \"all\"; }' but required in type"]
  },
  {
    name: "N6 an interval in a time zone",
    code: `TaskSchedule.layer(Nightly, { every: "1 hour", timezone: "UTC" })`,
    says: ["Type 'string' is not assignable to type 'undefined'."]
  },
  {
    name: "N6 a schedule without the payload of its task",
    code: `TaskSchedule.layer(SendEmail, { every: "1 hour" })`,
    says: ["Property 'payload' is missing in type '{ every: \"1 hour\"; }' but required in type"]
  },
  {
    name: "N6 a schedule with a payload that is none",
    code: `TaskSchedule.layer(SendEmail, { every: "1 hour", payload: { address: "a" } })`,
    says: ["Property 'template' is missing in type '{ address: string; }' but required in type"]
  },
  {
    name: "N6 a schedule with a payload for a task without one",
    code: `TaskSchedule.layer(Nightly, { every: "1 hour", payload: { address: "a" } })`,
    says: ["is not assignable to type 'undefined'."]
  },
  {
    name: "N7 a Schedule that only knows the typed error",
    code: `Task.make("x", { error: SmtpError, retry: Schedule.recurWhile((e: SmtpError) => e.code > 400) })`,
    says: [
      "Type 'Schedule<SmtpError, SmtpError, never>' is not assignable to type 'Retry<SmtpError> | undefined'.",
      "Property 'code' is missing in type 'TaskTimeout' but required in type 'SmtpError'."
    ]
  },
  {
    name: "N7 a predicate that only knows the typed error",
    code: `Task.make("x", { error: SmtpError, retry: { retries: 1, while: (e: SmtpError) => e.code > 400 } })`,
    says: ["is missing in type 'TaskTimeout' but required in type 'SmtpError'."]
  },
  {
    name: "N8 an enqueue without a program around it",
    code: `Effect.runPromise(SendEmail.enqueue({ address: "a", template: "t" }))`,
    says: [missing("TaskManager")]
  },
  {
    name: "N9 a route that adds background tasks, without the middleware",
    code: `
const Route = HttpLayerRouter.add("POST", "/signup", Effect.gen(function*() {
  const background = yield* BackgroundTasks
  yield* Effect.orDie(background.add(SendEmail, { address: "a", template: "t" }))
  return HttpServerResponse.empty()
}))
const Main: Layer.Layer<never, unknown> = HttpLayerRouter.serve(Route).pipe(
  Layer.provide(HttpServerLive),
  Layer.provide(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer())
)`,
    says: [missing("BackgroundTasks")]
  },
  {
    name: "N9 background tasks with a payload that is none",
    code: `Effect.flatMap(BackgroundTasks, (background) => background.add(SendEmail, { address: 1, template: "t" }))`,
    says: ["Type 'number' is not assignable to type 'string'."]
  },
  {
    name: "A10 a default inline beside a callback, which TypeScript does not infer, fails loudly",
    code: `
Task.make("x", {
  payload: { image: Schema.String, width: Schema.optionalWith(Schema.Number, { default: () => 640 }) },
  idempotencyKey: (p) => p.image
})`,
    says: ["Property 'image' does not exist on type '{}'."]
  },
  {
    name: "B6 a task of any kind has no methods that would hide a missing layer",
    code: `declare const any: Task.Any\nany.enqueue({})`,
    says: ["Property 'enqueue' does not exist on type 'Any'."]
  }
]

/** Source text by file name; the files exist for the compiler only. */
const virtual = new Map([
  [path.join(here, "__prelude.ts"), prelude],
  ...[control, ...snippets.map(({ code }) => code)].map((code, index) =>
    [
      path.join(here, `__snippet${index}.ts`),
      // Other imports than these would be another mistake; unused ones are none here.
      `import { BackgroundTasks, Charge, Context, Effect, HttpError, HttpLayerRouter, HttpServerLive, HttpServerResponse, Layer, MemoryBackend, Nightly, NightlyHandler, Resize, runMain, Schedule, Schema, SendEmail, SendEmailHandler, Smtp, SmtpError, SmtpLive, Task, TaskContext, TaskflowLayer, TaskManager, TaskSchedule } from "./__prelude.js"\n${code}\n`
    ] as const
  )
])

const errorsOf = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const config = ts.getParsedCommandLineOfConfigFile(path.join(root, "tsconfig.json"), {
    noUnusedLocals: false,
    noUnusedParameters: false,
    composite: false
  }, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (problem) => expect(problem).toBeUndefined() })
  expect(config?.errors).toEqual([])
  const options = config!.options
  const host = ts.createCompilerHost(options)
  const program = ts.createProgram({
    rootNames: [...virtual.keys()],
    options,
    host: {
      ...host,
      fileExists: (file) => virtual.has(path.normalize(file)) || host.fileExists(file),
      readFile: (file) => virtual.get(path.normalize(file)) ?? host.readFile(file),
      getSourceFile: (file, languageVersion, ...rest) => {
        const text = virtual.get(path.normalize(file))
        return text === undefined
          ? host.getSourceFile(file, languageVersion, ...rest)
          : ts.createSourceFile(file, text, languageVersion)
      }
    }
  })
  return new Map([...virtual.keys()].map((file) => {
    const source = program.getSourceFile(file)
    expect(source, file).toBeDefined()
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return [path.basename(file), found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))]
  }))
}

describe("the compiler", { timeout: 120_000 }, () => {
  let errors: ReadonlyMap<string, ReadonlyArray<string>>

  // One program for all snippets: most of the time goes into the types of Effect.
  beforeAll(() => {
    errors = errorsOf()
  }, 120_000)

  it("accepts what is right", () => {
    expect(errors.get("__prelude.ts")).toEqual([])
    expect(errors.get("__snippet0.ts")).toEqual([])
  })

  for (const [index, { name, says }] of snippets.entries()) {
    it(`finds ${name}`, () => {
      const found = errors.get(`__snippet${index + 1}.ts`)
      expect(found?.length, found?.join("\n---\n")).toBe(1)
      for (const part of says) expect(found![0]).toContain(part)
      // What is missing is in the first line too, as many editors show no more; of a call with overloads it is below.
      const [first] = found![0]!.split("\n")
      if (first === "No overload matches this call.") return
      for (const [, tag] of says.join("\n").matchAll(/^Type '(.*)' is not assignable to type 'never'\.$/gm)) {
        expect(first).toContain(tag)
      }
    })
  }
})
