/** Runs a command line as this process: its streams, its signals, its exit code. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { messageOf } from "../internal/failureOf.js"
import { run } from "./app.js"
import { exit, Screen } from "./Screen.js"

// Whoever reads may have read enough, as `head` does: what comes then is for nobody, and what is done goes on.
const written = (stream: NodeJS.WriteStream, text: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    stream.write(text, () => resume(Effect.void))
  })

// The usual one writes between the lines of the answer.
const logger = Logger.replace(
  Logger.defaultLogger,
  Logger.map(Logger.logfmtLogger, (text) => {
    process.stderr.write(`${text}\n`)
  })
)

// Ended by a signal, as shells say it.
const signalled = 130

/** `argv` as Node.js has it. */
export const main = (argv: ReadonlyArray<string>): void => {
  const { stderr, stdout } = process
  for (const stream of [stdout, stderr]) stream.on("error", () => {})
  let serves = false
  const screen = Screen.of({
    out: (text) => written(stdout, `${text}\n`),
    note: (text) => written(stderr, `${text}\n`),
    live: stderr.isTTY ? (text) => written(stderr, text) : null,
    width: stdout.isTTY ? stdout.columns : null,
    color: stdout.isTTY && stderr.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    serving: () => {
      serves = true
    }
  })
  const program = run(argv.slice(2)).pipe(
    Effect.provide(Layer.mergeAll(NodeContext.layer, logger)),
    Effect.provideService(Screen, screen),
    // What matters of it the commands say themselves.
    Logger.withMinimumLogLevel(LogLevel.Error)
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (ended) => {
      if (Exit.isSuccess(ended)) process.exit(Number(ended.value))
      if (Cause.isInterrupted(ended.cause)) process.exit(serves ? exit.done : signalled)
      stderr.write(`effect-taskflow: ${messageOf(Cause.squash(ended.cause))}\n`)
      process.exit(exit.failed)
    }
  })
}
