import { describe, expect, it } from "@effect/vitest"
import { Cause, Exit, FiberId } from "effect"
import { Misfit } from "../../src/internal/codec.js"
import { judge, type StopRequest, type Verdict } from "../../src/internal/outcome.js"
import { TaskDefect, TaskTimeout } from "../../src/TaskError.js"

class Boom extends Error {
  readonly _tag = "Boom"
}
const boom = new Boom("it broke")
const misfit = new Misfit({ path: "a[0]", message: "wrong" })
const thrown = new TypeError("x is not a function")

const interrupted = Cause.interrupt(FiberId.none)
const exits = {
  success: Exit.succeed("7"),
  "success without a value": Exit.succeed(null),
  "typed failure": Exit.fail(boom),
  "undecodable payload": Exit.fail(misfit),
  defect: Exit.die(thrown),
  interruption: Exit.failCause(interrupted),
  "typed failure, others interrupted": Exit.failCause(Cause.parallel(Cause.fail(boom), interrupted)),
  "defect, others interrupted": Exit.failCause(Cause.parallel(interrupted, Cause.die(thrown))),
  "typed failure, then a defect": Exit.failCause(Cause.sequential(Cause.fail(boom), Cause.die(thrown)))
}

const succeeded: Verdict = { _tag: "Succeeded", result: "7" }
const empty: Verdict = { _tag: "Succeeded", result: null }
const cancelled: Verdict = { _tag: "Cancelled" }
const snoozed: Verdict = { _tag: "Snoozed" }
const shutdown: Verdict = { _tag: "CutShort", stopReason: "shutdown" }
const lostLease: Verdict = { _tag: "CutShort", stopReason: "lostLease" }
const undecodable: Verdict = { _tag: "Undecodable", misfit }
const typed: Verdict = { _tag: "Failed", kind: "error", error: boom, typed: true }
const defect: Verdict = {
  _tag: "Failed",
  kind: "defect",
  error: new TaskDefect({ name: "TypeError", message: "x is not a function" }),
  typed: false
}
const timeout: Verdict = { _tag: "Failed", kind: "timeout", error: new TaskTimeout({ millis: 250 }), typed: false }
const fromInside: Verdict = {
  _tag: "Failed",
  kind: "defect",
  error: new TaskDefect({
    name: "Error",
    message: "the handler was interrupted from inside: something it waited for was interrupted"
  }),
  typed: false
}

const requests: ReadonlyArray<StopRequest | null> = [null, "cancel", "timeout", "snooze", "shutdown", "lostLease"]

// One row for each way to end; one column for each request, in the order above.
const table: { readonly [Way in keyof typeof exits]: ReadonlyArray<Verdict> } = {
  // A success always counts, also when a stop was asked.
  success: [succeeded, succeeded, succeeded, succeeded, succeeded, succeeded],
  "success without a value": [empty, empty, empty, empty, empty, empty],
  // The handler's own failure counts as such, unless it was cancelled.
  "typed failure": [typed, cancelled, typed, typed, typed, typed],
  "undecodable payload": [undecodable, cancelled, undecodable, undecodable, undecodable, undecodable],
  defect: [defect, cancelled, defect, defect, defect, defect],
  // An interruption means what was asked for before it.
  interruption: [fromInside, cancelled, timeout, snoozed, shutdown, lostLease],
  "typed failure, others interrupted": [typed, cancelled, timeout, snoozed, shutdown, lostLease],
  "defect, others interrupted": [defect, cancelled, timeout, snoozed, shutdown, lostLease],
  "typed failure, then a defect": [typed, cancelled, typed, typed, typed, typed]
}

describe("outcome.judge", () => {
  for (const way of Object.keys(exits) as Array<keyof typeof exits>) {
    it.each(requests.map((request, column) => [request, table[way][column]!] as const))(
      `${way}, asked to stop for %s`,
      (request, verdict) => {
        expect(judge(exits[way], request, 250)).toEqual(verdict)
      }
    )
  }

  it("hands on the very error and the very misfit, so that marks by identity hold", () => {
    const failed = judge(exits["typed failure"], null, null)
    expect(failed._tag === "Failed" && failed.error).toBe(boom)
    const unread = judge(exits["undecodable payload"], null, null)
    expect(unread._tag === "Undecodable" && unread.misfit).toBe(misfit)
  })

  it.each([
    [undefined, "undefined", "undefined"],
    [null, "null", "null"],
    ["a string", "string", "a string"],
    [10n, "bigint", "10"],
    [boom, "Boom", "it broke"]
  ])("a defect may be anything: %s", (value, name, message) => {
    expect(judge(Exit.die(value), null, null)).toMatchObject({ kind: "defect", error: { name, message } })
  })

  it("of several defects the first is told", () => {
    const cause = Cause.sequential(Cause.die(new Error("first")), Cause.die(new Error("second")))
    expect(judge(Exit.failCause(cause), null, null)).toMatchObject({ error: { message: "first" } })
  })

  it("a failure with undefined is still the task's own error", () => {
    expect(judge(Exit.fail(undefined), null, null)).toEqual({
      _tag: "Failed",
      kind: "error",
      error: undefined,
      typed: true
    })
  })
})
