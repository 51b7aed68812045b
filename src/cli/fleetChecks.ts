/**
 * What can be wrong with those who work on a database, and with what waits there: asked through the port, so the same for every
 * kind. Times are compared with this machine's clock, with room for one that is off.
 */
import * as Effect from "effect/Effect"
import type { Finding } from "../backend/Inspector.js"
import { version } from "../internal/version.js"
import type { StoredSchedule } from "../ScheduleStore.js"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import type { InstanceInfo } from "../TaskPeer.js"
import { isWaiting } from "../TaskRecord.js"
import { many, span, time, word } from "./text.js"

const minute = 60_000
/** An instance that said nothing for so long, or for ten of its beats. */
const silentAfter = 2 * minute
const stuckAfter = 60 * minute
const pausedFor = 24 * 60 * minute
// An instance says every minute that the schedules of its code stand.
const unseenAfter = 10 * minute
// Names that an instance tells at most, and rows and pages that are read.
const mostNames = 500
const oldest = 200
const pages = 10

const finding = (facts: Pick<Finding, "code" | "level" | "what" | "todo"> & Partial<Finding>): Finding => ({
  count: null,
  atLeast: false,
  example: null,
  ...facts
})

const isSilent = ({ beatAt, vitals }: InstanceInfo, now: number): boolean =>
  now - beatAt > Math.max(silentAfter, 10 * (vitals?.beatEvery ?? 0))

/** Who is alive, what they have handlers for, and whether that is all they have. */
export interface Fleet {
  readonly instances: ReadonlyArray<InstanceInfo>
  readonly living: ReadonlyArray<InstanceInfo>
  /** Those among them that have handlers, or have not said so yet. */
  readonly workers: ReadonlyArray<InstanceInfo>
  readonly handled: ReadonlySet<string>
  readonly complete: boolean
}

const fleetOf = (instances: ReadonlyArray<InstanceInfo>, now: number): Fleet => {
  const living = instances.filter((one) => one.state === "live" && !isSilent(one, now))
  const tasks = living.map(({ vitals }) => vitals?.tasks ?? null)
  return {
    instances,
    living,
    // A dashboard is an instance too.
    workers: living.filter((_, index) => tasks[index]?.length !== 0),
    handled: new Set(tasks.flatMap((names) => names ?? [])),
    complete: tasks.every((names) => names !== null && names.length < mostNames)
  }
}

const ofInstances = ({ instances, living }: Fleet, now: number): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  const silent = instances.filter((one) => !living.includes(one) && isSilent(one, now))
  const [first] = silent
  if (first !== undefined) {
    found.push(finding({
      code: "instances.silent",
      level: "problem",
      what: "instances said nothing for minutes and were not taken over: what they had is waiting for that",
      count: silent.length,
      example: `${first.id} on ${first.host}, last heard ${time(first.beatAt)}`,
      todo: "start an instance of the application: it takes their tasks over after one lease"
    }))
  }
  const others = living.filter(({ versions }) => versions !== undefined && versions.taskflow !== version)
  const [other] = others
  if (other !== undefined) {
    found.push(finding({
      code: "instances.version",
      level: "note",
      what: `instances are of another version of effect-taskflow than this, ${version}`,
      count: others.length,
      example: `${other.id} on ${other.host}: ${other.versions?.taskflow}`,
      todo: "nothing, while a deployment goes on; else deploy the same version everywhere"
    }))
  }
  return found
}

const ofNames = (backend: TaskBackend["Type"], { complete, handled, workers }: Fleet) =>
  Effect.map(backend.unfinished, ({ tasks }): ReadonlyArray<Finding> => {
    const waiting = tasks.filter(({ pending, running }) => pending + running > 0)
    const sum = (of: typeof waiting) => of.reduce((sum, { pending, running }) => sum + pending + running, 0)
    if (workers.length === 0) {
      return waiting.length === 0 ? [] : [finding({
        code: "workers.none",
        level: "problem",
        what: "tasks have not ended, and no instance is alive to run them",
        count: sum(waiting),
        example: waiting[0]?.taskName ?? null,
        todo: "start the application"
      })]
    }
    const unknown = complete ? waiting.filter(({ taskName }) => !handled.has(taskName)) : []
    return unknown.length === 0 ? [] : [finding({
      code: "tasks.unknown",
      level: "problem",
      what: `tasks of ${many(unknown.length, "name")} that no living instance has a handler for: they wait for ever`,
      count: sum(unknown),
      example: unknown[0]?.taskName ?? null,
      todo: "deploy a program that has the handler, or cancel them: effect-taskflow cancel --filter 'task:NAME'"
    })]
  })

const ofBacklog = (backend: TaskBackend["Type"], { handled, workers }: Fleet, now: number) =>
  Effect.gen(function*() {
    const controls = yield* backend.controls.list
    const found: Array<Finding> = []
    for (const { by, since, target } of controls) {
      if (now - since < pausedFor) continue
      const name = target._tag === "Everything" ? "everything" : target.name
      found.push(finding({
        code: "paused",
        level: "note",
        what: `${name} is paused for ${span(now - since)}, by ${by}`,
        example: target._tag === "Everything" ? null : target.name,
        todo: `effect-taskflow resume ${target._tag === "Everything" ? "--all" : word(name)}, if it is not meant to be`
      }))
    }
    const isPaused = (taskName: string) =>
      controls.some(({ target }) => target._tag === "Everything" || target.name === taskName)
    if (workers.length === 0) return found
    const { items } = yield* backend.list({ status: ["pending", "running"], order: "oldest", limit: oldest })
    const stuck = items.filter((record) => {
      if (record.owner !== null || !(record.status === "pending" || isWaiting(record))) return false
      const due = record.nextAttemptAt ?? record.runAt ?? record.createdAt
      return handled.has(record.taskName) && !isPaused(record.taskName) && now - due > stuckAfter
    })
    const [first] = stuck
    if (first !== undefined) {
      const due = first.nextAttemptAt ?? first.runAt ?? first.createdAt
      found.push(finding({
        code: "backlog",
        level: "problem",
        what: `tasks could have started more than an hour ago, the oldest ${
          span(now - due)
        } ago, and somebody has their handlers`,
        count: stuck.length,
        atLeast: items.length === oldest,
        example: `${first.taskId} (${first.taskName})`,
        todo:
          "more instances or more slots (maxConcurrentTasks); or their definition is newer than every instance knows"
      }))
    }
    return found
  })

const ofSchedules = (backend: TaskBackend["Type"], { complete, handled, workers }: Fleet, now: number) =>
  Effect.gen(function*() {
    const all: Array<StoredSchedule> = []
    let cursor: string | undefined
    for (let page = 0; page < pages; page += 1) {
      const { items, nextCursor } = yield* backend.schedules.list({ limit: 200, cursor })
      all.push(...items)
      if (nextCursor === null) break
      cursor = nextCursor
    }
    const found: Array<Finding> = []
    const active = all.filter(({ pausedAt, retiredAt }) => pausedAt === null && retiredAt === null)
    const unseen = active.filter(({ origin, seenAt }) => origin === "code" && now - seenAt > unseenAfter)
    const [left] = unseen
    if (left !== undefined) {
      found.push(finding({
        code: "schedules.undefined",
        level: "problem",
        what: "no living program has these schedules in its code, so they do not fire",
        count: unseen.length,
        example: `${left.name} of task ${left.taskName}, last seen ${time(left.seenAt)}`,
        todo: "start the program that has them; or, if they are to go, any instance retires them after a day"
      }))
    }
    const unhandled = workers.length === 0 || !complete
      ? []
      : active.filter(({ origin, taskName }) => origin === "dynamic" && !handled.has(taskName))
    const [first] = unhandled
    if (first !== undefined) {
      found.push(finding({
        code: "schedules.unhandled",
        level: "problem",
        what: "schedules that were made at run time enqueue tasks that no living instance has a handler for",
        count: unhandled.length,
        example: `${first.name} of task ${first.taskName}`,
        todo: "deploy a program that has the handler, or remove them: DELETE /tasks/schedules/NAME"
      }))
    }
    return found
  })

/** Everything of this, each part by itself. */
export const make = (
  backend: TaskBackend["Type"],
  now: number
): Effect.Effect<
  ReadonlyArray<{ readonly name: string; readonly run: Effect.Effect<ReadonlyArray<Finding>, TaskBackendError> }>
> =>
  Effect.map(Effect.cached(Effect.map(backend.instances, (all) => fleetOf(all, now))), (fleet) => [
    { name: "instances", run: Effect.map(fleet, (known) => ofInstances(known, now)) },
    { name: "names", run: Effect.flatMap(fleet, (known) => ofNames(backend, known)) },
    { name: "backlog", run: Effect.flatMap(fleet, (known) => ofBacklog(backend, known, now)) },
    { name: "schedules", run: Effect.flatMap(fleet, (known) => ofSchedules(backend, known, now)) }
  ])
