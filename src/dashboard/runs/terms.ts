/** The filter line as words: what is finished becomes a chip, the rest is still being written. Pure. */
import { parse } from "../../http/filter/parse.js"
import { print } from "../../http/filter/print.js"
import type { Term } from "../../http/filter/term.js"

export interface Chips {
  /** Each term as text that can stand in a filter. */
  readonly terms: ReadonlyArray<string>
  readonly parsed: ReadonlyArray<Term>
}

/** The terms of a filter that can be read; null for one that cannot. */
export const chipsOf = (q: string): Chips | null => {
  const parsed = parse(q)
  return parsed.ok ? { parsed: parsed.terms, terms: parsed.terms.map((term) => print([term])) } : null
}

/** What is wrong with a filter, for people; null when nothing is. */
export const problemOf = (q: string): string | null => {
  const parsed = parse(q)
  return parsed.ok ? null : parsed.errors[0]?.message ?? null
}

export const joined = (terms: ReadonlyArray<string>): string => terms.join(" ")

/** A chip in two parts: its key, said quietly, and the rest. */
export const partsOf = (term: string): readonly [string, string] => {
  const [whole = "", key = ""] = /^(-?[a-z]+[.:])/.exec(term) ?? []
  return key === "" || term.startsWith("\"") ? ["", term] : [whole, term.slice(whole.length)]
}
