/**
 * The logger that turns `Effect.log*` inside a handler into log lines of its task.
 *
 * Put into the fiber refs once per handler, not around each attempt: it finds the task in the logging fiber's own refs.
 */
import * as Cause from "effect/Cause"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { currentAttempt } from "../TaskContext.js"
import type { LogLevel as TaskLogLevel } from "../TaskEvent.js"
import { setRef } from "./fiberRefs.js"
import { logged } from "./logged.js"

const levels: { readonly [Level in TaskLogLevel]: LogLevel.LogLevel } = {
  debug: LogLevel.Trace,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error
}

const storedLevel = (level: LogLevel.LogLevel): TaskLogLevel => {
  if (LogLevel.greaterThanEqual(level, LogLevel.Error)) return "error"
  if (LogLevel.greaterThanEqual(level, LogLevel.Warning)) return "warning"
  return LogLevel.greaterThanEqual(level, LogLevel.Info) ? "info" : "debug"
}

const text = (message: unknown): string =>
  typeof message === "string" ? message : Inspectable.toStringUnknown(logged(message), 0)

const recordLogger = (minimum: LogLevel.LogLevel) =>
  Logger.make<unknown, void>(({ annotations, cause, context, logLevel, message }) => {
    if (LogLevel.lessThan(logLevel, minimum)) return
    const attempt = FiberRefs.getOrDefault(context, currentAttempt)
    if (Option.isNone(attempt)) return
    const parts = Array.isArray(message) ? message.map(text) : [text(message)]
    if (!Cause.isEmpty(cause)) parts.push(Cause.pretty(cause, { renderErrorCause: true }))
    attempt.value.log(storedLevel(logLevel), parts.join(" "), Object.fromEntries(HashMap.toEntries(annotations)))
  })

/**
 * Fiber refs like the given ones that also record lines from `level` up. What the other loggers show does not change:
 * where the minimum level has to be lowered to see a line, they are wrapped to keep theirs.
 */
export const captureLogs = (refs: FiberRefs.FiberRefs, level: TaskLogLevel): FiberRefs.FiberRefs => {
  const minimum = levels[level]
  const shown = FiberRefs.getOrDefault(refs, FiberRef.currentMinimumLogLevel)
  const loggers = FiberRefs.getOrDefault(refs, FiberRef.currentLoggers)
  const lowered = LogLevel.lessThan(minimum, shown)
  const kept: typeof loggers = lowered
    ? HashSet.map(
      loggers,
      (logger) =>
        Logger.make<unknown, unknown>((options) =>
          LogLevel.greaterThanEqual(options.logLevel, shown) ? logger.log(options) : undefined
        )
    )
    : loggers
  const withLoggers = setRef(refs, FiberRef.currentLoggers, HashSet.add(kept, recordLogger(minimum)))
  return lowered ? setRef(withLoggers, FiberRef.currentMinimumLogLevel, minimum) : withLoggers
}
