/**
 * The span of one attempt: `task.run NAME`, child of the span that the task was enqueued in, or linked to it.
 *
 * A task may wait for days and run in several processes, and a span lives in one: so each attempt is a span of its own, and
 * the attempts of a task are siblings. A tracer that throws costs its span, never the task.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import type { TaskEvent, TaskFailure } from "../TaskEvent.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as TraceText from "./traceText.js"
import { attributes, isGiven } from "./tracing.js"

export interface AttemptSpan {
  readonly span: Tracer.Span
  /** How the handler's effect ended, where it did not succeed. */
  cause: Cause.Cause<unknown>
  /** The attempt is over: this is when it ends, whenever what became of it is known. */
  readonly stop: () => void
  /** Ends it by what became of the attempt; null: that counts for nobody. Further calls do nothing. */
  readonly end: (event: TaskEvent | null) => void
}

const outcomes: { readonly [Tag in TaskEvent["_tag"]]?: string } = {
  Succeeded: "success",
  AttemptFailed: "retrying",
  Failed: "failed",
  Snoozed: "snoozed",
  Cancelled: "cancelled",
  Requeued: "requeued",
  Interrupted: "interrupted"
}

const failed = ({ kind, message, name }: TaskFailure, cause: Cause.Cause<unknown>): Exit.Exit<never, unknown> => {
  const isOwn = !Cause.isEmpty(cause) && !Cause.isInterruptedOnly(cause) && kind !== "undecodable"
  if (isOwn) return Exit.failCause(cause)
  // A timeout interrupts, and what did not fit never ran: its cause is our own, as nobody else is told of it.
  const error = new Error(message)
  error.name = name
  return Exit.fail(error)
}

class AttemptSpanImpl implements AttemptSpan {
  cause: Cause.Cause<unknown> = Cause.empty
  private ended = false
  private stoppedAt: bigint | null = null

  constructor(readonly span: Tracer.Span, private readonly now: () => bigint) {}

  private finish(event: TaskEvent | null, exit: Exit.Exit<unknown, unknown>): void {
    this.span.attribute("taskflow.outcome", event === null ? "lost" : outcomes[event._tag])
    this.span.end(this.stoppedAt ?? this.now(), exit)
  }

  stop(): void {
    this.stoppedAt ??= this.now()
  }

  end(event: TaskEvent | null): void {
    if (this.ended) return
    this.ended = true
    const failure = event !== null && "failure" in event ? event.failure : null
    try {
      if (failure === null) return this.finish(event, Exit.void)
      this.span.attribute("error.type", failure.name)
      this.finish(event, failed(failure, this.cause))
    } catch {
      // The error that was thrown cannot be shown, or the tracer is broken.
      try {
        this.finish(event, failure === null ? Exit.void : failed(failure, Cause.empty))
      } catch {
        // Then without.
      }
    }
  }
}

/** Opens the span of an attempt, or answers null where none is wanted. */
export type Opening = (record: TaskRecord) => AttemptSpan | null

const none: Opening = () => null

/** For the attempts of one handler: what its runtime says about tracing is read once. */
export const make = (
  { mode, parent: relation }: TaskflowConfig["Type"]["tracing"],
  clock: Clock.Clock,
  { fiberRefs }: Runtime.Runtime<never>
): Opening => {
  if (mode === "off" || !FiberRefs.getOrDefault(fiberRefs, FiberRef.currentTracerEnabled)) return none
  const tracer = Context.get(FiberRefs.getOrDefault(fiberRefs, DefaultServices.currentServices), Tracer.Tracer)
  const timed = FiberRefs.getOrDefault(fiberRefs, FiberRef.currentTracerTimingEnabled)
  const now = timed ? () => clock.unsafeCurrentTimeNanos() : () => BigInt(0)
  const annotations = HashMap.toEntries(FiberRefs.getOrDefault(fiberRefs, FiberRef.currentTracerSpanAnnotations))
  const given = Array.from(FiberRefs.getOrDefault(fiberRefs, FiberRef.currentTracerSpanLinks))
  const always = mode === "on" || isGiven(tracer)

  const open = (record: TaskRecord): AttemptSpan | null => {
    const stored = TraceText.read(record.trace)
    if (stored === null && !always) return null
    const sent = stored === null ? null : TraceText.toSpan(stored)
    const isChild = sent !== null && relation === "child"
    const links: ReadonlyArray<Tracer.SpanLink> = sent === null || isChild
      ? given
      : [...given, { _tag: "SpanLink", span: sent, attributes: { "taskflow.link": "enqueue" } }]
    const span = tracer.span(
      `task.run ${record.taskName}`,
      isChild ? Option.some(sent) : Option.none(),
      Context.empty(),
      links,
      now(),
      "consumer",
      // Without a parent it begins a trace, whatever happens to be active where the engine goes on.
      isChild ? undefined : { root: true }
    )
    for (const [key, value] of annotations) span.attribute(key, value)
    for (const [key, value] of Object.entries(attributes("process", record.taskName, record.owner))) {
      span.attribute(key, value)
    }
    span.attribute("messaging.message.id", record.taskId)
    span.attribute("taskflow.attempt", record.attempts)
    span.attribute("taskflow.claim", record.claim)
    span.attribute("taskflow.source", record.source)
    return new AttemptSpanImpl(span, now)
  }
  return (record) => {
    try {
      return open(record)
    } catch {
      return null
    }
  }
}
