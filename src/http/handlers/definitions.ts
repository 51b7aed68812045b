/** Tasks as they are defined: looked at, enqueued by name, paused, resumed. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Definition } from "../../internal/definition.js"
import { quoted } from "../../internal/shown.js"
import * as RetryPolicy from "../../RetryPolicy.js"
import type { Rollup } from "../../TaskRollup.js"
import * as Charts from "../charts.js"
import { type EnqueueAnswer, enqueued } from "../enqueued.js"
import { logged, type Parts } from "../parts.js"
import type * as TaskApi from "../TaskApi.js"
import { DefinitionNotFound } from "../TaskProblem.js"
import { current } from "../TaskUser.js"
import { iso } from "../TaskView.js"

const finite = (millis: number): number | null => Number.isFinite(millis) ? millis : null

const shownRetry = (retry: RetryPolicy.Retry<unknown>): typeof TaskApi.DefinitionFacts.Type["retry"] =>
  RetryPolicy.isSchedule(retry) ? "schedule" : {
    retries: retry.retries,
    delay: Duration.toMillis(retry.delay ?? 0),
    backoff: retry.backoff ?? 1,
    maxDelay: retry.maxDelay === undefined ? null : finite(Duration.toMillis(retry.maxDelay)),
    jitter: retry.jitter ?? false
  }

const shownDefinition = (definition: Definition): typeof TaskApi.DefinitionFacts.Type => ({
  version: definition.version,
  priority: definition.priority,
  concurrency: finite(definition.concurrency),
  timeout: definition.timeout,
  retry: shownRetry(definition.retry),
  requeueOnInterrupt: definition.requeueOnInterrupt,
  transactional: definition.transactional,
  persist: definition.persist,
  eager: definition.eager,
  executor: definition.executor,
  maxCrashes: definition.maxCrashes,
  keyTtl: definition.keyTtl,
  payloadSchema: definition.payloadJsonSchema()
})

const hour = 3_600_000
const day = 24 * hour

const recentEnds = (rollups: ReadonlyArray<Rollup>): typeof TaskApi.RecentEnds.Type => {
  const { durations, ends, waits } = Charts.sumOf(rollups)
  const { average, p50, p95 } = Charts.spread(durations)
  return {
    ...ends,
    successRate: Charts.successRate(ends),
    averageDuration: average,
    p50Duration: p50,
    p95Duration: p95,
    p95Wait: Charts.spread(waits).p95
  }
}

// Of more schedules than these nobody is shown which task they are of.
const mostSchedules = 1_000

/** The names of schedules by the names of their tasks. */
const schedulesOf = ({ schedules }: Parts["manager"]) =>
  Effect.cachedWithTTL(
    Effect.gen(function*() {
      const byTask = new Map<string, Array<string>>()
      let cursor: string | undefined
      for (let read = 0; read < mostSchedules; read += 200) {
        const { items, nextCursor } = yield* schedules.list({ limit: 200, cursor })
        for (const { name, retiredAt, taskName } of items) {
          if (retiredAt === null) byTask.set(taskName, [...byTask.get(taskName) ?? [], name])
        }
        if (nextCursor === null) break
        cursor = nextCursor
      }
      return byTask
    }),
    "5 seconds"
  )

// Nothing that a person compares changes within seconds.
const latelyOf = (manager: Parts["manager"]) =>
  Effect.cachedWithTTL(
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const rollups = yield* manager.rollups({
        since: now - day,
        until: now + 1,
        width: hour,
        byTask: true,
        asOne: true
      })
      return new Map(rollups.flatMap((rollup) => rollup.taskName === null ? [] : [[rollup.taskName, [rollup]]]))
    }),
    "5 seconds"
  )

export const layer = (api: TaskApi.TaskApi, { audited, manager }: Parts) =>
  HttpApiBuilder.group(api, "definitions", (group) =>
    Effect.gen(function*() {
      const lately = yield* latelyOf(manager)
      const schedules = yield* schedulesOf(manager)
      const facts = Effect.gen(function*() {
        const known = new Map((yield* manager.registered).map((definition) => [definition.taskName, definition]))
        const { paused } = yield* manager.pauses
        const instances = yield* manager.instances
        const recent = yield* lately
        const scheduled = yield* schedules
        const { tasks } = yield* manager.unfinished
        const unfinished = new Map(tasks.map((one) => [one.taskName, one]))
        const everything = paused.some(({ target }) => target._tag === "Everything")
        const pausedNames = new Set(paused.flatMap(({ target }) => target._tag === "Task" ? [target.name] : []))
        const elsewhere = instances.flatMap(({ vitals }) => vitals?.tasks ?? [])
        const names = [
          ...new Set([...known.keys(), ...pausedNames, ...elsewhere, ...recent.keys(), ...unfinished.keys()])
        ].sort()
        const of = (taskName: string): typeof TaskApi.TaskDefinition.Type => {
          const definition = known.get(taskName)
          return {
            taskName,
            definition: definition === undefined ? null : shownDefinition(definition),
            instances: instances.flatMap(({ id, state, vitals }) =>
              state === "live" && vitals?.tasks?.includes(taskName) === true ? [id] : []
            ),
            paused: everything || pausedNames.has(taskName),
            pending: unfinished.get(taskName)?.pending ?? 0,
            running: unfinished.get(taskName)?.running ?? 0,
            schedules: scheduled.get(taskName) ?? [],
            last24h: recentEnds(recent.get(taskName) ?? [])
          }
        }
        return { names, of, isScheduled: (taskName: string) => scheduled.has(taskName) }
      })

      // A name that is in no list may still have tasks from before.
      const hasTasks = (taskName: string) =>
        Effect.map(manager.list({ taskName, limit: 1 }), ({ items }) => items.length > 0)

      const by = Effect.map(current, ({ name }) => ({ by: name }))
      const pause = (action: string, taskName: string | undefined) =>
        logged(audited(
          {
            action,
            target: taskName ?? null,
            permission: "pause",
            outcome: (done: typeof TaskApi.Paused.Type) => ({ pause: done.outcome })
          },
          Effect.map(Effect.flatMap(by, (by) => manager.pause(taskName, by)), (outcome) => ({ outcome }))
        ))
      const resume = (action: string, taskName: string | undefined) =>
        logged(audited(
          { action, target: taskName ?? null, permission: "pause" },
          Effect.map(manager.resume(taskName), (was) => ({
            outcome: was ? "resumed" as const : "notPaused" as const
          }))
        ))

      return group
        .handle("definitions", () => logged(Effect.map(facts, ({ names, of }) => ({ items: names.map(of) }))))
        .handle("definition", ({ path: { name } }) =>
          logged(Effect.gen(function*() {
            const { isScheduled, names, of } = yield* facts
            if (names.includes(name) || isScheduled(name) || (yield* hasTasks(name))) return of(name)
            const message = `no task ${quoted(name)} is known here: nobody registered it, and no record is of it`
            return yield* new DefinitionNotFound({ task: name, message })
          })))
        .handle("enqueue", ({ path: { name }, payload: { payload, ...options } }) =>
          logged(audited(
            {
              action: "enqueue",
              target: name,
              permission: "enqueue",
              outcome: ({ taskId }: EnqueueAnswer) => ({ taskId })
            },
            Effect.map(manager.enqueueJson(name, payload, options), enqueued)
          )).pipe(
            // Nothing here is in a transaction of the application.
            Effect.catchTags({ TaskInTransaction: Effect.die, TaskWrongTransaction: Effect.die })
          ))
        .handle("pause", ({ path: { name } }) => pause("definition.pause", name))
        .handle("resume", ({ path: { name } }) => resume("definition.resume", name))
        .handle("pauses", () =>
          logged(Effect.map(manager.pauses, ({ awaiting, heededBy, paused }) => ({
            items: paused.map(({ by, since, target }) => ({
              taskName: target._tag === "Task" ? target.name : null,
              since: iso(since),
              by
            })),
            heededBy,
            awaiting
          }))))
        .handle("pauseAll", () => pause("pause", undefined))
        .handle("resumeAll", () => resume("resume", undefined))
    }))
