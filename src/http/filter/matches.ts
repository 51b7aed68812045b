/**
 * Whether a task fits a filter: the whole meaning of the language, as a predicate over records. What the backends' indexes
 * answer must agree with it.
 */
import { fingerprintOf } from "../../internal/fingerprint.js"
import { shortOf } from "../../TaskId.js"
import * as TaskRecord from "../../TaskRecord.js"
import type { Comparison, Moment, Pattern, Term } from "./term.js"

/** What a filter is compared with beside the record. */
export interface FilterFacts {
  /** Epoch milliseconds. */
  readonly now: number
  /**
   * The payload of a task as JSON, as far as whoever asks may see it: secrets replaced, undefined when it is hidden. Without
   * this function all payloads are hidden.
   */
  readonly payloadOf?: ((record: TaskRecord.TaskRecord) => unknown) | undefined
}

/** Whether a task fits. */
export type Predicate = (record: TaskRecord.TaskRecord) => boolean

/** From the first start to the end; of a running task to `now`. Milliseconds, null for a task of neither kind. */
export const durationAt = (record: TaskRecord.TaskRecord, now: number): number | null =>
  TaskRecord.durationOf(record) ??
    (record.status === "running" && record.startedAt !== null ? Math.max(0, now - record.startedAt) : null)

/** From when it might have started to its first start; of a pending task to `now`. Milliseconds, null if it never starts. */
export const waitAt = (record: TaskRecord.TaskRecord, now: number): number | null => {
  const due = Math.max(record.createdAt, record.runAt ?? record.createdAt)
  const until = record.startedAt ?? (record.status === "pending" ? now : null)
  return until === null ? null : Math.max(0, until - due)
}

/** Epoch milliseconds. */
export const momentAt = (moment: Moment, now: number): number => "ago" in moment ? now - moment.ago : moment.at

const fits = (pattern: Pattern, text: string): boolean =>
  pattern.prefix ? text.startsWith(pattern.text) : text === pattern.text

/** Whether the text is there and fits one of them. */
export const fitsAny = (patterns: ReadonlyArray<Pattern>, text: string | null | undefined): boolean =>
  text !== null && text !== undefined && patterns.some((pattern) => fits(pattern, text))

const compares = (value: number | null, comparison: Comparison, other: number): boolean => {
  if (value === null) return false
  switch (comparison) {
    case ">":
      return value > other
    case ">=":
      return value >= other
    case "<":
      return value < other
    case "<=":
      return value <= other
    case "=":
      return value === other
  }
}

const lower = (text: string): string => text.toLowerCase()

// A name that every object has is no tag and no property of a payload.
const own = (value: object, key: string): unknown =>
  // safe: a key that the value has itself
  Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined

const isIndex = /^\d{1,9}$/

const isAny = (patterns: ReadonlyArray<Pattern>): boolean => patterns.some(({ prefix, text }) => prefix && text === "")

// Deeper than people nest lists, and far from the end of the stack.
const maxArrays = 16

/** Whether one of the values at the path fits. A step that is no index goes into every element of an array. */
const fitsAt = (
  patterns: ReadonlyArray<Pattern>,
  value: unknown,
  path: ReadonlyArray<string>,
  arrays = 0
): boolean => {
  if (value === undefined || arrays > maxArrays) return false
  const [step, ...steps] = path
  if (Array.isArray(value)) {
    if (step !== undefined && isIndex.test(step)) return fitsAt(patterns, value[Number(step)], steps, arrays)
    return value.some((inner) => fitsAt(patterns, inner, path, arrays + 1)) || step === undefined && isAny(patterns)
  }
  if (typeof value === "object" && value !== null) {
    // An object has no text, but it is there.
    return step === undefined ? isAny(patterns) : fitsAt(patterns, own(value, step), steps, arrays)
  }
  return step === undefined && fitsAny(patterns, String(value))
}

const hasText = (text: string): Predicate => {
  const wanted = lower(text)
  const has = (where: string | undefined): boolean => where !== undefined && lower(where).includes(wanted)
  return (record) =>
    has(record.taskName) || has(record.failure?.message) || has(record.taskId) || Object.values(record.tags).some(has)
}

const hasError = (patterns: ReadonlyArray<Pattern>): Predicate => {
  const wanted = patterns.map(({ prefix, text }) => ({ prefix, text: lower(text) }))
  return ({ failure }) => {
    if (failure === null) return false
    const message = lower(failure.message)
    return wanted.some(({ prefix, text }) => prefix ? message.startsWith(text) : message.includes(text))
  }
}

const hasId = (ids: ReadonlyArray<string>, id: string | null): boolean =>
  id !== null && (ids.includes(id) || ids.includes(shortOf(id)))

/** What the term says without its negation. */
const positive = (term: Term, { now }: FilterFacts): Predicate => {
  switch (term.key) {
    case "status":
      return (record) =>
        term.values.some((status) => status === "retrying" ? TaskRecord.isWaiting(record) : status === record.status)
    case "source":
      return ({ source }) => term.values.includes(source)
    case "executor":
      return ({ executor }) => term.values.includes(executor)
    case "task":
      return ({ taskName }) => fitsAny(term.values, taskName)
    case "error":
      return hasError(term.values)
    case "schedule":
      return ({ schedule }) => fitsAny(term.values, schedule?.name)
    case "instance":
      return ({ instance }) => fitsAny(term.values, instance)
    case "key":
      return ({ idempotencyKey }) => fitsAny(term.values, idempotencyKey)
    case "group":
      return (record) => fitsAny(term.values, fingerprintOf(record)?.fingerprint)
    case "tag":
      return ({ tags }) =>
        Object.hasOwn(tags, term.name) && (term.values.length === 0 || fitsAny(term.values, tags[term.name]))
    case "args":
      return () => false
    case "id":
      return ({ taskId }) => hasId(term.values, taskId)
    case "retryof":
      return ({ retryOf }) => hasId(term.values, retryOf)
    case "dur":
      return (record) => compares(durationAt(record, now), term.comparison, term.value)
    case "wait":
      return (record) => compares(waitAt(record, now), term.comparison, term.value)
    case "age":
      return ({ createdAt }) => compares(now - createdAt, term.comparison, term.value)
    case "attempts":
      return ({ attempts }) => compares(attempts, term.comparison, term.value)
    case "retries":
      return (record) => compares(TaskRecord.retriesUsed(record), term.comparison, term.value)
    case "priority":
      return ({ priority }) => compares(priority, term.comparison, term.value)
    case "since":
      return ({ createdAt }) => createdAt >= momentAt(term.moment, now)
    case "until":
      return ({ createdAt }) => createdAt < momentAt(term.moment, now)
    case "text":
      return hasText(term.text)
  }
}

/** Of a hidden payload nothing is said: neither the term nor its negation holds. */
const ofPayload = (term: Term & { readonly key: "args" }, { payloadOf }: FilterFacts): Predicate => (record) => {
  const payload = payloadOf?.(record)
  return payload !== undefined && fitsAt(term.values, payload, term.path) !== term.negated
}

/** The meaning of one term. */
export const predicateOf = (term: Term, facts: FilterFacts): Predicate => {
  if (term.key === "args") return ofPayload(term, facts)
  const holds = positive(term, facts)
  return term.negated ? (record) => !holds(record) : holds
}

/** Whether all of them hold. */
export const allOf = (terms: ReadonlyArray<Term>, facts: FilterFacts): Predicate => {
  const all = terms.map((term) => predicateOf(term, facts))
  return (record) => all.every((holds) => holds(record))
}

/** Whether the task fits the filter. For many tasks make the predicate once, with `allOf`. */
export const matches = (terms: ReadonlyArray<Term>, record: TaskRecord.TaskRecord, facts: FilterFacts): boolean =>
  allOf(terms, facts)(record)
