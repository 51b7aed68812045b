/** Lists, and one task: looked at, retried, cancelled. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import { TaskArgumentError } from "../../TaskError.js"
import * as Listing from "../listing.js"
import { logged, type Parts } from "../parts.js"
import * as Restoring from "../restoring.js"
import type { TaskApi } from "../TaskApi.js"
import * as TaskView from "../TaskView.js"

// Newest lines shown with a task; all of them are at /{id}/logs.
const shownLines = 1_000

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Runs a task again with the payload that a caller means, who was shown the one of this task without its secrets. */
const retryWith = ({ definitionOf, manager, redaction, visible }: Parts, id: string, sent: unknown) =>
  Effect.gen(function*() {
    const record = yield* manager.get(id)
    const task = record.taskName
    const { payload: isShown } = yield* visible
    const shown = isShown ? TaskView.payload(record, yield* definitionOf(task), redaction) : undefined
    const stored = parsed(record.payload)
    // To whom it was not shown, everything that is sent is new.
    if (shown === undefined || stored === undefined) return yield* manager.retry(id, { payload: sent })
    const whole = Restoring.restored(sent, shown, stored)
    if ("unclear" in whole) {
      const path = whole.unclear
      const why = "the list is another one, so which secret is meant here is not known: write it anew"
      return yield* new TaskArgumentError({ task, path, message: `${task}: ${path}: ${why}` })
    }
    return yield* Effect.catchTag(manager.retry(id, { payload: whole.value }), "TaskArgumentError", (error) => {
      if (Restoring.isAsSent(error.path, sent, whole.value)) return Effect.fail(error)
      // It may quote what the caller was not shown.
      const why = "does not fit; the value is not shown, it holds a secret"
      const where = error.path === "" ? "payload" : error.path
      return Effect.fail(new TaskArgumentError({ task, path: error.path, message: `${task}: ${where}: ${why}` }))
    })
  })

export const layer = (api: TaskApi, parts: Parts) =>
  HttpApiBuilder.group(api, "tasks", (group) => {
    const { audited, detail, manager, redaction, visible } = parts
    return group
      .handle("list", ({ urlParams }) => logged(Listing.page(parts, urlParams)))
      .handle("get", ({ path: { id } }) =>
        logged(Effect.gen(function*() {
          const record = yield* manager.get(id)
          const { logs: shown } = yield* visible
          const lines = shown
            ? yield* manager.logs(id, { after: Math.max(0, record.logLines - shownLines), limit: shownLines })
            : []
          return {
            ...(yield* detail(record)),
            logs: lines.map((line) => TaskView.logText(line, record.taskName, redaction))
          }
        })))
      .handle("logs", ({ path: { id }, urlParams: { after = 0, limit } }) =>
        logged(Effect.gen(function*() {
          const { taskName } = yield* manager.get(id)
          const { logs: shown } = yield* visible
          const lines = shown ? yield* manager.logs(id, { after, limit }) : []
          return {
            items: lines.map((line) => TaskView.logLine(line, taskName, redaction)),
            nextAfter: after + lines.length,
            hidden: !shown
          }
        })))
      .handle("attempts", ({ path: { id } }) =>
        logged(Effect.gen(function*() {
          const record = yield* manager.get(id)
          return { items: TaskView.attempts(record, yield* manager.attempts(id), redaction) }
        })))
      .handle("retry", ({ path: { id }, payload: asked }) =>
        logged(audited(
          {
            action: "retry",
            target: id,
            // Whoever chooses the payload of a task could as well enqueue one.
            permission: asked?.payload === undefined ? "retry" : ["retry", "enqueue"],
            parameters: asked?.payload === undefined ? {} : { payloadChanged: true },
            outcome: ({ taskId }) => ({ newTaskId: taskId })
          },
          Effect.gen(function*() {
            const taskId = asked?.payload === undefined
              ? yield* manager.retry(id)
              : yield* retryWith(parts, id, asked.payload)
            return { taskId, task: yield* detail(yield* manager.get(taskId)) }
          })
        )))
      .handle("cancel", ({ path: { id } }) =>
        logged(audited(
          { action: "cancel", target: id, permission: "cancel", outcome: ({ outcome }) => ({ cancel: outcome }) },
          Effect.gen(function*() {
            const outcome = yield* manager.cancel(id)
            const record = yield* manager.get(id)
            return { outcome, taskId: record.taskId, task: yield* detail(record) }
          })
        )))
  })
