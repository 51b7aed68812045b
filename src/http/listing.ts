/** Pages of tasks, as the list, exports and the actions on many tasks ask for them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fingerprint from "../internal/fingerprint.js"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskFailure } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as Facets from "./facets.js"
import { parse } from "./filter/parse.js"
import { type Plan, plan } from "./filter/plan.js"
import { print } from "./filter/print.js"
import type { Pattern, PatternKey, Term } from "./filter/term.js"
import type { Parts } from "./parts.js"
import { previewOf } from "./preview.js"
import type * as Params from "./TaskParams.js"
import { type TaskCursorError, TaskFilterError } from "./TaskProblem.js"
import type * as TaskRedaction from "./TaskRedaction.js"
import * as TaskSearch from "./TaskSearch.js"
import * as TaskView from "./TaskView.js"

/** What can be wrong with what is asked. */
export type Problem = TaskFilterError | TaskCursorError

const exactly = (text: string): Pattern => ({ text, prefix: false })

/** The parameters of a URL as terms of the filter language, so that both are planned, applied and told in one way. */
const termsOf = ({ group, priority, schedule, since, source, status, tag, task, until }: Params.Filter) => {
  const terms: Array<Term> = []
  const pattern = (key: PatternKey, text: string | undefined): void => {
    if (text !== undefined) terms.push({ negated: false, key, values: [exactly(text)] })
  }
  if (status !== undefined) terms.push({ negated: false, key: "status", values: status })
  pattern("task", task)
  if (tag !== undefined) terms.push({ negated: false, key: "tag", name: tag[0], values: [exactly(tag[1])] })
  if (source !== undefined) terms.push({ negated: false, key: "source", values: [source] })
  if (priority !== undefined) terms.push({ negated: false, key: "priority", comparison: "=", value: priority })
  pattern("schedule", schedule)
  pattern("group", group)
  if (since !== undefined) terms.push({ negated: false, key: "since", moment: { at: since } })
  if (until !== undefined) terms.push({ negated: false, key: "until", moment: { at: until } })
  return terms
}

/** A filter in the filter language; as much of it as can be read. */
export const printed = (filter: Params.Filter): string => {
  const parsed = parse(filter.q ?? "")
  return print([...termsOf(filter), ...parsed.ok ? parsed.terms : []])
}

const wrongFilter = (errors: TaskFilterError["errors"]): TaskFilterError =>
  new TaskFilterError({
    message: `q cannot be read: at ${errors[0]?.from ?? 0}: ${errors[0]?.message ?? "it is no filter"}`,
    errors
  })

type Tags = TaskRecord["tags"]

const shownTags = (redaction: TaskRedaction.Redaction, tags: Tags, taskName: string): Tags =>
  // safe: redaction answers an object where it was given one
  Object.keys(tags).length === 0 ? tags : redaction.json(tags, { taskName, part: "tags" }) as Tags

/** Whether a tag is asked for that nobody is shown: indexes would find it. */
const asksHidden = ({ redaction }: Parts, { queries }: Plan): boolean =>
  queries.some(({ tag, taskName = "" }) => {
    if (tag === undefined) return false
    const [name, value] = tag
    return shownTags(redaction, Object.fromEntries([[name, value]]), taskName)[name] !== value
  })

// What is not shown must not be found either: who may only see a placeholder could ask for the secret letter by letter.
const asShown = ({ redaction }: Parts, rest: Plan["rest"]): Plan["rest"] =>
  rest === null ? null : (record) => {
    const { tags, taskName } = record
    return rest({ ...record, tags: shownTags(redaction, tags, taskName), failure: shownFailure(record, redaction) })
  }

// Of the same group as the failure it is made of.
const shownFailure = (record: TaskRecord, redaction: Parts["redaction"]): TaskFailure | null => {
  const { failure, taskName } = record
  if (failure === null) return null
  const shown = { ...failure, message: redaction.text(failure.message, { taskName, part: "error" }) }
  Fingerprint.tell(shown, () => Fingerprint.fingerprintOf(record) ?? Fingerprint.plainOf(failure, taskName))
  return shown
}

/** What a filter asks for, as the caller may ask for it. */
export const planOf = (parts: Parts, filter: Params.Filter): Effect.Effect<Plan, TaskFilterError> =>
  Effect.gen(function*() {
    const { payload: visible } = yield* parts.visible
    const parsed = parse(filter.q ?? "", { argumentsHidden: !visible })
    if (!parsed.ok) return yield* wrongFilter(parsed.errors)
    const now = yield* Clock.currentTimeMillis
    const definitions = new Map((yield* parts.manager.registered).map((one) => [one.taskName, one]))
    const planned = plan([...termsOf(filter), ...parsed.terms], {
      now,
      payloadOf: visible
        ? (record) => TaskView.payload(record, definitions.get(record.taskName), parts.redaction)
        : undefined
    })
    return asksHidden(parts, planned)
      ? { ...planned, queries: [], never: true }
      : { ...planned, rest: asShown(parts, planned.rest) }
  })

interface Records {
  readonly items: ReadonlyArray<TaskRecord>
  readonly nextCursor: string | null
}

/** Up to `limit` of them, newest first, in as many pages as that takes; fewer when the search has to stop before. */
export const planned = (
  { manager }: Parts,
  plan: Plan,
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number }
): Effect.Effect<Records, TaskBackendError | TaskCursorError> => {
  const next = (
    from: string | undefined,
    before: ReadonlyArray<TaskRecord>
  ): Effect.Effect<Records, TaskBackendError | TaskCursorError> =>
    Effect.flatMap(
      TaskSearch.search(manager, plan, { cursor: from, limit: Math.min(200, limit - before.length) }),
      ({ complete, items, nextCursor }) => {
        const all = [...before, ...items]
        return nextCursor === null || !complete || all.length >= limit
          ? Effect.succeed({ items: all, nextCursor })
          : next(nextCursor, all)
      }
    )
  return next(cursor, [])
}

/** The same of a filter. */
export const records = (
  parts: Parts,
  filter: Params.Filter,
  page: { readonly cursor: string | undefined; readonly limit: number }
): Effect.Effect<Records, TaskBackendError | Problem> =>
  Effect.flatMap(planOf(parts, filter), (plan) => planned(parts, plan, page))

// What only rows can tell is not counted for the sake of a number: as many as are shown, at least.
const totalOf = (
  { counted }: Parts,
  plan: Plan,
  page: Records & { readonly cursor: string | undefined; readonly complete: boolean }
) => {
  if (plan.never || (plan.rest === null && plan.ids === null)) return Effect.map(counted.of(plan), Facets.total)
  const { complete, cursor, items, nextCursor } = page
  const whole = cursor === undefined && nextCursor === null && complete
  return Effect.succeed({ total: items.length, totalIsFloor: !whole })
}

const noPreview = (): undefined => undefined

/** What the caller is shown of the arguments of each task of a list. */
const previews = ({ manager, redaction, visible }: Parts) =>
  Effect.gen(function*() {
    if (!(yield* visible).payload) return noPreview
    const definitions = new Map((yield* manager.registered).map((one) => [one.taskName, one]))
    return (record: TaskRecord) => previewOf(record, definitions.get(record.taskName), redaction)
  })

/** The answer of `GET /`. */
export const page = (parts: Parts, params: typeof Params.List.Type) =>
  Effect.gen(function*() {
    const { cursor, limit = 50, order, sort = order === "oldest" ? "created" : "-created", ...filter } = params
    const plan = yield* planOf(parts, filter)
    const { complete, items, nextCursor } = yield* TaskSearch.search(parts.manager, plan, { sort, limit, cursor })
    const preview = yield* previews(parts)
    return {
      items: items.map((record) => TaskView.summary(record, parts.redaction, preview(record))),
      nextCursor,
      ...yield* totalOf(parts, plan, { cursor, items, nextCursor, complete }),
      complete,
      applied: { q: plan.applied, sort, limit }
    }
  })
