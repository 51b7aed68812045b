/** The stores beside the tasks, as the port has them. */
import type * as Effect from "effect/Effect"
import type { AuditStore } from "../../AuditStore.js"
import type { ControlStore } from "../../ControlStore.js"
import type { ErrorStore } from "../../ErrorStore.js"
import type { ScheduleStore } from "../../ScheduleStore.js"
import type { InstanceFenced, TaskBackendError } from "../../TaskError.js"
import * as Audit from "./audit.js"
import type { Connections } from "./connections.js"
import * as Controls from "./controls.js"
import type { Sql } from "./dialect.js"
import * as ErrorGroups from "./errorGroups.js"
import * as Schedules from "./schedules.js"

/** Makes the error of a method one of the port. */
export interface Failing {
  readonly told: <A, E>(method: string, self: Effect.Effect<A, E>) => Effect.Effect<A, TaskBackendError>
  readonly fenced: <A, E>(
    method: string,
    self: Effect.Effect<A, E>
  ) => Effect.Effect<A, TaskBackendError | InstanceFenced>
}

export const make = (
  sql: Sql,
  connections: Connections,
  reads: Pick<Connections, "use">,
  { fenced, told }: Failing
) => {
  const schedules = Schedules.make(sql, connections, reads)
  const controls = Controls.make(sql, connections, reads)
  const audit = Audit.make(sql, connections, reads)
  const errors = ErrorGroups.make(sql, connections, reads)
  return {
    schedules: {
      define: (definition, now) => told("schedules.define", schedules.define(definition, now)),
      get: (name) => told("schedules.get", schedules.get(name)),
      list: (page) => told("schedules.list", schedules.list(page)),
      pause: (name, now) => told("schedules.pause", schedules.pause(name, now)),
      resume: (name, now) => told("schedules.resume", schedules.resume(name, now)),
      retire: (name, now) => told("schedules.retire", schedules.retire(name, now)),
      remove: (name) => told("schedules.remove", schedules.remove(name)),
      fireSlot: (request) => fenced("schedules.fireSlot", schedules.fireSlot(request)),
      fireSlots: (requests) => fenced("schedules.fireSlots", schedules.fireSlots(requests))
    } satisfies ScheduleStore,
    controls: {
      pause: (target, by, now) => told("controls.pause", controls.pause(target, by, now)),
      resume: (target) => told("controls.resume", controls.resume(target)),
      list: told("controls.list", controls.list)
    } satisfies ControlStore,
    audit: {
      append: (entries) => told("audit.append", audit.append(entries)),
      page: (query) => told("audit.page", audit.page(query)),
      deleteBefore: (cutoff, limit) => told("audit.deleteBefore", audit.deleteBefore(cutoff, limit))
    } satisfies AuditStore,
    errors: {
      list: (query) => told("errors.list", errors.list(query)),
      get: (fingerprint) => told("errors.get", errors.get(fingerprint)),
      dismiss: (fingerprint) => told("errors.dismiss", errors.dismiss(fingerprint))
    } satisfies ErrorStore
  }
}
