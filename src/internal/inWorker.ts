/**
 * An attempt whose handler runs in a worker, seen from here: its payload goes as it is, its result comes back as it is, and
 * what it failed with, logged and said of its progress becomes what a handler here would have done.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Runtime from "effect/Runtime"
import type { WorkerError, WorkerJob, WorkerListener, WorkerOutcome } from "../executor/job.js"
import type { TaskExecutor } from "../TaskExecutor.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { ModuleHandler, Registered, WorkerKind } from "../TaskRegistry.js"
import type { LiveAttempt } from "./attempt.js"
import { Misfit } from "./codec.js"
import { tellCause } from "./failureOf.js"
import * as Sealed from "./sealed.js"

/** From the payload of an attempt to the text of its result. */
export type Handled = (attempt: LiveAttempt) => Effect.Effect<string | null, unknown>

const levels: { readonly [Level in Parameters<WorkerListener["log"]>[0]]: LogLevel.LogLevel } = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error
}

const jobOf = (
  { current, record }: LiveAttempt,
  { ref }: { ref: WorkerJob["module"] },
  config: TaskflowConfig["Type"]
) => ({
  module: ref,
  payload: record.payload,
  maxResultSize: config.maxPayloadSize,
  logLevel: config.logs.level,
  context: {
    taskId: record.taskId,
    taskName: record.taskName,
    tags: record.tags,
    source: record.source,
    schedule: record.schedule,
    attempt: current.attempt,
    instance: current.instance,
    fence: current.fence
  }
})

// As a line of the attempt itself: the loggers in force here show it, and the record keeps it.
const listenerOf = (attempt: LiveAttempt, runtime: Runtime.Runtime<never>): WorkerListener => ({
  started: () => attempt.arm(),
  log: (level, message, annotations) =>
    Exit.getOrElse(
      Runtime.runSyncExit(runtime, Effect.annotateLogs(Effect.logWithLevel(levels[level], message), annotations)),
      (cause) => {
        throw Cause.squash(cause)
      }
    ),
  progress: (progress) => attempt.progress(progress)
})

// With its name and stack there. What it shows here, the place where it was put together again, says nothing.
const withStack = (error: unknown, { cause, stack }: WorkerError): unknown => {
  if (cause !== undefined) tellCause(error, cause)
  if (error instanceof Error) {
    Object.defineProperty(error, "stack", { configurable: true, value: stack, writable: true })
  }
  return error
}

const defectOf = (shown: WorkerError): unknown => {
  const error = new Error(shown.message)
  error.name = shown.name
  return withStack(error, shown)
}

export const make = ({ config, executor, handler, registered: { definition } }: {
  readonly config: TaskflowConfig["Type"]
  readonly executor: TaskExecutor["Type"]
  readonly registered: Registered
  readonly handler: ModuleHandler & { readonly executor: WorkerKind }
}): Handled => {
  const failed = ({ error, final, shown }: WorkerOutcome & { readonly _tag: "Failure" }, attempt: LiveAttempt) =>
    Effect.matchEffect(
      definition.error === null
        ? Effect.fail(new Misfit({ path: "", message: "it has none" }))
        : definition.error.decode(error),
      {
        onFailure: ({ message, path }) =>
          Effect.die(
            new Error(
              `${shown.name} came from the worker and does not fit the task's error schema${
                path === "" ? "" : ` at ${path}`
              }: ` +
                `${message}: the module has another definition of the task`
            )
          ),
        onSuccess: (value) => {
          const typed = withStack(value, shown)
          if (final) attempt.giveUpOn(typed)
          return Effect.fail(typed)
        }
      }
    )

  const ended = (outcome: WorkerOutcome, attempt: LiveAttempt): Effect.Effect<string | null, unknown> => {
    switch (outcome._tag) {
      // The worker knows the largest size and answers with a defect beyond it.
      case "Success":
        return Effect.succeed(outcome.result)
      case "Failure":
        return failed(outcome, attempt)
      case "Defect": {
        const defect = defectOf(outcome.shown)
        if (outcome.final) attempt.giveUpOn(defect)
        return Effect.die(defect)
      }
      case "Undecodable":
        return Effect.fail(new Misfit({ path: "", message: outcome.message }))
      case "Snoozed":
        return Effect.zipRight(Effect.sync(() => attempt.snooze(outcome.millis)), Effect.interrupt)
    }
  }

  return (attempt) =>
    // Nobody here can read it, so neither can the worker.
    Sealed.isSealed(attempt.record.payload)
      ? Effect.fail(new Misfit({ path: "", message: "it is encrypted" }))
      : Effect.flatMap(Effect.runtime<never>(), (runtime) =>
        Effect.flatMap(
          executor.run(handler.executor, jobOf(attempt, handler, config), listenerOf(attempt, runtime)),
          (outcome) => ended(outcome, attempt)
        ))
}
