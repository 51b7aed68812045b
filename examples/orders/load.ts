/** `POST /load?n=1000`: a realistic mix of tasks at once, to see how the engine takes it. */
import { HttpLayerRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Array as Arr, Clock, Effect, Redacted, Schema } from "effect"
import { badRequest, misfit, unavailable } from "./problems.js"
import { ImageResize, MonthlyReport, NightlyCleanup, Payment, SignupMail } from "./tasks.js"

const Params = Schema.Struct({
  n: Schema.optionalWith(Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, 100_000)), {
    default: () => 1_000
  })
})

/** Of a hundred about fifty mails, thirty-five payments (one of them declined) and fifteen images. Five reports at most. */
const kindOf = (i: number) => {
  if (i % 100 === 99 && i < 500) return "report"
  if (i === 98) return "cleanup"
  return i % 100 < 50 ? "mail" : i % 100 < 85 ? "payment" : "image"
}

const enqueueSlice = (indices: ReadonlyArray<number>, run: string) => {
  const of = (kind: ReturnType<typeof kindOf>) => indices.filter((i) => kindOf(i) === kind)
  return Effect.all([
    SignupMail.enqueueMany(of("mail").map((i) => ({ email: `user${i}@example.com` }))),
    Payment.enqueueMany(
      of("payment").map((i) => ({
        orderId: `load-${run}-${i}`,
        amount: i % 100 === 84 ? 20_000 : 10 + (i % 500),
        cardToken: Redacted.make(`tok_${i}`)
      }))
    ),
    ImageResize.enqueueMany(of("image").map((i) => ({ url: `https://example.com/${i}.png`, width: 320 }))),
    MonthlyReport.enqueueMany(of("report").map((i) => ({ month: `2026-0${Math.ceil(i / 100)}` }))),
    NightlyCleanup.enqueueMany(of("cleanup").map(() => undefined))
  ])
}

/** In slices with a breath between them, so that other requests are answered meanwhile. */
const enqueue = (n: number) =>
  Effect.gen(function*() {
    const run = (yield* Clock.currentTimeMillis).toString(36)
    for (let start = 0; start < n; start += 500) {
      yield* enqueueSlice(Arr.range(start, Math.min(n, start + 500) - 1), run)
      yield* Effect.sleep(0)
    }
    return n
  })

export const Load = HttpLayerRouter.add(
  "POST",
  "/load",
  HttpServerRequest.schemaSearchParams(Params).pipe(
    Effect.flatMap(({ n }) => enqueue(n)),
    Effect.map((enqueued) => HttpServerResponse.unsafeJson({ enqueued }, { status: 202 })),
    Effect.catchTags({ ParseError: misfit, TaskArgumentError: badRequest }),
    Effect.catchAll(unavailable)
  )
)
