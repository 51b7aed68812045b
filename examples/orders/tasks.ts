/** What the order service does in the background. Definitions only: routes import them to enqueue, handlers to run. */
import { Schema } from "effect"
import { Task } from "effect-taskflow"

export class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {
  override get message(): string {
    return `the mail server answered ${this.code}`
  }
}
export class GatewayUnavailable extends Schema.TaggedError<GatewayUnavailable>()("GatewayUnavailable", {
  message: Schema.String
}) {}
export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { message: Schema.String }) {}

/** Somebody waits for this mail: it goes before the rest. */
export const SignupMail = Task.make("signup_mail", {
  payload: { email: Schema.String },
  success: Schema.Struct({ messageId: Schema.String }),
  error: SmtpError,
  retry: { retries: 3, delay: "500 millis", backoff: 2 },
  timeout: "10 seconds",
  priority: 8
})

/**
 * An order is paid once, however often it is sent. The gateway is flaky: five runs, further and further apart. A crash in the
 * middle is one more: the gateway knows the order by its id.
 */
export const Payment = Task.make("payment", {
  payload: { orderId: Schema.String, amount: Schema.Number, cardToken: Schema.Redacted(Schema.String) },
  success: Schema.Struct({ receipt: Schema.String }),
  error: Schema.Union(GatewayUnavailable, CardDeclined),
  retry: { retries: 4, delay: "300 millis", backoff: 2, maxDelay: "5 seconds" },
  timeout: "5 seconds",
  priority: 10,
  idempotencyKey: ({ orderId }) => orderId,
  tags: ({ orderId }) => ({ orderId })
})

/** Nothing is retried, but what a crash or a shutdown cut short runs again: doing it twice does no harm. */
export const ImageResize = Task.make("image_resize", {
  payload: { url: Schema.String, width: Schema.Int },
  success: Schema.Struct({ file: Schema.String }),
  concurrency: 8,
  requeueOnInterrupt: true
})

/** Takes about half a minute, so it reports progress, may be cancelled, and never runs more than twice at a time. */
export const MonthlyReport = Task.make("monthly_report", {
  payload: { month: Schema.String },
  success: Schema.Struct({ pages: Schema.Int }),
  timeout: "2 minutes",
  concurrency: 2,
  priority: -5,
  requeueOnInterrupt: true
})

/** Computes for seconds, so it has a thread: this one goes on answering. Its handler is `forecast.worker.ts`. */
export const SalesForecast = Task.make("sales_forecast", {
  executor: "thread",
  payload: { month: Schema.String },
  success: Schema.Struct({ orders: Schema.Int }),
  timeout: "1 minute",
  requeueOnInterrupt: true
})

/**
 * Runs every night (see `handlers.ts`), and `POST /load` enqueues some. Without `retry` and `requeueOnInterrupt` it never starts
 * twice: one that a crash cut short ends as interrupted.
 */
export const NightlyCleanup = Task.make("nightly_cleanup", {
  success: Schema.Struct({ removed: Schema.Int }),
  timeout: "1 minute",
  priority: -10
})
