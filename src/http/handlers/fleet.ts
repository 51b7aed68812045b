/** Instances, and what people did. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import type { AuditEntry } from "../../AuditStore.js"
import { shown } from "../../internal/sealed.js"
import { quoted } from "../../internal/shown.js"
import { InstanceId } from "../../TaskEvent.js"
import type { InstanceInfo, Vitals } from "../../TaskPeer.js"
import { requires } from "../auth/permission.js"
import * as PageCursor from "../pageCursor.js"
import { logged, type Parts } from "../parts.js"
import type * as TaskApi from "../TaskApi.js"
import { InstanceNotFound } from "../TaskProblem.js"
import { iso } from "../TaskView.js"

const shownVitals = (vitals: Vitals | null) => {
  const process = vitals?.process ?? null
  return {
    slots: vitals?.slots ?? null,
    waiting: vitals?.waiting ?? null,
    lag: vitals?.lag ?? null,
    tasks: vitals?.tasks ?? null,
    startedAt: process === null ? null : iso(process.startedAt),
    memory: process === null
      ? null
      : { rss: process.rss, heapUsed: process.heapUsed, heapLimit: process.heapLimit },
    beatEvery: vitals?.beatEvery ?? null,
    waits: vitals?.waits ?? null,
    limits: vitals?.limits?.map(({ task, ...limit }) => ({ taskName: task, ...limit })) ?? null
  }
}

const shownInstance = (info: InstanceInfo, here: InstanceId): typeof TaskApi.Instance.Type => ({
  instance: info.id,
  answering: info.id === here,
  host: info.host,
  pid: info.process?.pid ?? null,
  state: info.state,
  beatAt: iso(info.beatAt),
  draining: info.draining,
  versions: info.versions ?? null,
  ...shownVitals(info.vitals)
})

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Of a key that is not here, or not JSON.
    return shown(text)
  }
}

const shownEntry = ({ at, parameters, ...entry }: AuditEntry): typeof TaskApi.AuditEntry.Type => ({
  ...entry,
  at: iso(at),
  parameters: parsed(parameters)
})

export const layer = (api: TaskApi.TaskApi, { audited, manager }: Parts) =>
  HttpApiBuilder.group(api, "fleet", (group) => {
    const drain = (instance: string, draining: boolean) =>
      logged(audited(
        { action: draining ? "instance.drain" : "instance.undrain", target: instance, permission: "drain" },
        Effect.flatMap(manager.drain(InstanceId.make(instance), draining), (there) =>
          there
            ? Effect.succeed({ instance: InstanceId.make(instance), draining })
            : Effect.fail(
              new InstanceNotFound({
                instance,
                message: `no instance ${quoted(instance)} is alive: GET /instances lists those that are`
              })
            ))
      ))
    return group
      .handle("instances", () =>
        logged(Effect.map(manager.instances, (all) => ({
          items: all.map((info) => shownInstance(info, manager.instance))
        }))))
      .handle("drain", ({ path: { instance } }) => drain(instance, true))
      .handle("undrain", ({ path: { instance } }) => drain(instance, false))
      .handle(
        "audit",
        ({ urlParams }) =>
          logged(Effect.gen(function*() {
            yield* requires("audit")
            const cursor = yield* PageCursor.taken("audit", urlParams.cursor)
            const { items, nextCursor } = yield* manager.audit.page({ ...urlParams, cursor })
            return { items: items.map(shownEntry), nextCursor: PageCursor.given("audit", nextCursor) }
          }))
      )
  })
