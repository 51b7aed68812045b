/** How errors are shown by what shows them: the console, a rejected promise, Cause.pretty, JSON. */
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Layer } from "effect"
import { MemoryBackend, Task, TaskBackendError, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { errorOf, thrownBy } from "./support/errors.js"

const said = `there is no task "x": the id is wrong, or retention removed it`
const missing = Effect.flatMap(TaskManager, (manager) => manager.get("x"))
const onMemory = Effect.provide(TaskflowTest.layer)

describe("an error of a call", () => {
  it.effect("shows on the console its name, its message, the stack and its fields", () =>
    Effect.gen(function*() {
      const printed = inspect(yield* errorOf(missing))
      expect(printed.split("\n")[0]).toBe(`TaskNotFound: ${said}`)
      expect(printed).toMatch(/\n {4}at /)
      expect(printed).toContain("taskId: 'x'")
      expect(printed).not.toMatch(/_id|\[object/)
    }).pipe(onMemory))

  it("rejects a promise with its name and message first", async () => {
    const rejected: unknown = await Effect.runPromise(Effect.scoped(onMemory(missing))).catch((error: unknown) => error)
    expect(rejected).toBeInstanceOf(Error)
    expect(String(rejected)).toContain(said)
    expect(inspect(rejected).split("\n")[0]).toContain(`TaskNotFound: ${said}`)
    expect(inspect(rejected)).not.toMatch(/_id|\[object/)
  })

  it.effect("is in Cause.pretty with the span of the call", () =>
    Effect.gen(function*() {
      const cause = yield* Effect.flip(Effect.sandbox(Effect.flatMap(TaskManager, (manager) => manager.cancel("x"))))
      const printed = Cause.pretty(cause, { renderErrorCause: true })
      expect(printed.split("\n")[0]).toBe(`TaskNotFound: ${said}`)
      expect(printed).toContain("TaskManager.cancel")
      expect(printed).not.toMatch(/_id|\[object/)
    }).pipe(onMemory))

  it.effect("is JSON with its tag, its fields and its message", () =>
    Effect.gen(function*() {
      expect(JSON.parse(JSON.stringify(yield* errorOf(missing)))).toEqual({
        _tag: "TaskNotFound",
        taskId: "x",
        message: said
      })
    }).pipe(onMemory))
})

describe("trouble below the engine", () => {
  const trouble = new TaskBackendError({ method: "claim", cause: new Error("no route to host") })

  it("has the reason in its first line, and the reason's own stack below", () => {
    const first = "TaskBackendError: the task backend failed in claim: no route to host"
    const printed = inspect(trouble)
    expect(printed.split("\n")[0]).toBe(first)
    expect(printed).toContain("[cause]: Error: no route to host")
    const pretty = Cause.pretty(Cause.fail(trouble), { renderErrorCause: true })
    expect(pretty.split("\n")[0]).toBe(first)
    expect(pretty).toContain("[cause]: Error: no route to host")
  })
})

describe("a mistake in the program", () => {
  it("of a definition has a stack with the line that made it", () => {
    const error = thrownBy(() => Task.make("a\nb"))
    expect(inspect(error).split("\n")[0]).toMatch(
      /^TaskDefinitionError: task "a\\nb": the name has 1 to 200 characters/
    )
    expect(error.stack).toContain("errorPrinting.test.ts")
  })

  it("of the layers rejects with the sentence, without the parts of the engine", async () => {
    const twice = Layer.merge(TaskflowLayer(), TaskflowLayer()).pipe(Layer.provide(MemoryBackend.layer()))
    const rejected: unknown = await Effect.runPromise(Effect.scoped(Layer.build(twice))).catch((error: unknown) =>
      error
    )
    expect(inspect(rejected).split("\n")[0]).toContain("TaskflowWiringError: a second engine on one backend")
    expect(inspect(rejected)).not.toMatch(/_id|\[object/)
  })
})
