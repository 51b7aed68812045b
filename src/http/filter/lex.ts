/**
 * Cuts a filter text into terms, keys and values. Total and linear: each character is passed at most twice. Plain
 * TypeScript, also for browsers.
 */
import { maxSteps, maxTerms, maxValues, type Problem } from "./term.js"

/** A value as written. `star`: a `*` behind it that is not quoted. */
export interface Word {
  readonly from: number
  readonly to: number
  readonly text: string
  readonly quoted: boolean
  readonly star: boolean
}

/** One term as written. Without a key it has one word, the text. */
export interface Lexeme {
  readonly from: number
  readonly to: number
  readonly negated: boolean
  readonly key: Span & { readonly name: string; readonly path: ReadonlyArray<string> } | null
  /** What stands before the `=` of a tag, or alone. */
  readonly tagName: Word | null
  readonly words: ReadonlyArray<Word>
}

interface Span {
  readonly from: number
  readonly to: number
}

export type Report = (problem: Omit<Problem, "token">) => void

const escapes: Readonly<Record<string, string>> = { "\"": "\"", "\\": "\\", n: "\n", r: "\r", t: "\t" }
const space = /\s/
const blank = /\s*/y
const dark = /\S*/y
// What ends a word depends on where it stands.
const inHead = /[^\s":]*/y
const inStep = /[^\s":.]*/y
const inTagName = /[^\s",=]*/y
const inValue = /[^\s",]*/y
const inQuotes = /[^"\\]*/y

/** Terms in order; those that are broken are reported and left out. */
export const lex = (text: string, report: Report): ReadonlyArray<Lexeme> => {
  let at = 0
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? ""
    at += found.length
    return found
  }
  const atEnd = () => at === text.length || space.test(text[at]!)

  /** Null when it is broken, which is reported. */
  const quoted = (): Word | null => {
    const from = at
    let value = ""
    let broken = false
    at += 1
    for (;;) {
      value += skip(inQuotes)
      if (at === text.length) {
        report({ from, to: at, message: "the closing \" is missing" })
        return null
      }
      if (text[at] === "\"") {
        at += 1
        return broken ? null : { from, to: at, text: value, quoted: true, star: false }
      }
      const next = text[at + 1] ?? ""
      const unit = next === "u" ? /^[0-9a-f]{4}$/i.exec(text.slice(at + 2, at + 6))?.[0] : undefined
      if (unit !== undefined) {
        value += String.fromCharCode(Number.parseInt(unit, 16))
        at += 6
      } else if (Object.hasOwn(escapes, next)) {
        value += escapes[next]
        at += 2
      } else {
        const message = "behind \\ stands one of \" \\ n r t u0000: write \\\\ for the \\ itself"
        report({ from: at, to: Math.min(text.length, at + 2), message })
        // The closing quote is still looked for, so that what follows is read as it was meant.
        broken = true
        at += 1
      }
    }
  }

  const bare = (pattern: RegExp): Word => {
    const from = at
    const found = skip(pattern)
    const star = found.endsWith("*")
    return { from, to: at, text: star ? found.slice(0, -1) : found, quoted: false, star }
  }

  const word = (pattern: RegExp): Word | null => {
    if (text[at] !== "\"") return bare(pattern)
    const found = quoted()
    if (found === null || text[at] !== "*") return found
    at += 1
    return { ...found, to: at, star: true }
  }

  /** Something follows where a term should be over. */
  const misplaced = (behind: string): null => {
    const from = at
    skip(dark)
    report({
      from,
      to: at,
      message: text[from] === "\""
        ? "a \" can only begin a value: put all of it in quotes, with \\\" for the \" itself"
        : `${behind} is expected here`
    })
    return null
  }

  const values = (): ReadonlyArray<Word> | null => {
    const found: Array<Word> = []
    for (;;) {
      const next = word(inValue)
      if (next === null) return null
      if (next.from === next.to) {
        report({ from: next.from, to: next.to, message: "a value is expected here; write \"\" for the empty one" })
        return null
      }
      if (found.length === maxValues) {
        report({ from: next.from, to: next.to, message: `one term has at most ${maxValues} values` })
        return null
      }
      found.push(next)
      if (atEnd()) return found
      if (text[at] !== ",") return misplaced("a space or a comma")
      at += 1
    }
  }

  const path = (): ReadonlyArray<string> | null => {
    const steps: Array<string> = []
    while (text[at] === ".") {
      at += 1
      const from = at
      const step = text[at] === "\"" ? quoted() : bare(inStep)
      if (step === null) return null
      if (!step.quoted && step.from === step.to) {
        report({ from: from - 1, to: at, message: "a step of the path is expected behind the ." })
        return null
      }
      if (steps.length === maxSteps) {
        report({ from, to: at, message: `a path has at most ${maxSteps} steps` })
        return null
      }
      steps.push(step.star ? `${step.text}*` : step.text)
    }
    return steps
  }

  const term = (): Lexeme | null => {
    const from = at
    const negated = text[at] === "-"
    if (negated) at += 1
    if (atEnd()) {
      report({ from, to: at, message: "a term is expected behind the -" })
      return null
    }
    const done = (key: Lexeme["key"], tagName: Word | null, words: ReadonlyArray<Word> | null): Lexeme | null =>
      words === null ? null : { from, to: at, negated, key, tagName, words }
    const start = at
    if (text[at] === "\"") {
      const found = word(inHead)
      return found === null ? null : atEnd() ? done(null, null, [found]) : misplaced("a space")
    }
    const isArgs = text.slice(at, at + 5).toLowerCase() === "args."
    let name = "args"
    if (isArgs) at += 4
    else {
      const found = bare(inHead)
      if (atEnd()) return done(null, null, [found])
      name = text.slice(start, at)
    }
    const steps = isArgs ? path() : []
    if (steps === null) return null
    const key = { from: start, to: at, name, path: steps }
    if (text[at] !== ":") {
      if (!isArgs || !atEnd()) return misplaced("a . or a :")
      report({ from: start, to: at, message: "a value is expected: args.path:value, or args.path:* for any" })
      return null
    }
    at += 1
    if (atEnd()) {
      report({ from: start, to: at, message: "a value is expected behind the :" })
      return null
    }
    if (name.toLowerCase() !== "tag") return done(key, null, values())
    const tagName = word(inTagName)
    if (tagName === null) return null
    if (atEnd()) return done(key, tagName, [])
    if (text[at] === ",") {
      report({ from: at, to: at + 1, message: "one tag is expected: tag:key=one,other for one of several values" })
      return null
    }
    if (text[at] !== "=") return misplaced("a space or a =")
    at += 1
    return done(key, tagName, values())
  }

  const found: Array<Lexeme> = []
  let count = 0
  for (skip(blank); at < text.length; skip(blank)) {
    const from = at
    if (count === maxTerms) {
      report({ from, to: text.length, message: `a filter has at most ${maxTerms} terms` })
      break
    }
    count += 1
    const next = term()
    if (next === null) skip(dark)
    else found.push(next)
  }
  return found
}
