/** The keys and what they do to values: any text comes back, nothing else opens it. */
import { it as effectIt } from "@effect/vitest"
import { FastCheck } from "effect"
import { describe, expect, it } from "vitest"
import * as Keyring from "../../src/backend/cipher/keyring.js"
import * as Values from "../../src/backend/cipher/values.js"
import { fingerprintOf } from "../../src/internal/fingerprint.js"
import * as Sealed from "../../src/internal/sealed.js"
import type { LogLine, TaskFailure } from "../../src/TaskEvent.js"
import { task } from "../support/sql.js"

const material = (id: string, fill: number) => ({ id, key: Uint8Array.from({ length: 32 }, (_, i) => i * fill + fill) })
const [one, two] = [material("k1", 3), material("k2", 7)]
const ring = Keyring.make([one], one.key)
const owner = ["task", "t-1"] as const

const failure: TaskFailure = {
  kind: "error",
  name: "Odd",
  message: "secret",
  stack: "Odd: secret",
  error: "{\"a\":1}",
  cause: { parts: [{ depth: 0, kind: "defect", name: "Odd", message: "secret", stack: "at secret" }], omitted: 1 }
}

const anyText = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  // Halves of surrogates too.
  FastCheck.array(FastCheck.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  FastCheck.string().map((text) => `enc1.k1.${text}`)
)

describe("a keyring", () => {
  effectIt.prop("gives back any texts", [FastCheck.array(FastCheck.option(anyText))], ([values]) => {
    expect(ring.open(owner, "payload", ring.seal(owner, "payload", values))).toEqual(values)
  })

  it("opens nothing for another owner, another field, another key, or after a change of any character", () => {
    const text = ring.seal(owner, "payload", ["secret"])
    expect(ring.open(owner, "payload", text)).toEqual(["secret"])
    expect(ring.open(["task", "t-2"], "payload", text)).toBeNull()
    expect(ring.open(["error", "t-1"], "payload", text)).toBeNull()
    expect(ring.open(owner, "result", text)).toBeNull()
    expect(Keyring.make([two], one.key).open(owner, "payload", text)).toBeNull()
    // Another key of the same id.
    expect(Keyring.make([{ ...two, id: "k1" }], one.key).open(owner, "payload", text)).toBeNull()
    // The same key of another id: the id is authenticated.
    expect(Keyring.make([{ ...one, id: "k9" }], one.key).open(owner, "payload", text.replace("k1", "k9"))).toBeNull()
    const from = "enc1.k1.".length
    for (let at = from; at < text.length - 1; at += 1) {
      const other = text[at] === "A" ? "B" : "A"
      expect(ring.open(owner, "payload", text.slice(0, at) + other + text.slice(at + 1))).toBeNull()
    }
    expect(ring.open(owner, "payload", text.slice(0, -4))).toBeNull()
    expect(ring.open(owner, "payload", "enc1.k1.")).toBeNull()
  })

  it("never gives the same text twice: 20,000 nonces of one owner are all different", () => {
    const nonces = new Set<string>()
    for (let count = 0; count < 20_000; count += 1) {
      nonces.add(Sealed.bytesOf(ring.seal(owner, "payload", ["same"])).subarray(0, 12).toString("hex"))
    }
    expect(nonces.size).toBe(20_000)
  })

  it("decrypts with every key and encrypts with the first; digests stay while the hash key does", () => {
    const old = ring.seal(owner, "payload", ["old"])
    const rotated = Keyring.make([two, one], one.key)
    expect(rotated.open(owner, "payload", old)).toEqual(["old"])
    expect(Sealed.keyIdOf(rotated.seal(owner, "payload", ["new"]))).toBe("k2")
    expect(rotated.digest("key", "a", "b")).toBe(ring.digest("key", "a", "b"))
    expect(ring.digest("key", "a", "b")).not.toBe(Keyring.make([one], two.key).digest("key", "a", "b"))
    expect(ring.digest("key", "a", "b")).not.toBe(ring.digest("fingerprint", "a", "b"))
    expect(ring.digest("key", "a", "b")).not.toBe(ring.digest("key", "ab", ""))
  })
})

describe("the values of a task", () => {
  const values = Values.make(ring, true)
  const line = (sequence: number): LogLine => ({
    sequence,
    claim: 1,
    attempt: 1,
    at: 0,
    level: "info",
    message: `line ${sequence}`,
    annotations: "{\"a\":1}"
  })

  effectIt.prop(
    "come back, whatever their texts are",
    [anyText, FastCheck.option(anyText), anyText, anyText],
    ([payload, idempotencyKey, message, result]) => {
      // A payload is JSON, which does not begin like an encrypted text.
      const record = {
        ...task({ payload: JSON.stringify(payload), idempotencyKey }),
        result: JSON.stringify(result),
        failure: { ...failure, message, error: JSON.stringify(message) },
        progress: { value: 1, message }
      }
      const sealed = values.sealRecord(record, true)
      expect(values.openRecord(sealed)).toEqual(record)
      const { progress } = record
      expect(values.showProgress(record.taskId, values.sealProgress(record.taskId, progress))).toEqual({
        ...progress,
        message: Sealed.shown(message)
      })
      const written = { ...line(1), message, annotations: JSON.stringify(message) }
      expect(values.openLine(record.taskId, values.sealLine(record.taskId, written))).toEqual(written)
    }
  )

  it("are of one task alone: what is copied to another one stays closed, and is written as it is", () => {
    const [a, b] = [task({ payload: "\"a\"" }), task({ payload: "\"b\"" })]
    const [sealedA, sealedB] = [values.sealRecord(a, true), values.sealRecord({ ...b, failure, result: "1" }, true)]
    const swapped = values.openRecord({ ...sealedB, payload: sealedA.payload })
    expect(swapped.payload).toBe(sealedA.payload)
    expect(values.sealRecord(swapped).payload).toBe(sealedA.payload)
    expect(values.openRecord({ ...sealedB, payload: sealedB.result! }).payload).toBe(sealedB.result)
    expect(values.openRecord({ ...sealedA, failure: sealedB.failure }).failure).toEqual(sealedB.failure)
    const [first, second] = [1, 2].map((sequence) => values.sealLine(a.taskId, line(sequence)))
    expect(values.openLine(a.taskId, { ...first!, annotations: second!.annotations })).toEqual({
      ...line(1),
      message: "<encrypted>",
      annotations: null
    })
  })

  it("have a fingerprint that is hashed with the key, the same for who encrypts and who reads", () => {
    const plain = { status: "failed", taskName: "mail" } as const
    const unkeyed = fingerprintOf({ ...plain, failure: { ...failure } })!
    const own = { ...failure }
    const record = { ...task({ taskName: "mail" }), status: "failed" as const, endedAt: 1, failure: own }
    const sealed = values.sealRecord(record)
    const stored = fingerprintOf({ ...plain, failure: sealed.failure })!
    expect(stored.fingerprint).not.toBe(unkeyed.fingerprint)
    expect(JSON.stringify(stored.sample)).not.toContain("secret")
    expect(values.openSample(stored.fingerprint, stored.sample)).toEqual(unkeyed.sample)
    // The engine's own record, and one that was read.
    expect(fingerprintOf({ ...plain, failure: own })).toEqual({ ...unkeyed, fingerprint: stored.fingerprint })
    const read = values.openRecord({ ...sealed, failure: { ...sealed.failure! } })
    expect(fingerprintOf({ ...plain, failure: read.failure })).toEqual({ ...unkeyed, fingerprint: stored.fingerprint })
  })
})
