/** The endpoints of the API that this app uses, one function each. */
import { get, type Params, post, remove } from "./request.js"
import type * as Api from "./types.js"

const at = (id: string, path = ""): string => `${encodeURIComponent(id)}${path}`

export const listRuns = (params: Params, signal?: AbortSignal) => get<Api.RunPage>("./", params, signal)
export const facets = (q: string, signal?: AbortSignal) => get<Api.Facets>("facets", { q }, signal)
export const stats = (params: Params, signal?: AbortSignal) => get<Api.WindowStats>("stats", params, signal)
export const buckets = (params: Params, signal?: AbortSignal) => get<Api.Buckets>("buckets", params, signal)
export const overview = (window: string, signal?: AbortSignal) => get<Api.Overview>("overview", { window }, signal)
// An empty text is said too: there is something to begin with.
export const suggest = (text: string, caret: number, signal?: AbortSignal) =>
  get<Api.Suggestions>("suggest?text=", { text, caret }, signal)
export const definitions = (signal?: AbortSignal) => get<Api.Definitions>("definitions", {}, signal)
export const definition = (name: string, signal?: AbortSignal) =>
  get<Api.Definition>(`definitions/${at(name)}`, {}, signal)
export const durations = (params: Params, signal?: AbortSignal) => get<Api.Durations>("durations", params, signal)
export const enqueue = (name: string, body: Api.EnqueueBody) =>
  post<Api.Triggered>(`definitions/${at(name, "/enqueue")}`, body)
export const pause = (name: string) => post<Api.Paused>(`definitions/${at(name, "/pause")}`)
export const resume = (name: string) => post<Api.Resumed>(`definitions/${at(name, "/resume")}`)

export const pauses = () => get<Api.Pauses>("pauses")
export const pauseAll = () => post<Api.Paused>("pause")
export const resumeAll = () => post<Api.Resumed>("resume")

export const errorGroups = (params: Params, signal?: AbortSignal) => get<Api.ErrorGroups>("errors", params, signal)
export const errorGroup = (fingerprint: string, signal?: AbortSignal) =>
  get<Api.ErrorGroup>(`errors/${at(fingerprint)}`, {}, signal)
export const retryGroup = (fingerprint: string, params: Params) =>
  post<Api.ManyRetried>(`errors/${at(fingerprint, "/retry")}`, undefined, params)
export const dismissGroup = (fingerprint: string) => post<undefined>(`errors/${at(fingerprint, "/dismiss")}`)
export const retryFailed = (params: Params) => post<Api.ManyRetried>("retry-failed", undefined, params)

export const run = (id: string, signal?: AbortSignal) => get<Api.RunDetail>(at(id), {}, signal)
export const attempts = (id: string, signal?: AbortSignal) => get<Api.Attempts>(at(id, "/attempts"), {}, signal)
export const logs = (id: string, after: number, signal?: AbortSignal) =>
  get<Api.LogPage>(at(id, "/logs"), { after, limit: 1_000 }, signal)
export const retry = (id: string, changes?: { readonly payload: unknown }) =>
  post<Api.Retried>(at(id, "/retry"), changes)
export const cancel = (id: string) => post<Api.Cancelled>(at(id, "/cancel"))

/** These, or a page of those that a filter shows. */
export type Selection =
  | { readonly ids: ReadonlyArray<string> }
  | { readonly filter: { readonly q: string }; readonly cursor?: string }

export const bulkRetry = (selection: Selection, dryRun: boolean) =>
  post<Api.ManyRetried>("bulk-retry", selection, dryRun ? { dryRun } : {})
export const bulkCancel = (selection: Selection, dryRun: boolean) =>
  post<Api.ManyCancelled>("bulk-cancel", selection, dryRun ? { dryRun } : {})

/** Many runs, done by the server behind its answer: these, those that a filter shows, or those of a group of errors. */
export interface BatchRequest {
  readonly action: "retry" | "cancel"
  readonly selection:
    | { readonly ids: ReadonlyArray<string> }
    | {
      readonly filter: {
        readonly q?: string
        readonly task?: string
        readonly status?: ReadonlyArray<Api.Run["status"]>
      }
    }
    | { readonly group: string }
  readonly perSecond?: number
  readonly startAfter?: number
}

export const startBatch = (request: BatchRequest) => post<Api.BatchAccepted>("batches", request)
export const batches = () => get<Api.BatchList>("batches")
export const batch = (id: string) => get<Api.Batch>(`batches/${at(id)}`)
export const startBatchNow = (id: string) => post<Api.Batch>(`batches/${at(id, "/start")}`)
export const stopBatch = (id: string) => post<Api.BatchStopped>(`batches/${at(id, "/stop")}`)

export const deleteHistory = (value: number, unit: "min" | "hour" | "day", dryRun = false, signal?: AbortSignal) =>
  remove<Api.HistoryDeleted>("history", { value, unit, ...dryRun ? { dryRun } : {} }, signal)

export const schedules = (params: Params, signal?: AbortSignal) => get<Api.Schedules>("schedules", params, signal)
export const schedule = (name: string, signal?: AbortSignal) => get<Api.Schedule>(`schedules/${at(name)}`, {}, signal)
export const scheduleRuns = (name: string, signal?: AbortSignal) =>
  get<Api.ScheduleRuns>(`schedules/${at(name, "/runs")}`, {}, signal)
export const triggerSchedule = (name: string) => post<Api.Triggered>(`schedules/${at(name, "/trigger")}`)
export const pauseSchedule = (name: string) => post<Api.Schedule>(`schedules/${at(name, "/pause")}`)
export const resumeSchedule = (name: string) => post<Api.Schedule>(`schedules/${at(name, "/resume")}`)

export const removeSchedule = (name: string) => remove<unknown>(`schedules/${at(name)}`, {})

export const instances = (signal?: AbortSignal) => get<Api.Instances>("instances", {}, signal)
export const drain = (instance: string) => post<unknown>(`instances/${at(instance, "/drain")}`)
export const undrain = (instance: string) => post<unknown>(`instances/${at(instance, "/undrain")}`)

export const audit = (params: Params, signal?: AbortSignal) => get<Api.AuditTrail>("audit", params, signal)

export const session = () => get<Api.Session>("auth/session")
export const login = (username: string, password: string) => post<Api.Session>("auth/login", { username, password })
export const logout = () => post<undefined>("auth/logout")
