/**
 * Terms as text, in one form: what `parse` reads back as the same terms. It holds no control characters and no half of a
 * pair of surrogates, so it can stand in an address. Plain TypeScript, also for browsers.
 */
import { printMoment, printSpan } from "./amounts.js"
import type { Pattern, Term } from "./term.js"

const plain = /^[\p{L}\p{N}_./@#%+&~!?$-]+$/u
const plainStep = /^[\p{L}\p{N}_-]+$/u

/** Words that would be taken for what this language has not. */
export const isJoin = (text: string): boolean => text === "OR" || text === "AND" || text === "NOT"

const unit = (code: number): string => `\\u${code.toString(16).padStart(4, "0")}`

// In a `u` pattern a surrogate is found only where its other half is missing.
const escaped = (text: string): string =>
  text.replace(/["\\]/g, "\\$&").replace(/[\p{Cc}\p{Cs}]/gu, (found) => unit(found.charCodeAt(0)))

const quote = (text: string): string => `"${escaped(text)}"`

/** A value as it stands behind a `:`, a `,` or a `=`: in quotes where it must be. */
export const printValue = (text: string): string => plain.test(text) ? text : quote(text)

const printPattern = ({ prefix, text }: Pattern): string => {
  if (!prefix) return printValue(text)
  return text === "" ? "*" : `${printValue(text)}*`
}

const printStep = (step: string): string => plainStep.test(step) ? step : quote(step)

/** A word that is searched for. */
const printText = (text: string): string =>
  plain.test(text) && !text.startsWith("-") && !isJoin(text) && !/^args\./i.test(text) ? text : quote(text)

const list = <A>(values: ReadonlyArray<A>, one: (value: A) => string): string => values.map(one).join(",")

const printPositive = (term: Term): string => {
  switch (term.key) {
    case "status":
    case "executor":
      return `${term.key}:${term.values.join(",")}`
    case "source":
      return `source:${list(term.values, (source) => source === "scheduled" ? "schedule" : source)}`
    case "task":
    case "error":
    case "schedule":
    case "instance":
    case "key":
    case "group":
      return `${term.key}:${list(term.values, printPattern)}`
    case "tag": {
      const name = `tag:${printValue(term.name)}`
      return term.values.length === 0 ? name : `${name}=${list(term.values, printPattern)}`
    }
    case "args":
      return `${["args", ...term.path.map(printStep)].join(".")}:${list(term.values, printPattern)}`
    case "id":
    case "retryof":
      return `${term.key}:${term.values.join(",")}`
    case "dur":
    case "wait":
    case "age":
      return `${term.key}:${term.comparison === "=" ? "" : term.comparison}${printSpan(term.value)}`
    case "attempts":
    case "retries":
    case "priority":
      return `${term.key}:${term.comparison === "=" ? "" : term.comparison}${term.value}`
    case "since":
    case "until":
      return `${term.key}:${printMoment(term.moment)}`
    case "text":
      return printText(term.text)
  }
}

/** The terms with a space between; empty without any. */
export const print = (terms: ReadonlyArray<Term>): string =>
  terms.map((term) => `${term.negated ? "-" : ""}${printPositive(term)}`).join(" ")
