/** Failed tasks by what went wrong: looked at, retried as a group, dismissed. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as ErrorStore from "../../ErrorStore.js"
import { isSealed } from "../../internal/sealed.js"
import { quoted } from "../../internal/shown.js"
import * as Bulk from "../bulk.js"
import * as PageCursor from "../pageCursor.js"
import { logged, type Parts } from "../parts.js"
import type * as TaskApi from "../TaskApi.js"
import { ErrorGroupNotFound } from "../TaskProblem.js"
import { iso } from "../TaskView.js"

/** There is no such group. */
export const groupNotFound = (fingerprint: string) =>
  new ErrorGroupNotFound({
    fingerprint,
    message: `there is no group of errors ${quoted(fingerprint)}: it was not seen for 30 days, or never`
  })

const exists = <A>(fingerprint: string) => (found: A | null) =>
  found === null ? Effect.fail(groupNotFound(fingerprint)) : Effect.succeed(found)

export const layer = (api: TaskApi.TaskApi, parts: Parts) =>
  HttpApiBuilder.group(api, "errors", (group) => {
    const { attention, audited, manager, redaction } = parts
    const shown = ({ sample, ...one }: ErrorStore.ErrorGroup): typeof TaskApi.ErrorGroup.Type => ({
      ...one,
      firstSeenAt: iso(one.firstSeenAt),
      lastSeenAt: iso(one.lastSeenAt),
      sample: {
        ...sample,
        message: redaction.text(sample.message, { taskName: one.taskName, part: "error" }),
        frame: isSealed(sample.frame) ? null : sample.frame
      }
    })
    const get = (fingerprint: string) => Effect.flatMap(manager.errors.get(fingerprint), exists(fingerprint))
    return group
      .handle("errors", ({ urlParams: { cursor, since, sort, task, ...page } }) =>
        logged(Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const { items, nextCursor } = yield* manager.errors.list({
            ...page,
            cursor: yield* PageCursor.taken("errors", cursor),
            taskName: task,
            since: since === undefined || !Number.isFinite(since) ? undefined : now - since,
            order: sort
          })
          return { items: items.map(shown), nextCursor: PageCursor.given("errors", nextCursor) }
        })))
      .handle("error", ({ path: { fingerprint } }) => logged(Effect.map(get(fingerprint), shown)))
      .handle("retryGroup", ({ path: { fingerprint }, urlParams: { cursor, dryRun = false } }) =>
        logged(Effect.zipRight(
          get(fingerprint),
          Bulk.retry(parts, {
            action: "error.retry",
            target: fingerprint,
            selection: { filter: { group: fingerprint }, cursor },
            dryRun
          })
        )))
      .handle("dismiss", ({ path: { fingerprint } }) =>
        logged(audited(
          { action: "error.dismiss", target: fingerprint, permission: "dismiss" },
          Effect.flatMap(
            manager.errors.dismiss(fingerprint),
            (there) => there ? Effect.as(attention.changed, { fingerprint }) : Effect.fail(groupNotFound(fingerprint))
          )
        )))
  })
