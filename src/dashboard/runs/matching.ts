/**
 * Whether a run that the stream told of fits a filter, as far as its summary can tell. What it cannot tell (arguments, groups of
 * errors, a long error that was cut) is neither yes nor no: then only the server knows. Pure.
 */
import type { Pattern, Term } from "../../http/filter/term.js"
import type { Run } from "../api/types.js"

/** Null: only the server knows. */
export type Verdict = boolean | null

/** Errors in lists are cut at this length. */
const maxError = 500

const fits = (text: string, pattern: Pattern): boolean =>
  pattern.prefix ? text.startsWith(pattern.text) : text === pattern.text

const oneFits = (text: string | null | undefined, patterns: ReadonlyArray<Pattern>): boolean =>
  text !== null && text !== undefined && patterns.some((pattern) => fits(text, pattern))

const millis = (time: string | null): number | null => time === null ? null : Date.parse(time)

const compared = (value: number | null, comparison: string, to: number): boolean => {
  if (value === null) return false
  switch (comparison) {
    case ">":
      return value > to
    case ">=":
      return value >= to
    case "<":
      return value < to
    case "<=":
      return value <= to
    default:
      return value === to
  }
}

const durationOf = (run: Run, now: number): number | null =>
  run.duration ?? (run.startedAt === null ? null : Math.max(0, now - Date.parse(run.startedAt)))

const waitOf = (run: Run, now: number): number =>
  Math.max(0, (millis(run.startedAt) ?? millis(run.endedAt) ?? now) - (millis(run.runAt) ?? Date.parse(run.createdAt)))

const isCut = ({ error }: Run): boolean => error !== null && error.length >= maxError

const errorFits = (run: Run, values: ReadonlyArray<Pattern>): Verdict => {
  const error = run.error?.toLowerCase() ?? null
  if (error === null) return false
  const found = values.some(({ prefix, text }) =>
    prefix ? error.startsWith(text.toLowerCase()) : error.includes(text.toLowerCase())
  )
  return found || !isCut(run) ? found : null
}

const textFits = (run: Run, text: string): Verdict => {
  const wanted = text.toLowerCase()
  const places = [run.taskName, run.error ?? "", run.taskId, ...Object.values(run.tags)]
  const found = places.some((place) => place.toLowerCase().includes(wanted))
  return found || !isCut(run) ? found : null
}

const idFits = (id: string | null, values: ReadonlyArray<string>): boolean =>
  id !== null && values.some((value) => id === value || id.slice(-8) === value)

const momentOf = (moment: { readonly ago: number } | { readonly at: number }, now: number): number =>
  "at" in moment ? moment.at : now - moment.ago

const positive = (run: Run, term: Term, now: number): Verdict => {
  switch (term.key) {
    case "status":
      return term.values.some((status) =>
        status === run.status || status === "retrying" && run.status === "running" && run.nextAttemptAt !== null
      )
    case "source":
      return term.values.includes(run.source)
    case "executor":
      return term.values.includes(run.executor)
    case "task":
      return oneFits(run.taskName, term.values)
    case "schedule":
      return oneFits(run.schedule?.name, term.values)
    case "key":
      return oneFits(run.idempotencyKey, term.values)
    case "instance":
      return run.instance === null ? null : oneFits(run.instance, term.values)
    case "error":
      return errorFits(run, term.values)
    case "tag": {
      const value = run.tags[term.name]
      return value !== undefined && (term.values.length === 0 || oneFits(value, term.values))
    }
    case "id":
      return idFits(run.taskId, term.values)
    case "retryof":
      return idFits(run.retryOf, term.values)
    case "dur":
      return compared(durationOf(run, now), term.comparison, term.value)
    case "wait":
      return compared(waitOf(run, now), term.comparison, term.value)
    case "age":
      return compared(now - Date.parse(run.createdAt), term.comparison, term.value)
    case "attempts":
      return compared(run.attempts, term.comparison, term.value)
    case "retries":
      return compared(run.retriesUsed, term.comparison, term.value)
    case "priority":
      return compared(run.priority, term.comparison, term.value)
    case "since":
      return Date.parse(run.createdAt) >= momentOf(term.moment, now)
    case "until":
      return Date.parse(run.createdAt) < momentOf(term.moment, now)
    case "text":
      return textFits(run, term.text)
    case "group":
    case "args":
      return null
  }
}

/** Whether the run fits all terms. */
export const matches = (run: Run, terms: ReadonlyArray<Term>, now: number): Verdict => {
  let verdict: Verdict = true
  for (const term of terms) {
    const fit = positive(run, term, now)
    if (fit === null) verdict = null
    else if (fit === term.negated) return false
  }
  return verdict
}
