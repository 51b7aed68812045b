// An application in a process of its own, for `loading.test.ts`. Its last argument says what it does:
// `run` runs an attempt in a thread and in a process and says what they answered; `leave` leaves its pool open and ends;
// `orphan` starts a busy loop in a process and says which.
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

const [poolUrl, moduleUrl, kinds, act] = process.argv.slice(2)
const WorkerPool = await import(poolUrl)

const job = (payload) => ({
  module: { url: moduleUrl, exportName: "default" },
  payload: JSON.stringify(payload),
  maxResultSize: 1_000_000,
  logLevel: "info",
  context: {
    taskId: "t",
    taskName: "small",
    tags: {},
    source: "manual",
    schedule: null,
    attempt: 0,
    instance: "i",
    fence: 1
  }
})
const options = {
  min: 0,
  max: 1,
  idleTimeout: 60_000,
  recycleAfter: Infinity,
  memoryLimit: null,
  startTimeout: 30_000,
  grace: 250
}
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
const listener = { log: (_level, message) => print({ said: message }), progress: () => {} }

const main = Effect.gen(function*() {
  for (const kind of kinds.split(",")) {
    const pool = yield* WorkerPool.make({ ...options, kind })
    print({ kind, outcome: yield* pool.run(job({ busy: act === "orphan" }), listener) })
  }
})

// A pool whose scope nobody closes keeps nothing alive once its workers are idle.
const scoped = act === "leave"
  ? Effect.flatMap(Scope.make(), (scope) => Scope.extend(main, scope))
  : Effect.scoped(main)
await Effect.runPromise(scoped)
