/**
 * What of a filter a backend's indexes can answer, and what must be looked for in the rows they give. Pure.
 *
 * Both together give exactly the tasks that `matches` accepts.
 */
import { isTaskId, type TaskId } from "../../TaskId.js"
import type { ListQuery } from "../../TaskQuery.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { all as everyStatus, type TaskStatus } from "../../TaskStatus.js"
import { allOf, type FilterFacts, fitsAny, momentAt, type Predicate } from "./matches.js"
import { print } from "./print.js"
import type { Comparison, Pattern, PatternKey, Term } from "./term.js"

/** What a page is asked for, without what the search says itself. */
export type PlannedQuery = Omit<ListQuery, "order" | "limit" | "cursor">

/** What a backend is asked, and what its rows must fit beside. */
export interface Plan {
  /** A task is in one of their answers at most. Empty when nothing can fit. */
  readonly queries: ReadonlyArray<PlannedQuery>
  /** What the rows must fit beside; null when every row fits. */
  readonly rest: Predicate | null
  /** Whether terms contradict each other, so that no task can fit. */
  readonly never: boolean
  /** The only ids that can fit, both included; null when any may. */
  readonly ids: { readonly first: TaskId; readonly last: TaskId } | null
  /** The filter in its printed form. */
  readonly applied: string
  /** The time it was planned for, epoch milliseconds. */
  readonly now: number
}

/** More task names than this are looked for in the rows. */
export const maxQueries = 10

interface Bounds {
  readonly since?: number
  readonly until?: number
}

const opposite: { readonly [C in Exclude<Comparison, "=">]: Comparison } = {
  ">": "<=",
  ">=": "<",
  "<": ">=",
  "<=": ">"
}

/** The times of creation, in whole milliseconds, that the term leaves; null when bounds cannot say it. */
const boundsOf = (term: Term, now: number): Bounds | null => {
  switch (term.key) {
    case "since":
    case "until": {
      const at = Math.ceil(momentAt(term.moment, now))
      return (term.key === "since") === term.negated ? { until: at } : { since: at }
    }
    case "age": {
      const { comparison, negated, value } = term
      if (comparison === "=") return null
      const at = now - value
      switch (negated ? opposite[comparison] : comparison) {
        case "<":
          return { since: Math.floor(at) + 1 }
        case "<=":
          return { since: Math.ceil(at) }
        case ">":
          return { until: Math.ceil(at) }
        default:
          return { until: Math.floor(at) + 1 }
      }
    }
    default:
      return null
  }
}

const exact = (term: { readonly negated: boolean; readonly values: ReadonlyArray<Pattern> }): string | null =>
  !term.negated && term.values.length === 1 && !term.values[0]!.prefix ? term.values[0]!.text : null

type TaskTerm = Extract<Term, { readonly key: PatternKey }>

/** The names that fit all of the terms, as far as one of them lists names; null when none does. */
const namesOf = (terms: ReadonlyArray<TaskTerm>): ReadonlyArray<string> | null => {
  const listing = terms.find(({ negated, values }) => !negated && values.every(({ prefix }) => !prefix))
  if (listing === undefined) return null
  const names = new Set(listing.values.map(({ text }) => text))
  return [...names].filter((name) => terms.every(({ negated, values }) => fitsAny(values, name) !== negated))
}

/** Between which ids all must be whose ids are given in full. */
const idsOf = (terms: ReadonlyArray<Term>): Plan["ids"] | "none" => {
  let first: TaskId | null = null
  let last: TaskId | null = null
  for (const term of terms) {
    if (term.key !== "id" || term.negated) continue
    const ids = term.values.filter(isTaskId).sort()
    if (ids.length < term.values.length) continue
    if (first === null || ids[0]! > first) first = ids[0]!
    if (last === null || ids[ids.length - 1]! < last) last = ids[ids.length - 1]!
  }
  return first === null || last === null ? null : first > last ? "none" : { first, last }
}

/** How to look for the tasks that fit all terms. */
export const plan = (terms: ReadonlyArray<Term>, facts: FilterFacts): Plan => {
  const { now } = facts
  const asked: { -readonly [K in keyof PlannedQuery]: PlannedQuery[K] } = {}
  const rest: Array<Term> = []
  let never = false
  let statuses: ReadonlyArray<TaskStatus> = everyStatus
  let sources: ReadonlyArray<TaskRecord["source"]> = ["manual", "scheduled"]

  /** Asks for one value of an index; for a second one there is nothing. */
  const only = <K extends "priority" | "schedule" | "errorGroup">(
    key: K,
    value: NonNullable<PlannedQuery[K]>
  ): void => {
    if (asked[key] !== undefined && asked[key] !== value) never = true
    asked[key] = value
  }

  const take = (term: Term): void => {
    const { negated } = term
    switch (term.key) {
      case "status": {
        const whole = (status: TaskStatus) => term.values.includes(status)
        const waits = term.values.includes("retrying") && !whole("running")
        statuses = statuses.filter((status) =>
          negated ? !whole(status) : whole(status) || waits && status === "running"
        )
        if (waits) rest.push(term)
        return
      }
      case "source":
        sources = sources.filter((source) => term.values.includes(source) !== negated)
        return
      case "schedule":
      case "group": {
        const value = exact(term)
        if (value === null) rest.push(term)
        else only(term.key === "group" ? "errorGroup" : "schedule", value)
        return
      }
      case "tag": {
        const value = exact(term)
        if (value === null) rest.push(term)
        else if (asked.tag === undefined) asked.tag = [term.name, value]
        else if (asked.tag[0] !== term.name) rest.push(term)
        else if (asked.tag[1] !== value) never = true
        return
      }
      case "priority":
        if (term.comparison === "=" && !negated) only("priority", term.value)
        else rest.push(term)
        return
      case "since":
      case "until":
      case "age": {
        const bounds = boundsOf(term, now)
        if (bounds === null) rest.push(term)
        if (bounds?.since !== undefined) asked.since = Math.max(asked.since ?? bounds.since, bounds.since)
        if (bounds?.until !== undefined) asked.until = Math.min(asked.until ?? bounds.until, bounds.until)
        return
      }
      case "task":
        return
      default:
        rest.push(term)
    }
  }
  terms.forEach(take)

  const ofTasks = terms.filter((term): term is TaskTerm => term.key === "task")
  const listed = namesOf(ofTasks)
  const names = listed !== null && listed.length <= maxQueries ? listed : null
  if (names === null) rest.push(...ofTasks)

  const ids = idsOf(terms)
  if (statuses.length < everyStatus.length) asked.status = statuses
  if (sources.length === 1) asked.source = sources[0]
  if (statuses.length === 0 || sources.length === 0 || names?.length === 0 || ids === "none") never = true
  if (asked.since !== undefined && asked.until !== undefined && asked.since >= asked.until) never = true
  return {
    queries: never ? [] : names === null ? [asked] : names.map((taskName) => ({ ...asked, taskName })),
    rest: rest.length === 0 ? null : allOf(rest, facts),
    never,
    ids: ids === "none" ? null : ids,
    applied: print(terms),
    now
  }
}
