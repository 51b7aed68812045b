/** What a person reads when something does not hold. */
import { Console, Effect } from "effect"
import type { Finding } from "../invariants/Finding.js"
import type { Fleet } from "./fleet.js"
import type { Inflicted } from "./result.js"
import type { Reading } from "./state.js"
import type { Seen } from "./witness.js"

const maxTasks = 10

const describe = (taskId: string, state: Reading, seen: ReadonlyArray<Seen>) =>
  Effect.map(state.attemptsOf(taskId), (attempts) => {
    const { failure, payload, ...record } = state.records.get(taskId) ?? { failure: null, payload: null }
    return [
      `  record   ${JSON.stringify({ payload, ...record, failure: failure?.message ?? null })}`,
      ...attempts.map(({ failure, ...attempt }) =>
        `  attempt  ${JSON.stringify({ ...attempt, failure: failure?.message ?? null })}`
      ),
      ...seen.filter((one) => "taskId" in one && one.taskId === taskId).map((one) =>
        `  seen     ${JSON.stringify(one)}`
      )
    ].join("\n")
  })

const livesOf = (fleet: Fleet): string =>
  fleet.lives.map(({ asked, askedAt, child, deployment, end, endedAt, name, readyAt, skew, startedAt }) =>
    `${name} (pid ${child.pid}, ${deployment}, skew ${skew}) started ${startedAt}, ready ${readyAt}, ` +
    `${asked ?? "not asked to end"} ${askedAt ?? ""}, ended ${endedAt} with ${end}`
  ).join("\n")

export interface Told {
  readonly findings: ReadonlyArray<Finding>
  readonly state: Reading
  readonly seen: ReadonlyArray<Seen>
  readonly inflicted: ReadonlyArray<Inflicted>
  readonly fleet: Fleet
}

/** Every kind of finding with how often it was seen, and the first tasks with everything that is known of them. */
export const print = ({ findings, fleet, inflicted, seen, state }: Told) =>
  Effect.gen(function*() {
    const kinds = new Map<string, number>()
    for (const { what } of findings) kinds.set(what, (kinds.get(what) ?? 0) + 1)
    for (const [what, times] of [...kinds].slice(0, 30)) yield* Console.error(`${times} × ${what}`)
    const tasks = new Map<string, Array<string>>()
    for (const { taskId, what } of findings) {
      if (taskId !== null) tasks.set(taskId, [...tasks.get(taskId) ?? [], what])
    }
    for (const [taskId, what] of [...tasks].slice(0, maxTasks)) {
      yield* Console.error(`\n${taskId}: ${what.join("; ")}\n${yield* describe(taskId, state, seen)}`)
    }
    yield* Console.error(`\n${livesOf(fleet)}`)
    for (const one of inflicted) yield* Console.error(JSON.stringify(one))
    yield* Console.error(`\n${fleet.printed(30)}`)
  })
