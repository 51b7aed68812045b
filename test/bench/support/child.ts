/**
 * Runs one measurement in a fresh process: its memory is its own, and no measurement warms up the next one.
 *
 * The benchmark's main module is started again with the request in the environment; `answerParent` finds it there.
 */
import { fork } from "node:child_process"

const variable = "BENCH_REQUEST"

/** Starts `process.argv[1]` again with `request`, and gives what it answers. */
export const ask = <Request, Answer>(request: Request): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const child = fork(process.argv[1]!, [], { env: { ...process.env, [variable]: JSON.stringify(request) } })
    let answer: { readonly value: Answer } | undefined
    // safe: the same module answers what it was asked
    child.on("message", (value) => answer = { value: value as Answer })
    child.on("error", reject)
    child.on("exit", (code, signal) => {
      if (answer !== undefined && code === 0) resolve(answer.value)
      else reject(new Error(`measurement ${JSON.stringify(request)} ended with ${signal ?? code}`))
    })
  })

/** In a process started by `ask`: computes the answer, sends it and says true. Elsewhere says false. */
export const answerParent = async <Request>(compute: (request: Request) => Promise<unknown>): Promise<boolean> => {
  const request = process.env[variable]
  if (request === undefined) return false
  // safe: `ask` of the same module wrote it
  process.send!(await compute(JSON.parse(request) as Request))
  process.disconnect()
  return true
}
