/**
 * The crash test: real processes on one database, one of them killed with -9 every second while they enqueue and work.
 *
 *     npm run chaos:crash -- --backend sqlite|postgres|mysql|redis [--tasks 2000] [--processes 3] [--over 30] [--lease 3]
 *                            [--same-host | --no-same-host] [--kill-every 1] [--freeze-every 0] [--cold] [--seed n]
 *                            [--verbose]
 *
 * Runs once with same-host detection and once without, unless one of them is asked for. One JSON line each on stdout; exit
 * code 1 when something does not hold, with what is known of the tasks on stderr. `recoveryMs`: from a kill to when the last
 * task that ran in the killed process had ended or begun elsewhere. `--verbose` shows the slowest of these on stderr.
 *
 * `--freeze-every` also stops a random one (SIGSTOP) for two leases: it wakes up after others took its tasks over. Every 0
 * seconds is never. Then `declaredDead` counts tasks of processes that nobody killed. `--cold` kills from the first moment, while the
 * tables are being made.
 */
import { parseArgs } from "node:util"
import { Console, Effect, Exit } from "effect"
import * as Effects from "./support/effects.js"
import * as Fleet from "./support/fleet.js"
import { runMain } from "./support/main.js"
import { random } from "./support/orders.js"
import { clientOf, folder, fresh, inspect, type Kind, kinds } from "./support/places.js"
import * as Report from "./support/report.js"
import * as State from "./support/state.js"
import { judge } from "./support/verdict.js"

const { values } = parseArgs({
  allowNegative: true,
  options: {
    "backend": { type: "string", default: "sqlite" },
    "tasks": { type: "string", default: "2000" },
    "processes": { type: "string", default: "3" },
    "over": { type: "string", default: "30" },
    "lease": { type: "string", default: "3" },
    "kill-every": { type: "string", default: "1" },
    "freeze-every": { type: "string", default: "0" },
    "same-host": { type: "boolean" },
    "cold": { type: "boolean", default: false },
    "verbose": { type: "boolean", default: false },
    "seed": { type: "string", default: String(Date.now() % 1_000_000) }
  }
})

const kind = kinds.find((one) => one === values.backend) as Kind
if (kind === undefined) throw new RangeError(`--backend ${values.backend}: one of ${kinds.join(", ")}`)
const settings = {
  tasks: Number(values.tasks),
  processes: Number(values.processes),
  over: Number(values.over),
  lease: Number(values.lease),
  killEvery: Number(values["kill-every"]),
  freezeEvery: Number(values["freeze-every"]),
  seed: Number(values.seed)
}

const sometimes =
  (every: number, salt: number, disturb: (fleet: Fleet.Fleet, victim: Fleet.Life) => void) => (fleet: Fleet.Fleet) =>
    Effect.gen(function*() {
      const next = random(settings.seed + salt)
      for (let at = every; every > 0 && at < settings.over; at += every) {
        yield* Effect.sleep(every * 1_000)
        const alive = fleet.alive()
        const victim = alive[Math.floor(next() * alive.length)]
        if (victim !== undefined) disturb(fleet, victim)
      }
    })

const killing = sometimes(settings.killEvery, 0, (fleet, victim) => fleet.kill(victim))

// Long enough to be declared dead, and then to wake up among those who took over.
const freezing = sometimes(settings.freezeEvery, 1, (fleet, victim) => fleet.freeze(victim, settings.lease * 2_000))

const run = (sameHost: boolean) =>
  Effect.gen(function*() {
    const begun = Date.now()
    const files = yield* folder
    const places = yield* fresh(kind, files)
    const { effects, tasks } = places
    yield* Effect.flatMap(clientOf(effects), (sql) => Effects.table(sql, effects))
    const { lease, over, processes, seed } = settings
    const fleet = yield* Fleet.make({
      ...places,
      files,
      lease,
      over,
      processes,
      seed,
      sameHost,
      count: settings.tasks,
      atOnce: 32,
      schedule: null,
      since: values.cold ? begun : null
    })
    // Whatever goes wrong here, their words say why.
    yield* Effect.addFinalizer((exit) =>
      Exit.isFailure(exit) && !Exit.isInterrupted(exit) ? Console.error(fleet.printed(30)) : Effect.void
    )
    const problems: Array<string> = []
    const hold = (isSo: boolean, otherwise: string) => isSo ? undefined : problems.push(otherwise)

    if (!values.cold) {
      const ready = Effect.sync(() => fleet.alive().every(({ readyAt }) => readyAt !== null))
      hold(yield* Fleet.until(30, ready), "not every process was ready within 30 s")
      fleet.go()
    }
    yield* Effect.all([killing(fleet), freezing(fleet), Effect.sleep(settings.over * 1_000)], {
      concurrency: "unbounded"
    })

    const enqueued = Effect.sync(() => fleet.acknowledged().length >= settings.tasks)
    hold(yield* Fleet.until(60 + lease, enqueued), "not everything was enqueued 60 s after the last kill")
    const { unfinished } = yield* inspect(tasks)
    const idle = Effect.map(unfinished, (left) => left === 0)
    hold(yield* Fleet.until(60 + lease, idle), "not everything had ended 60 s after the last enqueue")
    const ended = Date.now()
    problems.push(...yield* Effect.promise(() => fleet.stop("SIGTERM", 20_000)), ...fleet.unexpected)

    const state = yield* State.read({ tasks, effects })
    const { findings, recoveries, ...verdict } = judge(fleet.acknowledged(), state, fleet.lives)
    const all = [...problems.map((what) => ({ what, taskId: null })), ...findings]
    const kills = fleet.lives.filter(({ killedAt }) => killedAt !== null).length
    const seconds = Math.round((ended - begun) / 100) / 10
    yield* Console.log(
      JSON.stringify({ backend: kind, sameHost, tasks: settings.tasks, kills, ...verdict, seconds, seed })
    )
    if (values.verbose) yield* Report.slowest(recoveries, state, fleet)
    if (all.length > 0) yield* Report.print(all, state, fleet)
    return all.length === 0
  }).pipe(Effect.scoped)

const asked = values["same-host"]
const modes = asked === undefined ? [true, false] : [asked]

runMain(Effect.map(Effect.forEach(modes, run), (outcomes) => outcomes.every(Boolean)))
