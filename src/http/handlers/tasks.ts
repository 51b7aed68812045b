/** Lists, and one task: looked at, retried, cancelled. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Listing from "../listing.js"
import { logged, type Parts } from "../parts.js"
import type { TaskApi } from "../TaskApi.js"
import * as TaskView from "../TaskView.js"

// Newest lines shown with a task; all of them are at /{id}/logs.
const shownLines = 1_000

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
      .handle("retry", ({ path: { id } }) =>
        logged(audited(
          {
            action: "retry",
            target: id,
            permission: "retry",
            outcome: ({ taskId }) => ({ newTaskId: taskId })
          },
          Effect.gen(function*() {
            const taskId = yield* manager.retry(id)
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
