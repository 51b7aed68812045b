/** Options that several commands have. */
import * as Options from "@effect/cli/Options"
import { prefixVariable, urlVariable } from "./database.js"
import { expected } from "./place.js"

/** Which database. */
export const database = {
  url: Options.redacted("url").pipe(
    Options.withPseudoName("url"),
    Options.withDescription(`The database: ${expected}. Default: ${urlVariable}.`),
    Options.optional
  ),
  prefix: Options.text("prefix").pipe(
    Options.withDescription(
      `What the names of its tables, or keys, begin with. Default: ${prefixVariable}, else taskflow_, on Redis taskflow.`
    ),
    Options.optional
  )
}

export const json = Options.boolean("json").pipe(Options.withDescription("Answer in JSON."))

export const filter = Options.text("filter").pipe(
  Options.withAlias("f"),
  Options.withDescription("Which tasks, as status:failed task:mail since:1d. See the page on filters."),
  Options.optional
)

export const dryRun = Options.boolean("dry-run").pipe(Options.withDescription("Only say what would be done."))

export const yes = Options.boolean("yes").pipe(
  Options.withAlias("y"),
  Options.withDescription("Do it. Without it nothing is changed when more than one task is meant.")
)

export const by = Options.text("by").pipe(
  Options.withDescription("Who asks, for the audit trail. Default: cli: and the name of the user."),
  Options.optional
)

/** Flags of ours and of every command: an option that is none of these takes the word behind it. */
export const flags: ReadonlySet<string> = new Set([
  "--json",
  "--dry-run",
  "--yes",
  "-y",
  "--all",
  "--list",
  "--arguments",
  "--check",
  "--logs",
  "--read-only",
  "--help",
  "-h",
  "--version",
  "--wizard"
])

const groups: ReadonlySet<string> = new Set(["migrate"])

/**
 * The words of a command line with its options in front of its arguments, where the parser wants them: people write
 * `retry ID --url …` as often as the other way round.
 */
export const inOrder = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const options: Array<string> = []
  const others: Array<string> = []
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!
    if (word === "--") {
      others.push(...words.slice(index + 1))
      break
    }
    // A lone "-" is a value.
    if (!/^-./.test(word)) {
      others.push(word)
      continue
    }
    options.push(word)
    const value = words[index + 1]
    if (!flags.has(word) && !word.includes("=") && value !== undefined) {
      options.push(value)
      index += 1
    }
  }
  const names = others.slice(0, groups.has(others[0] ?? "") ? 2 : 1)
  return [...names, ...options, ...others.slice(names.length)]
}
