/** The service's own routes: each checks its body, enqueues, and answers 202 with the task's id. */
import { HttpLayerRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import { type EnqueueError, type EnqueueResult, TaskManager } from "effect-taskflow"
import { Load } from "./load.js"
import { badRequest, misfit, notJson, unavailable } from "./problems.js"
import { ImageResize, MonthlyReport, Payment, SalesForecast, SignupMail } from "./tasks.js"

const Name = Schema.NonEmptyString.pipe(Schema.maxLength(200))
const Signup = Schema.Struct({
  email: Schema.String.pipe(Schema.maxLength(254), Schema.pattern(/^[^\s@]+@[^\s@]+$/))
})
const Order = Schema.Struct({ orderId: Name, amount: Schema.JsonNumber.pipe(Schema.positive()) })
const Image = Schema.Struct({ url: Name, width: Schema.Int.pipe(Schema.between(1, 10_000)) })
const Month = Schema.Struct({ month: Schema.String.pipe(Schema.pattern(/^\d{4}-(0[1-9]|1[0-2])$/)) })

/** `POST path`: the body through its schema, then a task. */
const accept = <A, I>(
  path: `/${string}`,
  body: Schema.Schema<A, I>,
  enqueue: (body: A) => Effect.Effect<EnqueueResult, EnqueueError, TaskManager>
) =>
  HttpLayerRouter.add(
    "POST",
    path,
    HttpServerRequest.schemaBodyJson(body).pipe(
      HttpServerRequest.withMaxBodySize(Option.some(65_536)),
      Effect.flatMap(enqueue),
      Effect.map(({ taskId }) => HttpServerResponse.unsafeJson({ taskId }, { status: 202 })),
      Effect.catchTags({
        ParseError: misfit,
        RequestError: notJson,
        TaskArgumentError: badRequest
      }),
      Effect.catchAll(unavailable)
    )
  )

const Health = HttpLayerRouter.add(
  "GET",
  "/health",
  Effect.map(
    TaskManager,
    ({ backend, instance }) => HttpServerResponse.unsafeJson({ status: "ok", backend: backend.kind, instance })
  )
)

export const Routes = Layer.mergeAll(
  accept("/signup", Signup, (signup) => SignupMail.enqueue(signup)),
  accept(
    "/orders",
    Order,
    ({ amount, orderId }) => Payment.enqueue({ orderId, amount, cardToken: Redacted.make(`tok_${orderId}`) })
  ),
  accept("/images", Image, (image) => ImageResize.enqueue(image)),
  accept("/reports", Month, (month) => MonthlyReport.enqueue(month)),
  accept("/forecasts", Month, (month) => SalesForecast.enqueue(month)),
  Load,
  Health
)
