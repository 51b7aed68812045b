/** What a person reads when something does not hold. */
import { Console, Effect } from "effect"
import type { Fleet } from "./fleet.js"
import type { State } from "./state.js"
import type { Finding, Recovery } from "./verdict.js"

const maxTasks = 10

const describe = (taskId: string, state: State) =>
  Effect.map(state.attemptsOf(taskId), (attempts) => {
    const { failure, payload, ...record } = state.records.get(taskId) ?? { failure: null, payload: null }
    return [
      `  record   ${JSON.stringify({ payload, ...record, failure: failure?.message ?? null })}`,
      ...attempts.map(({ failure, ...attempt }) =>
        `  attempt  ${JSON.stringify({ ...attempt, failure: failure?.message ?? null })}`
      ),
      ...state.rows.filter((row) => row.taskId === taskId).map((row) => `  effect   ${JSON.stringify(row)}`)
    ].join("\n")
  })

const livesOf = (fleet: Fleet): string =>
  fleet.lives.map(({ child, end, killedAt, name, readyAt, startedAt }) => {
    const ready = readyAt === null ? "never ready" : `ready ${readyAt}`
    return `${name} (pid ${child.pid}) started ${startedAt}, ${ready}, ${
      killedAt === null ? `ended ${end}` : `killed ${killedAt}`
    }`
  }).join("\n")

/** Every kind of finding with how often it was seen, and the first tasks with everything that is known of them. */
export const print = (findings: ReadonlyArray<Finding>, state: State, fleet: Fleet) =>
  Effect.gen(function*() {
    const kinds = new Map<string, number>()
    for (const { what } of findings) kinds.set(what, (kinds.get(what) ?? 0) + 1)
    for (const [what, times] of kinds) yield* Console.error(`${times} × ${what}`)
    const tasks = new Map<string, Array<string>>()
    for (const { taskId, what } of findings) {
      if (taskId !== null) tasks.set(taskId, [...tasks.get(taskId) ?? [], what])
    }
    for (const [taskId, what] of [...tasks].slice(0, maxTasks)) {
      yield* Console.error(`\n${taskId}: ${what.join("; ")}\n${yield* describe(taskId, state)}`)
    }
    yield* Console.error(`\n${livesOf(fleet)}\n\n${fleet.printed(30)}`)
  })

/** Every process with its end, and the kills that took longest to recover from, with the task that came last. */
export const slowest = (recoveries: ReadonlyArray<Recovery>, state: State, fleet: Fleet) =>
  Effect.gen(function*() {
    yield* Console.error(livesOf(fleet))
    for (const { killedAt, life, millis, taskId } of recoveries.slice(-3)) {
      yield* Console.error(
        `\n${life}, killed ${killedAt}, ${millis} ms until ${taskId}\n${yield* describe(taskId, state)}`
      )
    }
  })
