import { describe, expect, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Either, FastCheck as fc, Redacted, Schema } from "effect"
import * as Definition from "../../src/internal/definition.js"
import { type EnqueueOptions, prepare, type Prepared } from "../../src/internal/prepare.js"
import { TaskArgumentError } from "../../src/TaskError.js"

const now = 1_700_000_000_000
const define = (source: Definition.Source) => Definition.make("order", source).definition
const plain = define({ payload: { id: Schema.String } })

const attempt = (
  definition: Definition.Definition,
  input: unknown,
  options: EnqueueOptions = {},
  maxPayloadSize = 10_000
): Either.Either<Prepared, TaskArgumentError> =>
  Effect.runSync(Effect.either(prepare(definition, input, options, now, maxPayloadSize)))
const prepared = (definition: Definition.Definition, input: unknown, options?: EnqueueOptions) =>
  Either.getOrThrowWith(attempt(definition, input, options), (error) => error)
const refused = (definition: Definition.Definition, input: unknown, options?: EnqueueOptions, max?: number) => {
  const result = attempt(definition, input, options, max)
  if (Either.isRight(result)) throw new Error(`accepted: ${JSON.stringify(result.right)}`)
  expect(result.left).toBeInstanceOf(TaskArgumentError)
  expect(result.left.task).toBe("order")
  return result.left
}

describe("prepare", () => {
  it("without options takes everything from the definition", () => {
    expect(prepared(plain, { id: "1" })).toEqual({
      payload: "{\"id\":\"1\"}",
      persist: true,
      idempotencyKey: null,
      tags: {},
      priority: 0,
      runAt: null,
      eager: false
    })
  })

  describe("payload", () => {
    const cart = define({
      payload: {
        items: Schema.Array(Schema.Struct({ price: Schema.Number })),
        at: Schema.optionalWith(Schema.Date, { default: () => new Date(0) }),
        card: Schema.optional(Schema.Redacted(Schema.String.pipe(Schema.length(16))))
      }
    })

    it("is encoded, with defaults filled in", () => {
      expect(JSON.parse(prepared(cart, { items: [{ price: 1 }], card: Redacted.make("4111111111111111") }).payload))
        .toEqual({
          items: [{ price: 1 }],
          at: "1970-01-01T00:00:00.000Z",
          card: "4111111111111111"
        })
    })

    it("that does not fit is refused with the place", () => {
      const error = refused(cart, { items: [{ price: 1 }, { price: 1 }, { price: "9" }] })
      expect(error.path).toBe("items[2].price")
      expect(error.message).toBe("order: items[2].price: Expected number, actual \"9\"")
    })

    it("that does not fit as a whole says so", () => {
      const error = refused(define({ payload: Schema.NonEmptyString }), "")
      expect(error.path).toBe("")
      expect(error.message).toMatch(/^order: payload: Expected/)
    })

    it("that JSON would change is refused with the place", () => {
      expect(refused(cart, { items: [{ price: Number.NaN }] })).toMatchObject({
        path: "items[0].price",
        message: "order: items[0].price: NaN is not a JSON number"
      })
    })

    it("that holds a secret that does not fit keeps it", () => {
      const error = refused(cart, { items: [], card: Redacted.make("4111") })
      expect(error.path).toBe("card")
      expect(error.message).toMatch(/^order: card: does not fit its schema; the value is not shown/)
      expect(JSON.stringify(error)).not.toContain("4111")
      expect(String(error.stack)).not.toContain("4111")
    })

    it("of a class is refused with the place, whichever constructor refuses it", () => {
      class Order extends Schema.Class<Order>("Order")({ lines: Schema.Array(Schema.Struct({ count: Schema.Int })) }) {}
      const order = define({ payload: Order })
      expect(prepared(order, { lines: [{ count: 1 }] }).payload).toBe("{\"lines\":[{\"count\":1}]}")
      expect(refused(order, { lines: [{ count: 1 }, { count: 1.5 }] }).task).toBe("order")
    })

    it("too large is refused with its size", () => {
      expect(attempt(plain, { id: "x".repeat(100) }, {}, 109).pipe(Either.isRight)).toBe(true)
      expect(refused(plain, { id: "x".repeat(100) }, {}, 108)).toMatchObject({
        path: "",
        message: "order: payload: 109 characters of JSON, the limit is 108: store it elsewhere and pass a reference"
      })
    })

    it("is looked at before the options", () => {
      expect(refused(plain, { id: 1 }, { priority: 0.5 }).path).toBe("id")
    })
  })

  describe("priority", () => {
    it("of the call beats the definition's, 0 included", () => {
      const important = define({ priority: 8 })
      expect(prepared(important, undefined).priority).toBe(8)
      expect(prepared(important, undefined, { priority: 0 }).priority).toBe(0)
      expect(prepared(important, undefined, { priority: undefined }).priority).toBe(8)
      expect(prepared(important, undefined, { priority: -2_147_483_647 }).priority).toBe(-2_147_483_647)
    })

    it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2_147_483_648, -2_147_483_648, 2 ** 60])(
      "%d is refused",
      (priority) => {
        expect(refused(plain, { id: "1" }, { priority })).toMatchObject({
          path: "priority",
          message: `order: priority: priority is ${priority}: a whole number of 32 bits`
        })
      }
    )
  })

  describe("tags", () => {
    const tagged = define({
      payload: { id: Schema.String },
      tags: ({ id }: { id: string }) => ({ id, from: "definition" })
    })

    it("of the call are added to the definition's and win among equals", () => {
      expect(prepared(tagged, { id: "7" }).tags).toEqual({ id: "7", from: "definition" })
      expect(prepared(tagged, { id: "7" }, { tags: { from: "call", more: "x" } }).tags).toEqual({
        id: "7",
        from: "call",
        more: "x"
      })
      expect(prepared(plain, { id: "7" }, { tags: { only: "call" } }).tags).toEqual({ only: "call" })
    })

    it("as a function see the payload with its defaults", () => {
      const withDefault = define({
        payload: { width: Schema.optionalWith(Schema.Number, { default: () => 640 }) },
        tags: ({ width }: { width: number }) => ({ width: String(width) })
      })
      expect(prepared(withDefault, {}).tags).toEqual({ width: "640" })
    })

    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, "x"]))

    it.each<[string, Record<string, unknown>, string, RegExp]>([
      ["too many", many(65), "tags", /65 tags: at most 64/],
      ["a value that is no text", { ok: "x", n: 5 }, "tags.n", /a tag is text, this is a number/],
      ["undefined", { u: undefined }, "tags.u", /a tag is text, this is a undefined/],
      ["an empty name", { "": "x" }, "tags", /"" is no name of a tag: 1 to 128 characters/],
      ["a long name", { ["n".repeat(129)]: "x" }, "tags", /"n{100}… \(cut, 129 characters\)" is no name of a tag/],
      ["a long value", { v: "x".repeat(1_025) }, "tags.v", /a tag has at most 1,024 characters/]
    ])("are refused: %s", (_, tags, path, message) => {
      const error = refused(plain, { id: "1" }, { tags: tags as Record<string, string> })
      expect(error.path).toBe(path)
      expect(error.message).toMatch(message)
    })

    it("are counted together, and the definition's are looked at too", () => {
      expect(refused(tagged, { id: "1" }, { tags: many(63) }).message).toMatch(/65 tags/)
      expect(prepared(tagged, { id: "1" }, { tags: many(62) }).tags).toHaveProperty("t61", "x")
      expect(refused(tagged, { id: "x".repeat(1_025) }, {}).path).toBe("tags.id")
    })

    it("at their bounds are fine", () => {
      const tags = { ["n".repeat(128)]: "v".repeat(1_024), empty: "" }
      expect(prepared(plain, { id: "1" }, { tags }).tags).toEqual(tags)
    })
  })

  describe("idempotencyKey", () => {
    const keyed = define({ payload: { id: Schema.String }, idempotencyKey: ({ id }: { id: string }) => `order-${id}` })

    it("of the call beats the definition's", () => {
      expect(prepared(keyed, { id: "7" }).idempotencyKey).toBe("order-7")
      expect(prepared(keyed, { id: "7" }, { idempotencyKey: "mine" }).idempotencyKey).toBe("mine")
      expect(prepared(keyed, { id: "7" }, { idempotencyKey: undefined }).idempotencyKey).toBe("order-7")
      expect(prepared(plain, { id: "7" }).idempotencyKey).toBeNull()
    })

    it.each([0, 1_025])("of %d characters is refused", (length) => {
      expect(refused(plain, { id: "1" }, { idempotencyKey: "k".repeat(length) })).toMatchObject({
        path: "idempotencyKey",
        message: `order: idempotencyKey: an idempotency key has 1 to 1,024 characters, this has ${length}`
      })
      expect(prepared(plain, { id: "1" }, { idempotencyKey: "k".repeat(1_024) }).idempotencyKey).toHaveLength(1_024)
    })
  })

  describe("when", () => {
    it.each<[string, EnqueueOptions, number | null]>([
      ["no delay", {}, null],
      ["a delay", { delay: "5 minutes" }, now + 300_000],
      ["a fraction of a millisecond is waited out", { delay: Duration.millis(0.5) }, now + 1],
      ["a delay of nothing", { delay: 0 }, null],
      ["a negative delay", { delay: -5 }, null],
      ["a moment to come", { runAt: new Date(now + 1_000) }, now + 1_000],
      ["a moment as text", { runAt: "2030-01-01T00:00:00Z" }, Date.UTC(2030, 0, 1)],
      ["a moment as DateTime", { runAt: DateTime.unsafeMake(now + 7) }, now + 7],
      ["now", { runAt: now }, null],
      ["a moment that is over", { runAt: now - 1 }, null]
    ])("%s", (_, options, runAt) => {
      expect(prepared(plain, { id: "1" }, options).runAt).toBe(runAt)
    })

    it.each<[string, EnqueueOptions, string, RegExp]>([
      ["no duration", { delay: "5 parsecs" as never }, "delay", /"5 parsecs" is not a duration, as "5 minutes"/],
      ["for ever", { delay: Duration.infinity }, "delay", /is not a duration/],
      ["no moment", { runAt: "tomorrow" }, "runAt", /"tomorrow" is not a moment in time/],
      ["NaN", { runAt: Number.NaN }, "runAt", /NaN is not a moment in time/],
      ["both", { delay: 1, runAt: now + 1 }, "delay", /delay and runAt are both given: choose one/]
    ])("is refused: %s", (_, options, path, message) => {
      const error = refused(plain, { id: "1" }, options)
      expect(error.path).toBe(path)
      expect(error.message).toMatch(message)
    })

    it.prop("a delay never ends before its time", [fc.double({ min: 0, max: 1e9, noNaN: true })], ([millis]) => {
      const { runAt } = prepared(plain, { id: "1" }, { delay: Duration.millis(millis) })
      if (runAt === null) {
        expect(Duration.toMillis(Duration.millis(millis))).toBe(0)
        return
      }
      expect(Number.isSafeInteger(runAt)).toBe(true)
      expect(runAt - now).toBeGreaterThanOrEqual(Math.floor(millis * 1e6) / 1e6)
      expect(runAt - now).toBeLessThan(millis + 1.001)
    })
  })

  it("eager of the call beats the definition's", () => {
    const eager = define({ eager: true })
    expect(prepared(eager, undefined).eager).toBe(true)
    expect(prepared(eager, undefined, { eager: false }).eager).toBe(false)
    expect(prepared(plain, { id: "1" }, { eager: true }).eager).toBe(true)
  })
})
