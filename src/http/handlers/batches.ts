/** Many tasks behind the answer: batches started, watched, begun before their time, stopped. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { v7 as uuidv7 } from "uuid"
import type { TaskBackendError } from "../../TaskError.js"
import type { Batches } from "../batches/Batches.js"
import * as Work from "../batches/work.js"
import type { BatchRequest, BatchSelection } from "../BatchParams.js"
import * as Bulk from "../bulk.js"
import * as Facets from "../facets.js"
import * as Listing from "../listing.js"
import { logged, type Parts } from "../parts.js"
import type * as TaskApi from "../TaskApi.js"
import { type ErrorGroupNotFound, type TaskFilterError } from "../TaskProblem.js"
import { current } from "../TaskUser.js"
import { groupNotFound } from "./errors.js"

interface Selected {
  readonly source: Work.Source
  readonly q: string | null
  readonly total: number
  readonly totalIsFloor: boolean
}

// Of a filter: as much as a line of a list shows, and no more than frames can carry.
const maxShown = 300

const cut = (text: string): string => text.length <= maxShown ? text : `${text.slice(0, maxShown - 1)}…`

/** What an audit entry says of it: no values of arguments. */
const toldOf = (selection: BatchSelection): Readonly<Record<string, unknown>> =>
  "ids" in selection
    ? { taskIds: selection.ids.slice(0, Bulk.toldIds), tasks: selection.ids.length }
    : "group" in selection
    ? { group: selection.group }
    : { filter: Bulk.told(selection.filter) }

/** What the selection shows now. Runs that come later are none of it, and a time as `since:6h` is reckoned from now. */
const select = (
  parts: Parts,
  selection: BatchSelection
): Effect.Effect<Selected, TaskBackendError | TaskFilterError | ErrorGroupNotFound> =>
  Effect.gen(function*() {
    if ("ids" in selection) {
      const source = Work.ofIds(selection.ids)
      return { source, q: null, total: source.size, totalIsFloor: false }
    }
    if ("group" in selection && (yield* parts.manager.errors.get(selection.group)) === null) {
      return yield* groupNotFound(selection.group)
    }
    const filter = "group" in selection ? { group: selection.group } : selection.filter
    const plan = yield* Listing.planOf(parts, filter)
    const now = yield* Clock.currentTimeMillis
    const [newest] = (yield* parts.manager.list({ limit: 1 })).items
    const counted = Facets.total(yield* parts.counted.of(plan))
    return {
      source: newest === undefined ? Work.none : Work.ofPlan(parts.manager, plan, { newest: newest.taskId, now }),
      q: cut(Listing.printed(Bulk.told(filter))),
      ...counted
    }
  })

export const layer = (api: TaskApi.TaskApi, parts: Parts, batches: Batches) =>
  HttpApiBuilder.group(api, "batches", (group) => {
    const start = ({ action, perSecond: rate, selection, startAfter = 0 }: BatchRequest) =>
      Effect.suspend(() => {
        const id = uuidv7()
        const perSecond = rate ?? null
        return parts.audited(
          {
            action: `batch.${action}`,
            target: id,
            permission: action,
            parameters: { ...toldOf(selection), perSecond, startAfter },
            outcome: ({ batch: { total, totalIsFloor } }: typeof TaskApi.BatchAccepted.Type) => ({
              total,
              totalIsFloor
            })
          },
          Effect.gen(function*() {
            yield* batches.room
            const selected = yield* select(parts, selection)
            const { name: who } = yield* current
            return { batch: yield* batches.start({ id, action, who, perSecond, startAfter, ...selected }) }
          })
        )
      })

    /** Something done with a batch, by whoever may do what the batch does. */
    const withBatch = <A, E>(what: string, id: string, run: Effect.Effect<A, E>, outcome?: (done: A) => object) =>
      Effect.flatMap(batches.get(id), ({ action }) =>
        parts.audited({
          action: what,
          target: id,
          permission: action,
          ...outcome === undefined ? {} : { outcome: (done: A) => ({ ...outcome(done) }) }
        }, run))

    return group
      .handle("startBatch", ({ payload }) => logged(start(payload)))
      .handle("batches", () => Effect.map(batches.list, (items) => ({ items })))
      .handle("batch", ({ path: { batch } }) => batches.get(batch))
      .handle("beginBatch", ({ path: { batch } }) => withBatch("batch.start", batch, batches.begin(batch)))
      .handle(
        "stopBatch",
        ({ path: { batch } }) => withBatch("batch.stop", batch, batches.stop(batch), ({ outcome }) => ({ outcome }))
      )
  })
