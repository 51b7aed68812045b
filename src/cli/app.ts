/** The commands together, and one run of them: words in, what is shown on the Screen, and how it ended. */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { messageOf } from "../internal/failureOf.js"
import { version } from "../internal/version.js"
import { inOrder } from "./asking.js"
import { dashboard } from "./dashboard.js"
import { doctor } from "./doctor.js"
import { key } from "./key.js"
import { list } from "./list.js"
import { migrate } from "./migrate.js"
import { pause, resume } from "./pause.js"
import { scrubbed } from "./place.js"
import { prune } from "./prune.js"
import { type Ended, type Exit, exit, type Failure, Screen } from "./Screen.js"
import { show } from "./show.js"
import { cancel, retry } from "./steer.js"
import { lines } from "./text.js"

const name = "effect-taskflow"

const command = Command.make(name).pipe(
  Command.withDescription("Looks at the tasks of an application in their database, and steers them."),
  Command.withSubcommands([list, show, retry, cancel, pause, resume, prune, migrate, doctor, dashboard, key])
)

// The parser's own overview has every option of every command in one column.
const overview = `${name} ${version}: looks at the tasks of an application in their database, and steers them

  list      Show tasks, newest first
  show      Show one task: facts, attempts, error, log
  retry     Run failed, interrupted or cancelled tasks again, as new tasks
  cancel    Stop tasks that have not ended
  pause     Start no more tasks of a name, in all instances
  resume    End a pause
  prune     Remove finished tasks by age
  migrate   status, up: which tables there are, and making them
  doctor    Say what is wrong with a database, and what to do
  dashboard Serve the dashboard over a database
  key       Make an encryption key, or check those that are set

${name} COMMAND --help says more of each. The database: --url, or TASKFLOW_DATABASE.
--version, --completions bash|zsh|fish, --log-level debug`

const wantsOverview = (words: ReadonlyArray<string>): boolean =>
  words.length === 0 || (words.length === 1 && ["--help", "-h", "help"].includes(words[0]!))

const parsed = Command.run(command, {
  name,
  version,
  executable: name,
  summary: Span.text("durable background tasks")
})

const secretOptions = ["--url", "--auth"]

/** What the parser may repeat of a command line and nobody should read. */
const secretsIn = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.flatMap((word, index) => {
    const [option, value] = word.split(/=(.*)/s)
    const found = value === undefined ? words[index + 1] : value
    return secretOptions.includes(option!) && found !== undefined && found !== "" ? [found] : []
  })

// eslint-disable-next-line no-control-regex -- the codes of a terminal are control characters
const codes = /\u001b\[[0-9;]*m/g

/** Where the parser writes: help and completions to one side, what it did not understand to the other. */
const consoleOn = (screen: Screen["Type"], words: ReadonlyArray<string>): Console.Console => {
  const secrets = secretsIn(words)
  const told = (to: Screen["Type"]["out"], clean: (text: string) => string) => (...args: ReadonlyArray<unknown>) => {
    const text = clean(args.map(String).join(" ")).replace(/\s+$/, "")
    return to(screen.color ? text : text.replace(codes, ""))
  }
  const usual = Context.get(DefaultServices.liveServices, Console.Console)
  return {
    ...usual,
    log: told(screen.out, (text) => text),
    error: told(screen.note, (text) => scrubbed(text, { secrets }))
  }
}

type Problem = ValidationError.ValidationError | Failure | Ended

const codeOf = (error: Problem): Effect.Effect<Exit, never, Screen> => {
  // What the parser did not understand it has said.
  if (ValidationError.isValidationError(error)) return Effect.succeed(exit.usage)
  if (error._tag === "Ended") return Effect.succeed(error.code)
  return Effect.flatMap(Screen, ({ note }) => Effect.as(note(`${name}: ${lines(error.message)}`), error.code))
}

const understood = (given: ReadonlyArray<string>, screen: Screen["Type"]) =>
  parsed(["node", name, ...inOrder(given)]).pipe(
    Effect.as<Exit>(exit.done),
    Effect.catchAll((error: Problem) => codeOf(error)),
    Effect.catchAllCause((cause) => {
      if (Cause.isInterrupted(cause)) return Effect.failCause(cause)
      const defect = Option.getOrElse(Cause.dieOption(cause), () => cause)
      const words = scrubbed(messageOf(defect), { secrets: secretsIn(given) })
      return Effect.as(screen.note(`${name}: this is a mistake in ${name}: ${words}`), exit.failed)
    }),
    Effect.withConsole(consoleOn(screen, given)),
    Effect.provide(CliConfig.layer({ showTypes: false, isCaseSensitive: true }))
  )

/** Runs one command line, without the program's own name. */
export const run = (given: ReadonlyArray<string>) =>
  Effect.flatMap(
    Screen,
    (screen) => wantsOverview(given) ? Effect.as(screen.out(overview), exit.done) : understood(given, screen)
  )
