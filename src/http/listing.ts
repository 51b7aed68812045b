/** Pages of tasks, as the list and the actions on many tasks ask for them. */
import * as Effect from "effect/Effect"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import type { ListPage, ListQuery } from "../TaskQuery.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Parts } from "./parts.js"
import type * as Params from "./TaskParams.js"
import * as TaskView from "./TaskView.js"

/** What can be wrong with what is asked. */
export type Problem = never

const queryOf = ({ group, q: _, task, ...rest }: Params.Filter): ListQuery => ({
  ...rest,
  taskName: task,
  errorGroup: group
})

export const records = (
  { manager }: Parts,
  filter: Params.Filter,
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number }
): Effect.Effect<ListPage, TaskBackendError | Problem> => {
  const next = (
    from: TaskId | undefined,
    before: ReadonlyArray<TaskRecord>
  ): Effect.Effect<ListPage, TaskBackendError> =>
    Effect.flatMap(
      manager.list({ ...queryOf(filter), cursor: from, limit: Math.min(200, limit - before.length) }),
      ({ items, nextCursor }) => {
        const all = [...before, ...items]
        return nextCursor === null || all.length >= limit
          ? Effect.succeed({ items: all, nextCursor })
          : next(nextCursor, all)
      }
    )
  return next(cursor as TaskId | undefined, [])
}

export const page = ({ manager, redaction }: Parts, params: typeof Params.List.Type) => {
  const { cursor, limit = 50, order: _, sort = params.order === "oldest" ? "created" : "-created", ...filter } = params
  return Effect.map(
    manager.list({
      ...queryOf(filter),
      order: sort === "created" ? "oldest" : "newest",
      limit,
      cursor: cursor as TaskId | undefined
    }),
    ({ items, nextCursor }) => ({
      items: items.map((record) => TaskView.summary(record, redaction)),
      nextCursor,
      total: items.length,
      totalIsFloor: nextCursor !== null,
      complete: true,
      applied: { q: "", sort, limit }
    })
  )
}
