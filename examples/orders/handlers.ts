/** How each task is done, the services that needs, and what runs by itself. */
import { Context, Effect, Layer, Logger, LogLevel, Random } from "effect"
import { Task, TaskContext, TaskLog, TaskProgress, TaskSchedule } from "effect-taskflow"
import {
  CardDeclined,
  GatewayUnavailable,
  ImageResize,
  MonthlyReport,
  NightlyCleanup,
  Payment,
  SalesForecast,
  SignupMail,
  SmtpError
} from "./tasks.js"

export class Smtp extends Context.Tag("orders/Smtp")<Smtp, {
  readonly send: (email: string) => Effect.Effect<{ readonly messageId: string }, SmtpError>
}>() {}

export class PaymentGateway extends Context.Tag("orders/PaymentGateway")<PaymentGateway, {
  readonly charge: (orderId: string, amount: number) => Effect.Effect<string, GatewayUnavailable | CardDeclined>
}>() {}

const pause = (from: number, to: number) => Effect.flatMap(Random.nextIntBetween(from, to), Effect.sleep)
const oneIn = (n: number) => Effect.map(Random.nextIntBetween(0, n), (drawn) => drawn === 0)

/** Pretends to be a mail server; one mail in twenty is refused for the moment. */
export const SmtpLive = Layer.succeed(Smtp, {
  send: (email) =>
    Effect.zipRight(pause(40, 160), oneIn(20)).pipe(
      Effect.flatMap((busy) => busy ? new SmtpError({ code: 451 }) : Effect.succeed({ messageId: `<${email}>` }))
    )
})

/** Pretends to be a payment gateway: one call in three times out, and more than 10,000 is always declined. */
export const PaymentGatewayLive = Layer.succeed(PaymentGateway, {
  charge: (orderId, amount) =>
    Effect.gen(function*() {
      yield* pause(60, 200)
      if (amount > 10_000) return yield* new CardDeclined({ message: `${amount} is over the limit` })
      if (yield* oneIn(3)) return yield* new GatewayUnavailable({ message: "no answer from the gateway" })
      return `receipt-${orderId}`
    })
})

const steps = (count: number, what: string, each: Effect.Effect<void>) =>
  Effect.loop(1, {
    while: (step) => step <= count,
    step: (step) => step + 1,
    body: (step) => Effect.zipRight(each, TaskProgress.set(step / count, `${what} ${step} of ${count}`)),
    discard: true
  })

export const Handlers = Layer.mergeAll(
  SignupMail.toLayer(({ email }) =>
    Effect.flatMap(Smtp, (smtp) => Effect.zipRight(Effect.log("connecting to the mail server"), smtp.send(email)))
  ),
  Payment.toLayer(({ amount, orderId }) =>
    Effect.gen(function*() {
      const { attempt } = yield* TaskContext
      yield* TaskLog.info("charging", { amount, attempt })
      const receipt = yield* (yield* PaymentGateway).charge(orderId, amount)
      return { receipt }
    }).pipe(Effect.catchTag("CardDeclined", Task.unrecoverable)) // trying again would not help
  ),
  ImageResize.toLayer(({ url, width }) => Effect.as(steps(10, "tile", pause(20, 40)), { file: `${width}/${url}` })),
  MonthlyReport.toLayer(({ month }) =>
    Effect.as(Effect.zipRight(Effect.log("reading orders", month), steps(12, "page", pause(2_000, 3_000))), {
      pages: 12
    })
  ),
  SalesForecast.toLayer(Task.module(new URL("./forecast.worker.js", import.meta.url))),
  NightlyCleanup.toLayer(() => Effect.as(pause(200, 400), { removed: 0 })),
  TaskSchedule.layer(NightlyCleanup, { cron: "0 3 * * *", timezone: "Europe/Rome" })
).pipe(Layer.provide(Logger.minimumLogLevel(LogLevel.Warning))) // the console; records keep every line
