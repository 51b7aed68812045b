/**
 * Reads a filter text. Called by the server for `q`, and by the dashboard while a person types. Plain TypeScript, also for
 * browsers.
 *
 * Never throws, and takes time in proportion to the text.
 */
import { comparisonOf, countOf, momentOf, spanOf } from "./amounts.js"
import { lex, type Lexeme, type Report, type Word } from "./lex.js"
import { nearest } from "./nearest.js"
import { isJoin, print } from "./print.js"
import {
  choices,
  isKey,
  type Key,
  keys,
  maxLength,
  maxProblems,
  type Pattern,
  type Problem,
  type Term
} from "./term.js"

/** What reading a filter depends on. */
export interface ParseOptions {
  /** Whether whoever asks may not see payloads: then an `args.` term is refused. Default false. */
  readonly argumentsHidden?: boolean | undefined
}

/** The terms of a filter, or what is wrong with it and where. */
export type Parsed =
  | { readonly ok: true; readonly terms: ReadonlyArray<Term> }
  /** At most 10, in the order of the text. */
  | { readonly ok: false; readonly errors: ReadonlyArray<Problem> }

const longestToken = 100
const fullId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const shortId = /^[0-9a-f]{8}$/

const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

/** As it was written, without quotes and escapes. */
const written = (word: Word): string => word.star ? `${word.text}*` : word.text

const patternOf = (word: Word): Pattern => ({ text: word.text, prefix: word.star })

/** Each word read; null when one of them cannot be, which is reported. */
const readAll = <A>(words: ReadonlyArray<Word>, read: (word: Word) => A | null): ReadonlyArray<A> | null => {
  const found = words.map(read)
  return found.some((value) => value === null) ? null : found as ReadonlyArray<A> // safe: none is null
}

const choose = <A>(
  key: "status" | "source" | "executor",
  names: { readonly [name: string]: A },
  words: ReadonlyArray<Word>,
  report: Report
): ReadonlyArray<A> | null =>
  readAll(words, (word) => {
    const text = written(word)
    const name = text.toLowerCase()
    if (Object.hasOwn(names, name)) return names[name]!
    const meant = nearest(name, Object.keys(names))
    const others = Object.keys(names).filter((other) => other !== meant)
    const near = meant === undefined ? "" : `did you mean ${meant}? `
    const message = `${quoted(text)} is no ${key}: ${near}It is one of ${Object.keys(names).join(", ")}`
    report({ from: word.from, to: word.to, message, expected: meant === undefined ? others : [meant, ...others] })
    return null
  })

const oneOf = (lexeme: Lexeme, key: Key, report: Report): Word | null => {
  const [word, second] = lexeme.words
  if (second === undefined) return word ?? null
  report({ from: second.from, to: lexeme.to, message: `${key} takes one value` })
  return null
}

const compare = (
  lexeme: Lexeme,
  key: Key,
  read: (text: string) => number | null,
  expected: string,
  report: Report
) => {
  const word = oneOf(lexeme, key, report)
  if (word === null) return null
  const [comparison, rest] = comparisonOf(written(word))
  const value = read(rest)
  if (value !== null) return { comparison, value }
  report({ from: word.from, to: word.to, message: `${key}:${written(word).slice(0, 40)}: ${expected}` })
  return null
}

const unknownKey = (lexeme: Lexeme, name: string, text: string, report: Report): null => {
  const meant = nearest(name, keys)
  const near = meant === undefined ? `the keys are ${keys.join(", ")}` : `did you mean ${meant}?`
  const { from, to } = lexeme.key!
  report({
    from,
    to,
    message: name === ""
      ? `a key is expected before the : (${keys.join(", ")})`
      : `there is no key ${quoted(name)}: ${near} To search for the text itself, put it in quotes: ${
        quoted(text.slice(from, lexeme.to))
      }`,
    expected: meant === undefined ? keys : [meant, ...keys.filter((key) => key !== meant)]
  })
  return null
}

const searched = (lexeme: Lexeme, report: Report): Term | null => {
  const [word] = lexeme.words
  if (word === undefined) return null
  const { from, to } = word
  const refuse = (message: string): null => {
    report({ from, to, message })
    return null
  }
  if (word.star) return refuse("a text is searched for everywhere inside: leave out the *, or put it in quotes")
  if (word.text === "") return refuse("a text to search for is expected between the quotes")
  if (!word.quoted && isJoin(word.text)) {
    return refuse(
      `all terms must hold, so there is no ${word.text}: write key:one,other for one of several values, and -key:value ` +
        `for all others; to search for the word, put it in quotes`
    )
  }
  return { key: "text", negated: lexeme.negated, text: word.text }
}

const readTerm = (lexeme: Lexeme, text: string, options: ParseOptions, report: Report): Term | null => {
  if (lexeme.key === null) return searched(lexeme, report)
  const { negated, words } = lexeme
  const key = lexeme.key.name.toLowerCase()
  if (!isKey(key)) return unknownKey(lexeme, lexeme.key.name, text, report)
  switch (key) {
    case "status": {
      const values = choose(key, choices.status, words, report)
      return values === null ? null : { key, negated, values }
    }
    case "source": {
      const values = choose(key, choices.source, words, report)
      return values === null ? null : { key, negated, values }
    }
    case "executor": {
      const values = choose(key, choices.executor, words, report)
      return values === null ? null : { key, negated, values }
    }
    case "task":
    case "error":
    case "schedule":
    case "instance":
    case "key":
    case "group":
      return { key, negated, values: words.map(patternOf) }
    case "tag": {
      const name = lexeme.tagName!
      if (name.from < name.to && !name.star) return { key, negated, name: name.text, values: words.map(patternOf) }
      report({ from: name.from, to: name.to, message: "the key of a tag is expected: tag:key, or tag:key=value" })
      return null
    }
    case "args": {
      if (options.argumentsHidden !== true) return { key, negated, path: lexeme.key.path, values: words.map(patternOf) }
      report({
        from: lexeme.from,
        to: lexeme.to,
        message: "arguments are hidden here, so nothing can be asked of them"
      })
      return null
    }
    case "id":
    case "retryof": {
      const values = readAll(words, (word) => {
        const id = written(word).toLowerCase()
        if (fullId.test(id) || shortId.test(id)) return id
        const message = `${quoted(id)} is no id: all of it is expected, or its last 8 hexadecimal digits`
        report({ from: word.from, to: word.to, message })
        return null
      })
      return values === null ? null : { key, negated, values }
    }
    case "dur":
    case "wait":
    case "age": {
      const found = compare(lexeme, key, spanOf, `a span with its unit is expected (ms, s, m, h, d), as >5s`, report)
      return found === null ? null : { key, negated, ...found }
    }
    case "attempts":
    case "retries":
    case "priority": {
      const read = (text: string) => countOf(text, key === "priority" ? "negative" : 0)
      const found = compare(lexeme, key, read, "a whole number is expected, as >=2", report)
      return found === null ? null : { key, negated, ...found }
    }
    case "since":
    case "until": {
      const word = oneOf(lexeme, key, report)
      if (word === null) return null
      const moment = momentOf(written(word))
      if (moment !== null) return { key, negated, moment }
      const message =
        `${key}:${written(word).slice(0, 40)}: a span is expected, as 6h; or a date, or a time with its ` +
        `zone, as 2026-01-31T08:00Z`
      report({ from: word.from, to: word.to, message })
      return null
    }
  }
}

/** The terms of a text; or what is wrong with it, as much as can be said at once. */
export const parse = (text: string, options: ParseOptions = {}): Parsed => {
  const errors: Array<Problem> = []
  const report: Report = (problem) => {
    if (errors.length === maxProblems) return
    errors.push({ ...problem, token: text.slice(problem.from, Math.min(problem.to, problem.from + longestToken)) })
  }
  if (text.length > maxLength) {
    report({ from: maxLength, to: text.length, message: `a filter has at most ${maxLength} characters` })
    return { ok: false, errors }
  }
  const terms = lex(text, report).flatMap((lexeme) => readTerm(lexeme, text, options, report) ?? [])
  if (errors.length > 0) return { ok: false, errors: errors.sort((one, other) => one.from - other.from) }
  // Its printed form is what others are told, so it must be one that can be read.
  if (print(terms).length > maxLength) {
    report({ from: 0, to: text.length, message: `a filter has at most ${maxLength} characters, escapes counted` })
    return { ok: false, errors }
  }
  return { ok: true, terms }
}
