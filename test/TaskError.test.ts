import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Exit, Schema } from "effect"
import * as TaskError from "../src/TaskError.js"

describe("TaskError", () => {
  describe("messages say what happened, with which value, and what to do", () => {
    it.each([
      [
        new TaskError.TaskNotFound({ taskId: "x\n" }),
        "there is no task \"x\\n\": the id is wrong, or retention removed it"
      ],
      [
        new TaskError.TaskWrongStatus({ taskId: "1", action: "retry", status: "success" }),
        "task 1 is success: only failed, interrupted or cancelled tasks can be retried"
      ],
      [
        new TaskError.TaskWrongStatus({ taskId: "1", action: "cancel", status: "failed" }),
        "task 1 is failed: only pending or running tasks can be cancelled"
      ],
      [
        new TaskError.TaskAlreadyRetried({ taskId: "1", retriedAs: "2" }),
        "task 1 was already retried as 2: look at that one"
      ],
      [
        new TaskError.TaskKeyHeld({ taskId: "1", heldBy: "2" }),
        "the idempotency key of task 1 is held by 2: look at that one"
      ],
      [
        new TaskError.TaskNotRegistered({ task: "send \"email\"" }),
        "no live instance has a handler for \"send \\\"email\\\"\": add its toLayer(…) to Main, or ask where it runs"
      ],
      [new TaskError.TaskTimeout({ millis: 250 }), "the attempt ran longer than its timeout of 250 ms"],
      [new TaskError.TaskDefect({ name: "TypeError", message: "x is not a function" }), "x is not a function"],
      [
        new TaskError.TaskStopped({ taskId: "1", reason: "cancelled", message: "it was cancelled" }),
        "it was cancelled"
      ],
      [new TaskError.TaskArgumentError({ task: "t", path: "a[0]", message: "t: a[0]: no" }), "t: a[0]: no"],
      [new TaskError.TaskflowWiringError({ message: "twice" }), "twice"],
      [new TaskError.TaskDefinitionError({ task: "t", path: "retry", message: "wrong" }), "wrong"]
    ])("%s", (error, message) => {
      expect(error.message).toBe(message)
      expect(error).toBeInstanceOf(Error)
    })

    it.each([
      [new Error("ECONNREFUSED"), "ECONNREFUSED"],
      ["the socket closed", "the socket closed"],
      [7, "7"],
      [null, "null"],
      [undefined, "undefined"]
    ])("TaskBackendError names the operation and the reason: %s", (cause, reason) => {
      expect(new TaskError.TaskBackendError({ method: "write", cause }).message)
        .toBe(`the task backend failed in write: ${reason}`)
    })

    it.each([
      ["an object without a text", Object.create(null)],
      ["an object whose text throws", {
        toString() {
          throw new Error("no text")
        }
      }]
    ])("TaskBackendError has a message whatever the cause is: %s", (_, cause) => {
      expect(new TaskError.TaskBackendError({ method: "write", cause }).message)
        .toContain("the task backend failed in write")
    })
  })

  it.each([
    new TaskError.TaskNotFound({ taskId: "1" }),
    new TaskError.TaskStopped({ taskId: "1", reason: "timeout", message: "m" }),
    new TaskError.TaskWrongStatus({ taskId: "1", action: "cancel", status: "success" }),
    new TaskError.TaskArgumentError({ task: "t", path: "a", message: "m" })
  ])("survives the wire: $_tag", (error) => {
    const schema = error.constructor as unknown as Schema.Schema<unknown, unknown>
    const wire = JSON.parse(JSON.stringify(Schema.encodeSync(schema)(error)))
    expect(wire).toHaveProperty("_tag", error._tag)
    const back = Schema.decodeUnknownSync(schema)(wire)
    expect(back).toBeInstanceOf(error.constructor)
    expect(back).toHaveProperty("message", error.message)
  })

  it("TaskStopped knows six reasons and no other", () => {
    const { literals } = TaskError.TaskStopped.fields.reason
    expect(literals).toEqual(["cancelled", "interrupted", "timeout", "defect", "crashed", "undecodable"])
  })

  describe("refail", () => {
    it.effect("turns any failure into TaskBackendError with the method and keeps the cause", () =>
      Effect.gen(function*() {
        const reason = new Error("no route to host")
        const failed = yield* Effect.either(TaskError.refail("claim")(Effect.fail(reason)))
        expect(Either.isLeft(failed)).toBe(true)
        if (Either.isRight(failed)) return
        expect(failed.left).toBeInstanceOf(TaskError.TaskBackendError)
        expect(failed.left.method).toBe("claim")
        expect(failed.left.cause).toBe(reason)
        expect(failed.left.message).toBe("the task backend failed in claim: no route to host")
      }))

    it.effect("leaves successes and defects alone", () =>
      Effect.gen(function*() {
        expect(yield* TaskError.refail("claim")(Effect.succeed(3))).toBe(3)
        const bug = new Error("bug")
        expect(yield* Effect.exit(TaskError.refail("claim")(Effect.die(bug)))).toEqual(Exit.die(bug))
      }))
  })
})
