/** What two failures have in common. */
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { fingerprintOf, formOf, frameOf } from "../../src/internal/fingerprint.js"
import type { TaskFailure } from "../../src/TaskEvent.js"

const hex = (length: number) =>
  FastCheck.string({ minLength: length, maxLength: length, unit: FastCheck.constantFrom(..."0123456789abcdef") })

const uuid = FastCheck.uuid()
const word = FastCheck.constantFrom(
  "box",
  "of",
  "user",
  "failed",
  "façade",
  "decade",
  "didn't",
  "→",
  "\ud83d\ude00",
  "(",
  ")"
)
const value = FastCheck.oneof(
  uuid.map((one) => ["uuid", one] as const),
  FastCheck.integer({ min: 0 }).map((one) => ["number", String(one)] as const),
  FastCheck.tuple(FastCheck.nat(99), FastCheck.nat(9)).map(([a, b]) => ["decimal", `${a}.${b}`] as const),
  hex(24).map((one) => ["hex", `a1${one}`] as const),
  hex(8).map((one) => ["address", `0x${one}`] as const),
  FastCheck.string({ maxLength: 20 }).map((one) => ["quoted", JSON.stringify(one.replace(/["\\]/g, ""))] as const)
)

const failure = (more: Partial<TaskFailure> = {}): TaskFailure => ({
  kind: "error",
  name: "Bounced",
  message: "no box 17",
  stack: "Bounced: no box 17\n    at send (/srv/app/mail.ts:12:3)\n    at run (/srv/app/node_modules/effect/x.js:1:1)",
  error: null,
  ...more
})

const of = (more: Partial<TaskFailure> = {}, taskName = "send_email") =>
  fingerprintOf({ taskName, status: "failed", failure: failure(more) })!

describe("the form of a message", () => {
  it.prop("does not know the values in it", [FastCheck.array(FastCheck.tuple(word, value, value), { maxLength: 8 })], ([
    parts
  ]) => {
    const kindsAgree = parts.map(([said, [kind, one], [other, another]]) =>
      kind === other ? [`${said} ${one}`, `${said} ${another}`] as const : [`${said} ${one}`, `${said} ${one}`] as const
    )
    const [a, b] = [kindsAgree.map(([one]) => one).join(" "), kindsAgree.map(([, one]) => one).join(" ")]
    if (a.length < 1_000 && b.length < 1_000) expect(formOf(a)).toBe(formOf(b))
  })

  it.prop("has a bounded length, no digits, and is its own form", [
    FastCheck.oneof(FastCheck.string({ maxLength: 3_000 }), FastCheck.string({ unit: "binary", maxLength: 3_000 }))
  ], ([message]) => {
    const form = formOf(message)
    expect(form.length).toBeLessThanOrEqual(200)
    expect(form).not.toMatch(/[0-9]/)
    expect(formOf(form)).toBe(form)
  })

  it.prop("keeps the words", [FastCheck.array(FastCheck.constantFrom("decade", "facade", "bed", "don't", "it's"), {
    maxLength: 20
  })], ([words]) => {
    expect(formOf(words.join(" "))).toBe(words.join(" "))
  })

  it("is what people would write", () => {
    expect(formOf("connect ECONNREFUSED 127.0.0.1:5432")).toBe("connect ECONNREFUSED #")
    expect(formOf("user 'anna' has no box \"17\"")).toBe("user «» has no box «»")
    expect(formOf("can't read `x.y` of it's 3rd\n  line")).toBe("can't read «» of it's #rd line")
    expect(formOf("order 0190b3a4-7c1e-7cc3-98c4-dc0c0c07398f at 0x7ffe1234")).toBe("order # at #")
    expect(formOf("blob 9f86d081884c7d659a2feaa0c55ad015")).toBe("blob #")
    expect(formOf("a \"quote that never ends 17")).toBe("a «»")
  })

  it("takes no longer for texts that are made to take long", () => {
    for (const text of ["\"", "'", "a'", "`", "0x", "deadbeef-", "1.", "f".repeat(63) + "g", "\u0000"]) {
      expect(formOf(text.repeat(100_000)).length).toBeLessThanOrEqual(200)
    }
  })
})

describe("the frame of a stack", () => {
  it("is the first own one: function and file, without folder, line and column", () => {
    expect(frameOf(failure().stack)).toBe("send (mail.ts)")
    expect(frameOf("E\n    at /srv/app/mail.ts:12:3")).toBe("mail.ts")
    expect(frameOf("E\n    at async Mailer.send (file:///srv/app/mail.ts:12:3)")).toBe("async Mailer.send (mail.ts)")
    expect(frameOf("E\n    at send (C:\\app\\mail.ts:12:3)")).toBe("send (mail.ts)")
    expect(frameOf("E\n    at send (mail.ts:12:3)")).toBe("send (mail.ts)")
    expect(frameOf("E\n    at x (node:internal/process:1:1)\n    at y (/a/node_modules/b/c.js:1:1)")).toBe(null)
    expect(frameOf("no frames")).toBe(null)
    expect(frameOf("")).toBe(null)
  })

  it.prop("never throws, and is bounded", [FastCheck.string({ unit: "binary", maxLength: 500 })], ([text]) => {
    for (const stack of [text, `E\n    at ${text}`, `E\n    at ${text} (${text}:1:2)`]) {
      expect((frameOf(stack) ?? "").length).toBeLessThanOrEqual(200)
    }
  })
})

describe("a fingerprint", () => {
  it("is the same for what differs in values, folders and lines", () => {
    const other = failure({
      message: "no box 9",
      stack: "Bounced: no box 9\n    at send (/home/x/mail.ts:99:1)",
      error: "{\"a\":1}"
    })
    expect(of(other).fingerprint).toBe(of().fingerprint)
    expect(of().fingerprint).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it("is another for another task, kind, name, message or frame", () => {
    const all = [
      of(),
      of({}, "resize"),
      of({ kind: "defect" }),
      of({ name: "Lost" }),
      of({ message: "no host" }),
      of({ stack: "Bounced\n    at receive (/srv/app/mail.ts:12:3)" })
    ].map(({ fingerprint }) => fingerprint)
    expect(new Set(all).size).toBe(all.length)
  })

  it("shows the failure as it was, bounded", () => {
    expect(of().sample).toEqual({ kind: "error", name: "Bounced", message: "no box 17", frame: "send (mail.ts)" })
    expect(of({ message: "x".repeat(5_000) }).sample.message.length).toBe(1_000)
  })

  it("is of what failed alone", () => {
    for (const status of ["pending", "running", "success", "interrupted", "cancelled"] as const) {
      expect(fingerprintOf({ taskName: "a", status, failure: failure() })).toBe(null)
    }
    expect(fingerprintOf({ taskName: "a", status: "failed", failure: null })).toBe(null)
  })

  it("is the same whenever it is asked for, also of one failure under two names", () => {
    const shared = failure()
    const under = (taskName: string) => fingerprintOf({ taskName, status: "failed", failure: shared })!.fingerprint
    expect([under("a"), under("b"), under("a")]).toEqual([under("a"), under("b"), under("a")])
    expect(under("a")).not.toBe(under("b"))
  })
})
