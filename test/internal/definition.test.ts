import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Either, Schedule, Schema } from "effect"
import * as Definition from "../../src/internal/definition.js"
import { TaskDefinitionError } from "../../src/TaskError.js"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {}
class Order extends Schema.Class<Order>("Order")({
  id: Schema.String,
  total: Schema.optionalWith(Schema.Number, { default: () => 9 })
}) {}

const define = (source: Definition.Source = {}, name = "send_email") => Definition.make(name, source).definition
const problem = (source: Definition.Source, name?: string) => {
  const made = Either.try({ try: () => define(source, name), catch: (error) => error })
  return Either.isLeft(made) ? made.left : undefined
}

describe("definition", () => {
  describe("each option that is wrong is named", () => {
    it.each<[string, string, Definition.Source, string]>([
      ["retry", "retries below 0", { retry: { retries: -1 } }, "retry.retries is -1: a whole number from 0"],
      ["retry", "half a retry", { retry: { retries: 0.5 } }, "retry.retries is 0.5: a whole number from 0"],
      ["retry", "a negative backoff", { retry: { retries: 1, backoff: -2 } }, "retry.backoff is -2: a number from 0"],
      [
        "retry",
        "no delay",
        { retry: { retries: 1, delay: "soon" } },
        "retry.delay is \"soon\": a duration, as \"1 second\""
      ],
      ["timeout", "no time at all", { timeout: 0 }, "timeout is 0: a duration longer than zero, as \"30 seconds\""],
      ["timeout", "less than none", { timeout: -5 }, "timeout is -5: a duration longer than zero, as \"30 seconds\""],
      [
        "timeout",
        "no duration",
        { timeout: "5 parsecs" as never },
        "timeout is \"5 parsecs\": a duration longer than zero"
      ],
      ["timeout", "NaN", { timeout: Number.NaN }, "timeout is NaN: a duration longer than zero"],
      ["timeout", "for ever", { timeout: Duration.infinity }, "timeout is Duration(Infinity): a duration"],
      ["keyTtl", "for ever", { keyTtl: Number.POSITIVE_INFINITY }, "keyTtl is Infinity: a duration"],
      ["keyTtl", "no time at all", { keyTtl: Duration.zero }, "keyTtl is"],
      ["keyTtl", "no duration", { keyTtl: "soon" as never }, "keyTtl is \"soon\": a duration longer than zero"],
      ["priority", "a fraction", { priority: 0.5 }, "priority is 0.5: a whole number from -2147483647 to 2147483647"],
      ["priority", "beyond 32 bits", { priority: 2 ** 31 }, "priority is 2147483648: a whole number"],
      ["priority", "beyond 32 bits below", { priority: -(2 ** 31) }, "priority is -2147483648: a whole number"],
      ["priority", "NaN", { priority: Number.NaN }, "priority is NaN: a whole number"],
      ["concurrency", "nobody", { concurrency: 0 }, "concurrency is 0: a whole number from 1"],
      [
        "concurrency",
        "without bound",
        { concurrency: Number.POSITIVE_INFINITY },
        "concurrency is Infinity: a whole number"
      ],
      ["maxCrashes", "none", { maxCrashes: 0 }, "maxCrashes is 0: a whole number from 1"],
      ["version", "none", { version: 0 }, "version is 0: a whole number from 1"],
      ["version", "a fraction", { version: 1.5 }, "version is 1.5: a whole number from 1"],
      [
        "payload.a[].b",
        "a payload that is not JSON",
        { payload: { a: Schema.Array(Schema.Struct({ b: Schema.Uint8ArrayFromSelf })) } },
        "payload.a[].b: Declaration (Uint8ArrayFromSelf) is not JSON; use a schema whose encoded side is"
      ],
      [
        "payload[]",
        "a list that is not JSON",
        { payload: Schema.Array(Schema.BigIntFromSelf) },
        "payload[]: a bigint: use Schema.BigInt"
      ],
      [
        "success",
        "a success that is not JSON",
        { success: Schema.DateFromSelf },
        "success: Declaration (DateFromSelf) is not JSON"
      ],
      [
        "error.cause",
        "an error that is not JSON",
        { error: Schema.Struct({ cause: Schema.instanceOf(Error) }) },
        "error.cause: Declaration ("
      ]
    ])("%s: %s", (path, _, source, message) => {
      const found = problem(source)
      expect(found).toBeInstanceOf(TaskDefinitionError)
      expect(found).toMatchObject({ task: "send_email", path })
      expect((found as TaskDefinitionError).message).toContain(`task "send_email": ${message}`)
    })

    it.each<[string, string]>([
      ["no name", ""],
      ["too long a name", "x".repeat(201)],
      ["a newline", "send\nemail"],
      ["a newline behind it", "send_email\n"],
      ["NUL", "send\0email"],
      ["a C1 control character", "send\u0085email"]
    ])("name: %s", (_, name) => {
      expect(problem({}, name)).toMatchObject({
        path: "name",
        message: expect.stringContaining("the name has 1 to 200 characters and no control characters")
      })
    })

    it.each(["x", "x".repeat(200), "😀".repeat(200), "send email/ünïcode", "__proto__"])(
      "accepts the name %s",
      (name) => {
        expect(problem({}, name)).toBeUndefined()
      }
    )

    it("accepts the bounds", () => {
      const max = 2_147_483_647
      expect(define({ priority: max, concurrency: max, maxCrashes: 1, version: max })).toMatchObject({
        priority: max,
        concurrency: max,
        maxCrashes: 1,
        version: max
      })
      expect(define({ priority: -max, concurrency: 1, version: 1 })).toMatchObject({ priority: -max, concurrency: 1 })
    })
  })

  it("fills in the defaults: nothing retries, nothing times out, nothing is kept", () => {
    const { complete, payload, payloadJsonSchema, ...rest } = define()
    expect(rest).toEqual({
      taskName: "send_email",
      version: 1,
      persist: true,
      success: null,
      error: null,
      retry: { retries: 0 },
      timeout: null,
      priority: 0,
      concurrency: Number.POSITIVE_INFINITY,
      requeueOnInterrupt: false,
      transactional: false,
      maxCrashes: 3,
      eager: false,
      executor: "fiber",
      keyTtl: null,
      idempotencyKey: null,
      tags: null,
      warnings: []
    })
    expect(complete(undefined)).toEqual({})
    expect(Effect.runSync(payload.encode({}))).toBe("{}")
    expect(payloadJsonSchema()).toMatchObject({ $schema: expect.any(String) })
  })

  it("keeps what is given; durations become milliseconds", () => {
    const idempotencyKey = () => "k"
    const retry = Schedule.recurs(3)
    expect(define({
      version: 4,
      success: Schema.Number,
      error: SmtpError,
      retry,
      timeout: "30 seconds",
      priority: 8,
      concurrency: 2,
      maxCrashes: 5,
      eager: true,
      keyTtl: "1 hour",
      idempotencyKey
    })).toMatchObject({
      version: 4,
      retry,
      timeout: 30_000,
      priority: 8,
      concurrency: 2,
      maxCrashes: 5,
      eager: true,
      keyTtl: 3_600_000,
      idempotencyKey
    })
    const { error, success } = define({ success: Schema.Number, error: SmtpError })
    expect(Effect.runSync(success!.encode(7))).toBe("7")
    expect(JSON.parse(Effect.runSync(error!.encode(new SmtpError({ code: 1 }))))).toEqual({
      _tag: "SmtpError",
      code: 1
    })
  })

  it("requeues on interruption when retries are given, unless told otherwise", () => {
    expect(define().requeueOnInterrupt).toBe(false)
    expect(define({ retry: { retries: 0 } }).requeueOnInterrupt).toBe(true)
    expect(define({ retry: Schedule.recurs(1) }).requeueOnInterrupt).toBe(true)
    expect(define({ retry: { retries: 3 }, requeueOnInterrupt: false }).requeueOnInterrupt).toBe(false)
    expect(define({ requeueOnInterrupt: true }).requeueOnInterrupt).toBe(true)
  })

  it("warns of a delay that is a bare small number", () => {
    expect(define({ retry: { retries: 1, delay: 5 } }).warnings).toEqual([
      "retry.delay is the bare number 5, which is 5 ms: write a unit, as \"1 second\""
    ])
    expect(define({ retry: { retries: 1, delay: "5 seconds" } }).warnings).toEqual([])
  })

  it("takes tags as they are or as a function of the payload", () => {
    // safe: the payload type of a definition without payload
    const payload = { userId: "u1" } as never
    expect(define({ tags: { team: "mail" } }).tags?.(payload)).toEqual({ team: "mail" })
    expect(define({ tags: ({ userId }: { readonly userId: string }) => ({ userId }) }).tags?.(payload)).toEqual({
      userId: "u1"
    })
  })

  describe("payload", () => {
    it("is a schema, or the fields of a struct", () => {
      const { payloadSchema } = Definition.make("t", { payload: Order })
      expect(payloadSchema).toBe(Order)
      const { payloadSchema: struct } = Definition.make("t", { payload: { a: Schema.Number } })
      expect(Schema.is(struct as Schema.Schema<unknown>)({ a: 1 })).toBe(true)
      expect(Schema.is(struct as Schema.Schema<unknown>)({ a: "1" })).toBe(false)
    })

    it("of a schema inside itself is accepted", () => {
      interface Tree {
        readonly children: ReadonlyArray<Tree>
      }
      const Tree: Schema.Schema<Tree> = Schema.Struct({ children: Schema.Array(Schema.suspend(() => Tree)) })
      expect(problem({ payload: Tree, success: Schema.Array(Tree), error: Tree })).toBeUndefined()
    })

    it("of classes that are made of each other is looked at without end neither in time nor in depth", () => {
      // The decoded side of a class is made anew at every look: a walk that follows it everywhere never comes back.
      const Inner: Schema.Schema<any> = Schema.suspend(() => Expression)
      const operator = (name: string) => class extends Schema.TaggedClass<any>()(name, { left: Inner, right: Inner }) {}
      const Literal = Schema.TaggedStruct("Literal", { value: Schema.Number, key: Schema.Redacted(Schema.String) })
      const Expression: Schema.Schema<any> = Schema.Union(
        Literal,
        ...["Add", "Subtract", "Multiply", "Divide", "Power"].map(operator)
      ) as never
      expect(problem({ payload: Expression, success: Expression, error: Expression })).toBeUndefined()
    })

    describe("complete", () => {
      it("fills in constructor defaults of a struct", () => {
        const { complete } = define({
          payload: { image: Schema.String, width: Schema.optionalWith(Schema.Number, { default: () => 640 }) }
        })
        expect(complete({ image: "x" })).toEqual({ image: "x", width: 640 })
        expect(complete({ image: "x", width: 3 })).toEqual({ image: "x", width: 3 })
      })

      it("does not validate: that is said by the encoding, which knows where", () => {
        expect(define({ payload: { image: Schema.String } }).complete({ image: 5 })).toEqual({ image: 5 })
      })

      it("makes an instance of a class, once", () => {
        const { complete } = define({ payload: Order })
        const made = complete({ id: "1" })
        expect(made).toBeInstanceOf(Order)
        expect(made).toEqual(new Order({ id: "1", total: 9 }))
        expect(complete(made)).toBe(made)
      })

      it("leaves what is no struct as it is", () => {
        const { complete } = define({ payload: Schema.Union(Schema.String, Schema.Number) })
        expect(complete("x")).toBe("x")
        expect(complete(undefined)).toBeUndefined()
      })

      it("takes no argument for no payload", () => {
        const { complete } = define({ payload: {} })
        expect(complete(undefined)).toEqual({})
        expect(complete(null)).toEqual({})
      })
    })
  })
})
