import { describe, expect, it } from "vitest"
import { escaped, jsonOf, textOf } from "../../src/observer/lines.js"
import type { LifecycleEvent, LogEvent } from "../../src/TaskObserver.js"

const common = {
  taskId: "0190b9a4-6c1e-7b3a-8f5d-2e4c9d01ab23",
  taskName: "send_email",
  timestamp: new Date(Date.UTC(2026, 0, 1, 12, 0, 0, 987)),
  attempt: 0,
  tags: { userId: "u1" }
}
const line = (message: string, more: Partial<LogEvent> = {}): LogEvent => ({
  _tag: "LogEvent",
  ...common,
  message,
  level: "info",
  extra: {},
  ...more
})
const step = (status: LifecycleEvent["status"]): LifecycleEvent => ({
  _tag: "LifecycleEvent",
  ...common,
  status,
  retriesUsed: 0,
  duration: null,
  error: null,
  stacktrace: null
})

describe("textOf", () => {
  it("is the end of the id, the task, UTC in whole seconds, and the message", () => {
    expect(textOf(line("connected"))).toBe("[9d01ab23] [send_email] 2026-01-01T12:00:00 connected")
  })

  it("says a step in capitals", () => {
    const words = [
      "running",
      "success",
      "failed",
      "interrupted",
      "cancelled",
      "pending",
      "retrying",
      "requeued"
    ] as const
    expect(words.map((status) => textOf(step(status)))).toEqual(
      words.map((word) => `[9d01ab23] [send_email] 2026-01-01T12:00:00 -- ${word.toUpperCase()}`)
    )
  })

  it("gives the separator of a retry no time, and only to the separator of that retry", () => {
    expect(textOf(line("--- Retry 1 ---", { attempt: 1 }))).toBe("[9d01ab23] [send_email] --- Retry 1 ---")
    expect(textOf(line("--- Retry 1 ---"))).toBe("[9d01ab23] [send_email] 2026-01-01T12:00:00 --- Retry 1 ---")
  })

  it("keeps one line one line, whatever was logged", () => {
    const forged = line("bad\n[00000000] [admin] 2026-01-01T12:00:00 -- SUCCESS\r\n\tend", { taskName: "a\nb" })
    expect(textOf(forged)).toBe(
      "[9d01ab23] [a\\nb] 2026-01-01T12:00:00 bad\\n[00000000] [admin] 2026-01-01T12:00:00 -- SUCCESS\\r\\n\\tend"
    )
  })
})

describe("escaped", () => {
  it("leaves no character that ends a line or drives a terminal", () => {
    for (let code = 0; code < 0x2100; code += 1) {
      const text = escaped(String.fromCharCode(code))
      const isControl = code < 32 || code >= 127 && code < 160 || code === 0x2028 || code === 0x2029
      expect(text.length > 1, `U+${code.toString(16)}`).toBe(isControl)
      // eslint-disable-next-line no-control-regex -- they are what is looked for
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    }
    expect(escaped("\u0000\u001b[31m\u009b\u2028é日🙂\\n")).toBe("\\x00\\x1b[31m\\x9b\\u2028é日🙂\\n")
  })
})

describe("jsonOf", () => {
  it("is one line with every fact", () => {
    const text = jsonOf(line("two\nlines \u009b31m\u2028", { level: "warning", extra: { code: 503 } }))
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    expect(JSON.parse(text)).toEqual({
      type: "log",
      taskId: common.taskId,
      taskName: "send_email",
      message: "two\nlines \u009b31m\u2028",
      level: "warning",
      timestamp: "2026-01-01T12:00:00.987Z",
      attempt: 0,
      tags: { userId: "u1" },
      extra: { code: 503 }
    })
    expect(JSON.parse(jsonOf({ ...step("failed"), error: "no route", stacktrace: "Error: no route", duration: 12 })))
      .toEqual({
        type: "lifecycle",
        level: "error",
        taskId: common.taskId,
        taskName: "send_email",
        status: "failed",
        timestamp: "2026-01-01T12:00:00.987Z",
        attempt: 0,
        retriesUsed: 0,
        duration: 12,
        error: "no route",
        stacktrace: "Error: no route",
        tags: { userId: "u1" }
      })
  })
})
