/**
 * The library under fire: a fleet of real processes on one database, everything going wrong that a seed says, and a judge who
 * knows what the contract promises.
 *
 *     npm run chaos -- --backend sqlite|postgres|mariadb|redis [--seconds 60] [--seed n] [--faults kill,freeze,…]
 *                      [--lease 3] [--workers 3] [--rate 40] [--every 250] [--no-same-host] [--verbose]
 *     npm run chaos -- --list            the faults
 *     npm run chaos -- --plan …          what would be done, and when
 *
 * The seed is printed at once; with the same one the same is done at the same times. One JSON line on stdout at the end; exit code
 * 1 when something does not hold, with what is known of the tasks on stderr.
 */
import { parseArgs } from "node:util"
import { Console, Context, Effect, Exit, Layer } from "effect"
import { TaskBackend, TaskStatus } from "effect-taskflow"
import { all as allFaults } from "./faults/all.js"
import type { World } from "./faults/Fault.js"
import { judge } from "./invariants/all.js"
import { answers } from "./invariants/answers.js"
import { of } from "./invariants/Finding.js"
import * as Books from "./support/books.js"
import { database, hasDatabase } from "./support/database.js"
import { tickName } from "./support/definitions.js"
import * as Fleet from "./support/fleet.js"
import { runMain } from "./support/main.js"
import { backendOf, clientOf, folder, inspect, type Kind, kinds } from "./support/places.js"
import * as Plan from "./support/plan.js"
import * as Report from "./support/report.js"
import * as Result from "./support/result.js"
import * as State from "./support/state.js"
import * as Strikes from "./support/strikes.js"
import * as Witness from "./support/witness.js"

const { values } = parseArgs({
  allowNegative: true,
  options: {
    "backend": { type: "string", default: "sqlite" },
    "seconds": { type: "string", default: "60" },
    "seed": { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    "faults": { type: "string" },
    "lease": { type: "string", default: "3" },
    "workers": { type: "string", default: "3" },
    "rate": { type: "string", default: "40" },
    "every": { type: "string", default: "250" },
    "same-host": { type: "boolean", default: true },
    "list": { type: "boolean", default: false },
    "plan": { type: "boolean", default: false },
    "verbose": { type: "boolean", default: false }
  }
})

const kind = kinds.find((one) => one === values.backend) as Kind
if (kind === undefined) throw new RangeError(`--backend ${values.backend}: one of ${kinds.join(", ")}`)
const number = (name: "seconds" | "seed" | "lease" | "workers" | "rate" | "every", least: number): number => {
  const value = Number(values[name])
  if (value >= least) return value
  throw new RangeError(`--${name} ${values[name]}: a number from ${least}`)
}
const settings = {
  seconds: number("seconds", 1),
  seed: number("seed", 0),
  lease: number("lease", 3) * 1_000,
  workers: number("workers", 2),
  rate: number("rate", 0),
  every: number("every", 10)
}
const applicable = allFaults.filter(({ backends }) => backends.includes(kind))
const asked = values.faults?.split(",") ?? applicable.map(({ name }) => name)
const faults = asked.map((name) => {
  const found = applicable.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new RangeError(`--faults ${name}: of ${kind} one of ${applicable.map((one) => one.name).join(", ")}`)
})
const plan = Plan.make({
  seed: settings.seed,
  seconds: settings.seconds,
  slots: settings.workers,
  faults: faults.map(({ hits, lasts, name }) => {
    const long = lasts(settings.lease)
    return { name, lasts: long, joins: hits === "process" && long[1] === 0 }
  })
})

// Seconds.
const readyWithin = 60
const stuckAfter = 60
const settledWithin = 240
const caughtUpWithin = 90
const toldWithin = 20

/** Whether everything ends. However slow the machine is: as long as something does. */
const settled = <E>(unfinished: Effect.Effect<number, E>, within = settledWithin) =>
  Effect.suspend(() => {
    let least = Number.POSITIVE_INFINITY
    let at = Witness.realNow()
    const over = Effect.map(unfinished, (left) => {
      if (left < least) {
        least = left
        at = Witness.realNow()
      }
      return left === 0 || Witness.realNow() - at > stuckAfter * 1_000
    })
    return Effect.map(Fleet.until(within, over), () => {
      if (least === 0) return "settled" as const
      return Witness.realNow() - at > stuckAfter * 1_000 ? "stuck" as const : "slow" as const
    })
  })

const run = Effect.gen(function*() {
  const { every, lease, rate, seconds, seed, workers } = settings
  yield* Console.error(`chaos on ${kind}, ${seconds} s, --seed ${seed}`)
  const files = yield* folder
  const { place, proxy, reached, server } = yield* database(kind, files)
  if (place.kind !== "redis") {
    yield* Effect.scoped(Effect.flatMap(clientOf(place), (sql) => Books.tables(sql, place)))
  }
  const fleet = yield* Fleet.make({
    place: reached,
    files,
    lease,
    every,
    seed,
    workers,
    rate: rate / workers,
    sameHost: values["same-host"]
  })
  // Whatever goes wrong here, their words say why.
  yield* Effect.addFinalizer((exit) =>
    Exit.isFailure(exit) && !Exit.isInterrupted(exit) ? Console.error(fleet.printed(30)) : Effect.void
  )
  const problems: Array<string> = []
  const hold = (isSo: boolean, otherwise: string) => isSo ? undefined : problems.push(otherwise)
  const ready = Effect.sync(() => fleet.areReady())

  if (!(yield* Fleet.until(readyWithin, ready))) {
    return yield* Effect.fail(new Error(`not every process was ready within ${readyWithin} s`))
  }
  fleet.go()
  const begun = Witness.realNow()
  const world: World = { kind, lease, fleet, place, server, proxy }
  const { inflicted, problems: ofFaults, skipped } = yield* Strikes.carryOut({
    plan,
    faults,
    world,
    verbose: values.verbose,
    tooLate: Math.max(10_000, seconds * 100)
  })
  yield* Effect.sleep(Math.max(0, begun + seconds * 1_000 - Witness.realNow()))

  hold(
    yield* Fleet.until(readyWithin, ready),
    `not every process was there again ${readyWithin} s after the last fault`
  )
  fleet.hush()
  const hushed = Witness.realNow()
  // Made now, as these do not have to outlive the faults.
  const { schedules } = Context.get(yield* Layer.build(backendOf(place)), TaskBackend)
  const { unfinished } = yield* inspect(place)
  // Those that were missed are fired, too.
  const behind = Effect.map(schedules.get(tickName), (ticks) => Math.max(0, hushed - (ticks?.lastSlot ?? 0)))
  const ticks = yield* settled(behind, caughtUpWithin)
  hold(ticks !== "stuck", `the schedule was behind, and no slot fired for ${stuckAfter} s`)
  yield* schedules.pause(tickName, Date.now())
  const paused = Witness.realNow()
  hold((yield* settled(unfinished)) === "settled", `not everything had ended, and nothing more did for ${stuckAfter} s`)
  const settleMs = Witness.realNow() - paused
  const follower = fleet.lives.filter(({ slot }) => slot === fleet.follower)
  const before = yield* State.read(place)
  const ended = [...before.records.values()].filter(({ status }) => TaskStatus.isTerminal(status))
  const heard = Effect.sync(() => {
    const told = new Set(
      of(follower.flatMap(({ name }) => Witness.readLife(files, name)), "told").map((one) => one.taskId)
    )
    return ended.every(({ taskId }) => told.has(taskId))
  })
  yield* Fleet.until(toldWithin, heard)
  const alive = new Set(fleet.alive().map(({ name }) => name))
  const answered = Effect.sync(() => {
    const seen = [...alive].flatMap((name) => Witness.readLife(files, name))
    return answers(alive)({ state: before, seen, settled: true }).length === 0
  })
  yield* Fleet.until(toldWithin, answered)
  yield* Effect.promise(() => fleet.stop("SIGTERM"))

  const state = yield* State.read(place)
  const seen = Witness.read(files)
  const hidden = (from: number, to: number) =>
    inflicted.some((one) =>
      faults.some(({ hits, name }) => hits === "database" && name === one.fault) && one.from < to && one.until > from
    )
  for (const { end, endedAt, name, startedAt } of fleet.failedStarts()) {
    if (!hidden(startedAt, endedAt!)) problems.push(`process ${name} could not start though all was there: ${end}`)
  }
  const deployments = new Map(fleet.lives.map(({ deployment, name }) => [name, deployment]))
  const findings = [
    ...[...problems, ...ofFaults, ...fleet.problems].map((what) => ({ what, taskId: null })),
    ...judge({ state, seen, settled: true }, {
      every,
      deployments,
      alive,
      // On a machine that is too slow for the schedule only what fired is looked at.
      span: { from: begun, until: ticks === "settled" ? hushed : Number.NEGATIVE_INFINITY },
      followedSince: follower[0]?.readyAt ?? begun
    })
  ]
  const result = Result.make({ state, seen, lives: fleet.lives, inflicted, findings })
  yield* Console.log(JSON.stringify({ backend: kind, seed, seconds, ...result, skipped, settleMs }))
  if (findings.length > 0) yield* Report.print({ findings, state, seen, inflicted, fleet })
  return findings.length === 0
}).pipe(Effect.scoped)

// A server that cannot be started is said out loud; under CI it is a failure.
const skipped = Effect.as(
  Console.error(`SKIPPED: chaos on ${kind}, there is no such server to start on this machine`),
  process.env["CI"] !== "true"
)

const listed = Effect.as(
  Effect.forEach(
    allFaults,
    ({ backends, name, what }) => Console.log(`${name.padEnd(16)}${what} (${backends.join(", ")})`)
  ),
  true
)
const planned = Effect.as(
  Effect.zipRight(
    Console.error(`--seed ${settings.seed}`),
    Effect.forEach(plan, (strike) => Console.log(JSON.stringify(strike)))
  ),
  true
)

runMain(values.list ? listed : values.plan ? planned : hasDatabase(kind) ? run : skipped)
