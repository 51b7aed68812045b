import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { TaskRedaction } from "effect-taskflow/http"

const about = { taskName: "t", part: "payload" } as const
const { json, text } = TaskRedaction.make()
const shown = (value: string) => text(value, { taskName: "t", part: "error" })

// Put together here, so that nothing in this file looks like a secret to others that look for them.
const token = (head: string, length: number) => `${head}${"Ab1".repeat(length).slice(0, length)}`

describe("names that hold secrets", () => {
  const secret = [
    ...["password", "passwd", "userPassword", "user_password", "PASSWORD", "dbPasswordHash", "passphrase", "pwd"],
    ...["secret", "clientSecret", "client-secret", "API_KEY", "apiKey", "x-api-key", "accessToken", "refresh_token"],
    ...["token", "tokens", "cardToken", "authorization", "Authorization", "cookie", "set-cookie", "sessionId"],
    ...["privateKey", "private_key", "credentials", "ssn", "cvv", "cardNumber", "card_no", "iban", "pin"]
  ]
  const fine = [
    ...["tokenizer", "secretary", "passenger", "pinned", "pane", "key", "keys", "idempotencyKey", "company", "spin"],
    ...["author", "authorized", "sessions", "card", "address", "compass", "span"]
  ]
  it("are known in every spelling", () => {
    for (const key of secret) expect(TaskRedaction.isSecretKey(key), key).toBe(true)
  })
  it("are told from words that only look similar", () => {
    for (const key of fine) expect(TaskRedaction.isSecretKey(key), key).toBe(false)
  })
  it("hide text, numbers, lists and objects at any depth, and keep null, booleans and counts of tokens", () => {
    expect(json({ a: [{ password: "x", pin: 1234, cvv: ["1"], secret: { b: 1 } }], id: 7 }, about)).toEqual({
      a: [{ password: "<redacted>", pin: "<redacted>", cvv: "<redacted>", secret: "<redacted>" }],
      id: 7
    })
    expect(json({ password: null, token: true, maxTokens: 4_096 }, about)).toEqual({
      password: null,
      token: true,
      maxTokens: 4_096
    })
  })
})

describe("texts that are secrets", () => {
  const cases: ReadonlyArray<readonly [name: string, secret: string]> = [
    ["a bearer token", `Bearer ${token("", 24)}`],
    ["basic credentials", `Basic ${token("", 16)}=`],
    ["a JSON web token", `${token("eyJ", 20)}.${token("eyJ", 30)}.${token("", 20)}`],
    ["an Amazon key", `AKIA${"ABCD1234".repeat(2)}`],
    ["a GitHub token", token("ghp_", 36)],
    ["a Stripe key", token("sk_live_", 24)],
    ["a Slack token", token("xoxb-", 20)],
    ["a Google key", token("AIza", 35)],
    ["a password in a URL", `postgres://app:${token("", 12)}@db/app`],
    ["a password by name", `password=${token("", 9)}`],
    ["a secret in JSON text", `{"client_secret": "${token("", 12)}"}`],
    ["a private key", `-----BEGIN RSA PRIVATE KEY-----\n${token("", 99)}\n-----END RSA PRIVATE KEY-----`]
  ]
  for (const [name, secret] of cases) {
    it(`${name} is replaced, and what stands around it stays`, () => {
      const answer = shown(`before ${secret} after`)
      expect(answer).toContain("before ")
      expect(answer).toContain(" after")
      expect(answer).toContain("<redacted>")
      expect(answer).not.toContain("Ab1Ab1")
      expect(answer).not.toContain("ABCD1234")
    })
  }
  it("keeps what is none", () => {
    for (
      const fine of [
        "connect ECONNREFUSED 127.0.0.1:5432",
        "expected token ) at 3:7",
        "basic plan",
        "the secret of success",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "https://example.com/a?b=c#d",
        "Bearer of news"
      ]
    ) expect(shown(fine)).toBe(fine)
  })
})

describe("the caller's own function", () => {
  it("sees every part after the patterns, and what it answers is shown", () => {
    const seen: Array<unknown> = []
    const own = TaskRedaction.make({
      redact: (value, part) => {
        seen.push([value, part])
        return typeof value === "string" ? value.replace("ada", "…") : value
      }
    })
    expect(own.text("ada: password=hunter22", { taskName: "t", part: "log" })).toBe("…: password=<redacted>")
    expect(seen).toEqual([["ada: password=<redacted>", { taskName: "t", part: "log" }]])
  })
  it("that fails, or answers another kind, hides the part", () => {
    const fails = TaskRedaction.make({
      redact: () => {
        throw new Error("no")
      }
    })
    expect(fails.text("a", about)).toBe("<redacted>")
    expect(fails.json({ a: 1 }, about)).toBe("<redacted>")
    const other = TaskRedaction.make({ redact: () => undefined })
    expect(other.text("a", about)).toBe("<redacted>")
    expect(other.json({ a: "b" }, { taskName: "t", part: "tags" })).toEqual({ hidden: "<redacted>" })
  })
  it("is asked alone when the patterns are turned off", () => {
    expect(TaskRedaction.make({ secrets: false }).json({ password: "x" }, about)).toEqual({ password: "x" })
  })
})

describe("any value", () => {
  it("keeps its shape, and is cleaned once and for all", () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const once = json(value, about)
      expect(json(once, about)).toEqual(once)
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        expect(Object.keys(once as object)).toEqual(Object.keys(value))
      }
    }))
  })
  it("costs one pass, whatever was written to make the patterns go back and forth", () => {
    const hostile = [
      "Bearer ".repeat(20_000),
      `-----BEGIN PRIVATE KEY-----${"A".repeat(200_000)}`,
      "-----BEGIN ".repeat(20_000),
      "password".repeat(25_000),
      "a://".repeat(50_000),
      `x://${"a".repeat(200_000)}:`,
      `eyJ${"a".repeat(200_000)}`,
      "eyJaaaaaaaaa.".repeat(15_000),
      "-eyJaaaaaaaa".repeat(40_000),
      "basic ".repeat(30_000),
      "sk-".repeat(60_000),
      `password${" ".repeat(200_000)}`
    ]
    // Linear work on these takes tens of milliseconds, going back and forth takes minutes: the runner's limit tells.
    for (const value of hostile) expect(shown(value).length).toBeGreaterThan(0)
    expect(json(JSON.parse(`${"[".repeat(3_000)}${"]".repeat(3_000)}`), about)).toBeDefined()
  })
})
