/**
 * One run that somebody looks at: its record, its attempts and its log, read once and then kept by the stream. It stays as it was
 * told last when the run is not kept any more.
 */
import { batch, type ReadonlySignal, signal } from "@preact/signals"
import type { Frame } from "../../http/stream/frame.js"
import * as TaskStream from "../../http/stream/reduce.js"
import * as endpoints from "../api/endpoints.js"
import { ApiProblem, isAborted, isProblem } from "../api/problem.js"
import { type Attempt, isEnded, type LogLine, type Run, type RunDetail } from "../api/types.js"
import * as store from "../live/store.js"

export type RunState =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly run: RunDetail; readonly attempts: ReadonlyArray<Attempt> }
  | { readonly kind: "gone"; readonly run: RunDetail | null }
  | { readonly kind: "failed"; readonly problem: ApiProblem }

export interface LogState {
  readonly lines: ReadonlyArray<LogLine>
  readonly hidden: boolean
  readonly phase: "loading" | "ready" | "failed"
}

export interface OpenRun {
  readonly state: ReadonlySignal<RunState>
  readonly log: ReadonlySignal<LogState>
  readonly reload: () => Promise<void>
  readonly stop: () => void
}

/** Whether what was told is newer than what is shown; of two with one version the later one wins. */
export const isNewer = (told: Run, shown: Pick<Run, "v">): boolean => told.v >= shown.v

/** Whether more changed than a summary tells: then the whole record is read again. */
export const needsReading = (told: Run, shown: Run): boolean =>
  told.v !== shown.v || told.status !== shown.status || told.attempts !== shown.attempts

const soon = 250
// A person passes over rows faster than the stream should be asked for each of them.
const watchAfter = 300

const problemOf = (error: unknown): ApiProblem =>
  isProblem(error) ? error : new ApiProblem("Unreadable", 0, String(error))

const summariesOf = (frame: Frame<Run>, id: string): ReadonlyArray<Run> => {
  if (frame.t === "run") return frame.run === id && frame.patch !== null ? [frame.patch] : []
  return frame.t === "runs" ? [...frame.n, ...frame.u].filter(({ taskId }) => taskId === id) : []
}

const isGone = (frame: Frame<Run>, id: string): boolean =>
  frame.t === "run" && frame.run === id && frame.patch === null || frame.t === "runs" && frame.d.includes(id)

export const openRun = (id: string): OpenRun => {
  const asking = new AbortController()
  const state = signal<RunState>({ kind: "loading" })
  const log = signal<LogState>({ lines: [], hidden: false, phase: "loading" })
  let fold = TaskStream.watch(TaskStream.empty<Run>(), id)
  let reading: ReturnType<typeof setTimeout> | undefined
  let fetching = false
  let lookedAt = false
  let watching = false

  const showLog = (changes: Partial<LogState> = {}): void => {
    // safe: what is folded are lines of the API and of the stream, which are the same
    const lines = (fold.logs.get(id)?.lines ?? []) as ReadonlyArray<LogLine>
    log.value = { ...log.peek(), lines, ...changes }
  }

  /** Lines behind those that are known, until there are no more. */
  const readLog = async (): Promise<void> => {
    if (fetching) return
    fetching = true
    try {
      for (;;) {
        const after = fold.logs.get(id)?.next ?? 0
        const { hidden, items } = await endpoints.logs(id, after, asking.signal)
        fold = TaskStream.lines(fold, id, after, items)
        showLog({ hidden, phase: "ready" })
        const known = fold.logs.get(id)
        if (items.length === 0 || known === undefined || items.length < 1_000 && !TaskStream.isBehind(known)) break
      }
    } catch (error) {
      if (!isAborted(error)) showLog({ phase: "failed" })
    } finally {
      fetching = false
    }
  }

  const watch = (on: boolean): void => {
    if (on === watching) return
    watching = on
    const topics = [`run:${id}`, ...log.peek().hidden ? [] : [`log:${id}`]]
    const others = store.watched.peek().filter((topic) => !topic.endsWith(id))
    store.watched.value = on ? [...others, ...topics] : others
  }

  /** Hears of a run that is known and goes on. Its last lines are read when it has ended. */
  const watchIfUnfinished = (): void => {
    const shown = state.peek()
    if (!lookedAt || shown.kind !== "ready") return
    if (watching && isEnded(shown.run)) void readLog()
    watch(!isEnded(shown.run))
  }

  const reload = async (): Promise<void> => {
    clearTimeout(reading)
    reading = undefined
    try {
      const [run, { items }] = await Promise.all([
        endpoints.run(id, asking.signal),
        endpoints.attempts(id, asking.signal)
      ])
      const shown = state.peek()
      if (shown.kind === "ready" && run.v < shown.run.v) return
      state.value = { kind: "ready", run, attempts: items }
      watchIfUnfinished()
    } catch (error) {
      if (isAborted(error)) return
      if (isProblem(error, "TaskNotFound")) gone()
      else if (state.peek().kind !== "ready") state.value = { kind: "failed", problem: problemOf(error) }
    }
  }

  const gone = (): void => {
    const shown = state.peek()
    state.value = { kind: "gone", run: shown.kind === "ready" ? shown.run : null }
  }

  const told = (run: Run): void => {
    const shown = state.peek()
    if (shown.kind !== "ready" || !isNewer(run, shown.run)) return
    if (needsReading(run, shown.run)) reading ??= setTimeout(() => void reload(), soon)
    // The list cuts errors short; the record has the whole.
    const { error } = run.v === shown.run.v ? shown.run : run
    state.value = { ...shown, run: { ...shown.run, ...run, error } }
  }

  const stopFrames = store.onFrame((frame) =>
    batch(() => {
      if (frame.t === "reset") reading ??= setTimeout(() => void reload(), soon)
      if (isGone(frame, id)) return gone()
      for (const run of summariesOf(frame, id)) told(run)
      if (frame.t !== "log" || frame.run !== id) return
      fold = TaskStream.frame(fold, frame, null)
      showLog()
      const known = fold.logs.get(id)
      if (known !== undefined && TaskStream.isBehind(known)) void readLog()
    })
  )

  const looking = setTimeout(() => {
    lookedAt = true
    watchIfUnfinished()
  }, watchAfter)

  void reload()
  void readLog()

  return {
    state,
    log,
    reload: async () => {
      await Promise.all([reload(), readLog()])
    },
    stop: () => {
      asking.abort()
      stopFrames()
      clearTimeout(reading)
      clearTimeout(looking)
      watch(false)
    }
  }
}
