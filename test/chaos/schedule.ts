/**
 * A schedule in a fleet that is killed, stopped and stalled: every slot fires once, or passes over as its policy says.
 *
 *     npm run chaos:schedule -- --backend sqlite|postgres|mysql|redis [--seconds 60] [--every 200] [--processes 3]
 *                               [--misfire all|once|skip] [--lease 3] [--stall 2] [--seed n]
 *
 * Processes on one database, each with the same schedule in its code. After a quarter of the time one of them is killed (and
 * started again), after half of it another one is stopped for two leases, after three quarters all of them for `stall` seconds.
 * One JSON line on stdout; exit code 1 when something does not hold. With `all` nothing may be missing. Else what is `missing`
 * was counted as missed by those who passed it over (`counted`); only who was killed may have had no time to say so.
 */
import { parseArgs } from "node:util"
import { Console, Context, Effect, Exit, Layer } from "effect"
import { TaskBackend } from "effect-taskflow"
import * as Effects from "./support/effects.js"
import * as Fleet from "./support/fleet.js"
import { runMain } from "./support/main.js"
import { random, type Ticking } from "./support/orders.js"
import { backendOf, clientOf, folder, fresh, inspect, type Kind, kinds } from "./support/places.js"
import * as Report from "./support/report.js"
import * as Slots from "./support/slots.js"
import * as State from "./support/state.js"
import { judge } from "./support/verdict.js"

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "sqlite" },
    seconds: { type: "string", default: "60" },
    every: { type: "string", default: "200" },
    processes: { type: "string", default: "3" },
    misfire: { type: "string", default: "all" },
    lease: { type: "string", default: "3" },
    stall: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) }
  }
})

const kind = kinds.find((one) => one === values.backend) as Kind
if (kind === undefined) throw new RangeError(`--backend ${values.backend}: one of ${kinds.join(", ")}`)
const misfire = (["all", "once", "skip"] as const).find((one) => one === values.misfire)
if (misfire === undefined) throw new RangeError(`--misfire ${values.misfire}: all, once or skip`)
const ticking: Ticking = { name: "ticks", every: Number(values.every), misfire }
const over = Number(values.seconds)
const lease = Number(values.lease)
const stall = Number(values.stall)
const seed = Number(values.seed)

const run = Effect.gen(function*() {
  const files = yield* folder
  const places = yield* fresh(kind, files)
  const { effects, tasks } = places
  yield* Effect.flatMap(clientOf(effects), (sql) => Effects.table(sql, effects))
  const { schedules } = Context.get(yield* Layer.build(backendOf(tasks)), TaskBackend)
  const fleet = yield* Fleet.make({
    ...places,
    files,
    lease,
    over,
    seed,
    count: 0,
    sameHost: true,
    processes: Number(values.processes),
    atOnce: 1,
    schedule: ticking,
    since: null
  })
  yield* Effect.addFinalizer((exit) =>
    Exit.isFailure(exit) && !Exit.isInterrupted(exit) ? Console.error(fleet.printed(30)) : Effect.void
  )
  const problems: Array<string> = []
  const hold = (isSo: boolean, otherwise: string) => isSo ? undefined : problems.push(otherwise)

  const ready = Effect.sync(() => fleet.alive().every(({ readyAt }) => readyAt !== null))
  hold(yield* Fleet.until(60, ready), "not every process was ready within 60 s")
  fleet.go()
  const next = random(seed)
  const [killed, frozen] = fleet.lives.map((life) => ({ life, at: next() })).sort((a, b) => a.at - b.at)
  const quarter = Effect.sleep(over * 250)
  yield* quarter
  fleet.kill(killed!.life)
  yield* quarter
  fleet.freeze(frozen!.life, lease * 2_000)
  yield* quarter
  for (const life of fleet.alive()) fleet.freeze(life, stall * 1_000)
  yield* quarter
  // Whoever was killed is there again, and whoever was stopped has caught up.
  hold(yield* Fleet.until(60, ready), "the one that was killed was not ready again within 60 s")
  yield* Effect.sleep(Math.max(0, lease * 2_000 - over * 500, stall * 1_000 - over * 250) + 1_000)
  const pausedAt = Date.now()
  yield* schedules.pause(ticking.name, pausedAt)
  const { unfinished } = yield* inspect(tasks)
  const idle = Effect.map(unfinished, (left) => left === 0)
  hold(yield* Fleet.until(60 + lease, idle), "not every task had ended 60 s after the pause")
  problems.push(...yield* Effect.promise(() => fleet.stop("SIGTERM", 20_000)), ...fleet.unexpected)

  const state = yield* State.read({ tasks, effects })
  const { findings: ofTasks } = judge([], state, fleet.lives)
  const { findings: ofSlots, last, ...slots } = Slots.judge(state.records.values(), ticking.name, ticking.every)
  const { missing } = slots
  hold(slots.slots * ticking.every >= over * 900, "not as many slots as the time has")
  hold(
    last <= pausedAt && last >= pausedAt - ticking.every - 1_000,
    `the last slot is ${pausedAt - last} ms before the pause`
  )
  hold((yield* schedules.get(ticking.name))?.lastSlot === last, "what is kept as the last slot is another one")
  const said = fleet.passedOver()
  const counted = [...said.values()].reduce((sum, count) => sum + count, 0)
  if (misfire === "all") {
    hold(missing === 0, `${missing} slots are missing`)
  } else {
    // What was passed over just before the kill.
    const unsaid = said.has(killed!.life.name) ? 5 : 0
    hold(missing <= counted + unsaid, `${missing} slots are missing, and ${counted} were counted`)
  }
  const findings = [...problems.map((what) => ({ what, taskId: null })), ...ofSlots, ...ofTasks]
  yield* Console.log(
    JSON.stringify({ backend: kind, misfire, every: ticking.every, seconds: over, ...slots, counted, seed })
  )
  if (findings.length > 0) yield* Report.print(findings, state, fleet)
  return findings.length === 0
}).pipe(Effect.scoped)

runMain(run)
