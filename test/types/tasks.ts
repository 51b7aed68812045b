/**
 * The definitions that the type tests use. Compiled, never run.
 */
import { Schema } from "effect"
import { Task } from "effect-taskflow"

export class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {}
export class Bounced extends Schema.TaggedError<Bounced>()("Bounced", { address: Schema.String }) {}
export class HttpError extends Schema.TaggedError<HttpError>()("HttpError", { status: Schema.Number }) {}
export const UserId = Schema.String.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

// Value form, with every callback typed by its neighbours.
export const SendEmail = Task.make("send_email", {
  payload: { address: Schema.String, template: Schema.String },
  success: Schema.Struct({ messageId: Schema.String }),
  error: SmtpError,
  retry: { retries: 3, delay: "1 second", backoff: 2, while: (e) => e._tag !== "SmtpError" || e.code >= 400 },
  timeout: "30 seconds",
  priority: 8,
  requeueOnInterrupt: true,
  idempotencyKey: (p) => `${p.address}/${p.template}`
})

// Class form.
export class Resize extends Task.make("resize", {
  payload: {
    image: Schema.String,
    width: Schema.optionalWith(Schema.Number, { default: () => 640 }),
    note: Schema.optional(Schema.String)
  },
  error: Schema.Union(SmtpError, Bounced)
}) {}

// No payload, no success, no error.
export const Nightly = Task.make("nightly_report")

// A class as payload, with a branded id; a union as payload.
export class Order extends Schema.Class<Order>("Order")({
  id: UserId,
  total: Schema.Number,
  at: Schema.optional(Schema.Date)
}) {}
export const Invoice = Task.make("invoice", { payload: Order, success: Schema.Number })
export const Either = Task.make("either", {
  payload: Schema.Union(Schema.Struct({ a: Schema.Number }), Schema.String)
})

export const Charge = Task.make("charge", { payload: { id: UserId }, error: SmtpError })
