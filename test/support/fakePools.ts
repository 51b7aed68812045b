/** Pools without workers: what an attempt does is said by the test, and what was asked of them is remembered. */
import { Effect, Layer } from "effect"
import type { WorkerJob, WorkerListener, WorkerOutcome } from "../../src/executor/job.js"
import type { WorkerPoolOptions } from "../../src/executor/WorkerPool.js"
import { WorkerPools } from "../../src/TaskExecutor.js"

export type Attempt = (job: WorkerJob, listener: WorkerListener) => Effect.Effect<WorkerOutcome>

export const success = (result: unknown = null): WorkerOutcome => ({
  _tag: "Success",
  result: result === null ? null : JSON.stringify(result)
})

const shownOf = (name: string, message: string) => ({
  name,
  message,
  stack: `${name}: ${message}\n    at there (file:///app/w.js:1:1)`
})

export const failure = (error: { readonly _tag: string }, final = false): WorkerOutcome => ({
  _tag: "Failure",
  error: JSON.stringify(error),
  final,
  shown: shownOf(error._tag, "as it said")
})

export const defect = (name: string, message: string, final = false): WorkerOutcome => ({
  _tag: "Defect",
  final,
  shown: shownOf(name, message)
})

export const fakePools = (attempt: Attempt) => {
  const made: Array<WorkerPoolOptions> = []
  const jobs: Array<WorkerJob> = []
  const said: Array<string> = []
  const busy = { thread: 0, process: 0 }
  const most = { thread: 0, process: 0 }
  const layer = Layer.succeed(WorkerPools, {
    make: (options) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          made.push(options)
          const { kind, max } = options
          return {
            max,
            size: () => busy[kind],
            run: (job: WorkerJob, listener: WorkerListener) =>
              Effect.acquireUseRelease(
                Effect.sync(() => {
                  jobs.push(job)
                  busy[kind] += 1
                  most[kind] = Math.max(most[kind], busy[kind])
                }),
                () => attempt(job, listener),
                () => Effect.sync(() => busy[kind] -= 1)
              )
          }
        }),
        () => Effect.sync(() => said.push(`${options.kind} closed with ${busy[options.kind]} busy`))
      )
  })
  return { layer, made, jobs, said, busy, most }
}
