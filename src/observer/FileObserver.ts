/**
 * Writes what happens to tasks to a file, and rotates it or follows those who do.
 *
 * Lines are written as soon as the write before is done, many at once when there are many. While the file cannot be written
 * (disk full, no permission) they wait; that is said once, and when it is over.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { globalValue } from "effect/GlobalValue"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { observe, type Observing, settingsOf, type Source } from "../internal/observing.js"
import { inWords } from "../internal/shown.js"
import { TaskflowWiringError } from "../TaskError.js"
import type { LogLevel } from "../TaskEvent.js"
import { TaskManager } from "../TaskManager.js"
import type { Lifecycle } from "../TaskObserver.js"
import { textOf } from "./lines.js"
import * as LogFile from "./logFile.js"

/** Which file, what to write, and who rotates it. */
export interface FileObserverOptions {
  /** Directories are made. One observer a file in a process. */
  readonly path: string
  /**
   * `rotate`: by us, for one process a file. `watched`: by others (logrotate), and the file is opened anew when another one is
   * at its path or it shrank. Default rotate.
   */
  readonly mode?: "rotate" | "watched" | undefined
  /** The size the file may reach before it becomes `path.1`. Default 10,485,760; 0 never rotates. */
  readonly maxBytes?: number | undefined
  /** How many old files are kept, `path.1` the newest. Default 5; 0 never rotates. */
  readonly backupCount?: number | undefined
  /** Which steps are written beside log lines. Default false. */
  readonly lifecycle?: Lifecycle | undefined
  /** The lowest level written, of lines and of steps. Default info. */
  readonly minLevel?: LogLevel | undefined
  /** Events that wait to be written; of more, the oldest are dropped and counted. Default 4,096. */
  readonly buffer?: number | undefined
}

// Lines in one write.
const atOnce = 1_000

const inUse = globalValue(Symbol.for("effect-taskflow/FileObserver/inUse"), () => new Set<string>())

// Without waiting, so that an observer that is built beside others hears of what they do first.
const realpath = (name: string) => Effect.try(() => fs.realpathSync(name))

// One name for a file that is reached by several.
const canonical = (name: string): Effect.Effect<string> => {
  const folder = path.dirname(path.resolve(name))
  return Effect.try(() => fs.mkdirSync(folder, { recursive: true })).pipe(
    Effect.ignore,
    Effect.zipRight(realpath(name)),
    Effect.orElse(() => Effect.map(realpath(folder), (real) => path.join(real, path.basename(name)))),
    Effect.orElseSucceed(() => path.resolve(name))
  )
}

// Two writers would each rotate what the other has open.
const claim = (name: string) =>
  Effect.acquireRelease(
    Effect.flatMap(canonical(name), (file) => {
      if (inUse.has(file)) {
        const message = `two observers write to ${name}: give each a file of its own, or use one observer`
        return Effect.die(new TaskflowWiringError({ message }))
      }
      inUse.add(file)
      return Effect.succeed(file)
    }),
    (file) => Effect.sync(() => inUse.delete(file))
  )

const wholeFromZero = (name: string, value: number): number => {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError(`FileObserver: ${name} is ${inWords(value)}: a whole number from 0`)
}

const write = (name: string, file: LogFile.LogFile, observing: Observing): Effect.Effect<void> => {
  const until = (self: Effect.Effect<void, LogFile.FileTrouble>, failures: number): Effect.Effect<void> =>
    Effect.matchEffect(self, {
      onFailure: ({ message }) =>
        Effect.sync(observing.countFailure).pipe(
          Effect.zipRight(
            failures > 0
              ? Effect.void
              : Effect.logError(
                `cannot write the log file ${name}: ${message}; lines wait, and beyond the buffer are lost`
              )
          ),
          Effect.zipRight(observing.backOff(failures + 1)),
          Effect.flatMap(() => until(self, failures + 1))
        ),
      onSuccess: () =>
        failures === 0
          ? Effect.void
          : Effect.logInfo(`the log file ${name} is written again, after ${failures} failures`)
    })
  const round: Effect.Effect<void> = Effect.flatMap(observing.buffer.take(atOnce), (events) => {
    if (events.length === 0) return Effect.void
    file.add(events.map(textOf))
    return Effect.zipRight(until(file.flush, 0), round)
  })
  return Effect.ensuring(
    Effect.zipRight(until(file.ready, 0), round),
    Effect.suspend(() => {
      observing.lost(file.pending())
      return file.close
    })
  )
}

/** Writes what `source` tells until the scope closes. Dies with `TaskflowWiringError` when the file has a writer here. */
export const make = (
  source: Source,
  options: FileObserverOptions
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { backupCount = 5, lifecycle = false, maxBytes = 10_485_760, minLevel = "info", mode = "rotate" } = options
    const name = options.path
    const settings = settingsOf({ name: `file:${name}`, lifecycle, minLevel, buffer: options.buffer })
    const file = {
      path: path.resolve(name),
      mode,
      maxBytes: wholeFromZero("maxBytes", maxBytes),
      backupCount: wholeFromZero("backupCount", backupCount)
    }
    yield* claim(name)
    yield* observe(
      source,
      settings,
      (observing) =>
        Effect.suspend(() => {
          const rotationFailed = ({ message }: LogFile.FileTrouble) =>
            Effect.zipRight(
              Effect.sync(observing.countFailure),
              Effect.logError(`cannot rotate the log file ${name}: ${message}; it grows, the next try is in a minute`)
            )
          return write(name, LogFile.make(file, rotationFailed), observing)
        }),
      Effect.void
    )
  })

/** Writes to the file until the layer closes. Its name in logs and metrics is `file:` and the path. */
export const layer = (options: FileObserverOptions): Layer.Layer<never, never, TaskManager> =>
  Layer.scopedDiscard(Effect.flatMap(TaskManager, (manager) => make(manager, options)))
