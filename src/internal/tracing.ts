/**
 * Whether spans are wanted, and those around an enqueue. Where no tracer is there nothing is opened: a span costs more than
 * the rest of an enqueue.
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as FiberRefs from "effect/FiberRefs"
import * as Tracer from "effect/Tracer"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { EnqueueResult } from "../TaskManager.js"
import * as TraceText from "./traceText.js"

// What the ref holds where nobody set it: one value for all copies of Effect in a process.
const defaultTracer = Context.get(
  FiberRefs.getOrDefault(FiberRefs.empty(), DefaultServices.currentServices),
  Tracer.Tracer
)

/** Whether a tracer was given: the default one makes spans that nobody sees. */
export const isGiven = (tracer: Tracer.Tracer): boolean => tracer !== defaultTracer

/** What all our spans say, by the semantic conventions for messaging. */
export const attributes = (operation: "send" | "process", taskName: string, instance: string | null) => ({
  "messaging.system": "effect-taskflow",
  "messaging.operation.name": operation === "send" ? "task.enqueue" : "task.run",
  "messaging.operation.type": operation,
  "messaging.destination.name": taskName,
  ...instance === null ? {} : { "messaging.client.id": instance }
})

/**
 * An effect that calls `body` with the text that its tasks are stored with, null where nothing is traced; in a span
 * `task.enqueue NAME` where spans are wanted. `cause`: the stored trace of the task that is done again.
 */
export type Sending = <A, E, R>(
  what: { readonly taskName: string; readonly cause?: string | null },
  body: (trace: string | null) => Effect.Effect<A, E, R>,
  told: (span: Tracer.Span, answer: A) => void
) => Effect.Effect<A, E, R>

/** For what enqueues one task. */
export const tellResult = (span: Tracer.Span, { _tag, taskId }: EnqueueResult): void => {
  span.attribute("messaging.message.id", taskId)
  span.attribute("taskflow.deduplicated", _tag === "Deduplicated")
}

/** For what enqueues many, all in one span. */
export const tellCount = (span: Tracer.Span, results: ReadonlyArray<EnqueueResult>): void => {
  span.attribute("messaging.batch.message_count", results.length)
}

export const sending = (
  { tracing: { mode } }: Pick<TaskflowConfig["Type"], "tracing">,
  instance: { readonly id: string }
): Sending => {
  if (mode === "off") return (_what, body) => Effect.suspend(() => body(null))
  return ({ cause = null, taskName }, body, told) =>
    Effect.withFiberRuntime((fiber) => {
      // Nobody would see the span, so the one that is there is passed on as it is.
      if (mode === "auto" && !isGiven(fiber.currentTracer)) {
        return body(fiber.currentSpan === undefined ? null : TraceText.write(fiber.currentSpan))
      }
      const before = TraceText.read(cause)
      const options: Tracer.SpanOptions = {
        kind: "producer",
        captureStackTrace: false,
        attributes: attributes("send", taskName, instance.id),
        links: before === null
          ? undefined
          : [{ _tag: "SpanLink", span: TraceText.toSpan(before), attributes: { "taskflow.link": "retry_of" } }]
      }
      return Effect.useSpan(`task.enqueue ${taskName}`, options, (span) =>
        Effect.map(
          Effect.withParentSpan(Effect.suspend(() => body(TraceText.write(span))), span),
          (answer) => {
            told(span, answer)
            return answer
          }
        ))
    })
}
