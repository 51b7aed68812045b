/**
 * The database goes away in the middle of the work and comes back; the application stays.
 *
 *     npm run chaos:restart -- [--backend postgres|redis] [--seconds 20] [--rate 100] [--down 5] [--lease 3] [--seed n]
 *                              [--appendfsync everysec|always]
 *
 * A server of its own, one process that enqueues `rate` tasks a second and works on them; a third of the way the server is
 * killed with -9 and started `down` seconds later. One JSON line on stdout; exit code 1 when something does not hold. `firstAckMs`: from when the server was back to the first acknowledged enqueue; `caughtUpMs`: to
 * when as much was acknowledged as the rate asks for.
 */
import { parseArgs } from "node:util"
import { Console, Effect } from "effect"
import * as Effects from "./support/effects.js"
import * as Fleet from "./support/fleet.js"
import { runMain } from "./support/main.js"
import { clientOf, folder, fresh, inspect, type Place } from "./support/places.js"
import * as Report from "./support/report.js"
import { startServer } from "./support/servers.js"
import * as State from "./support/state.js"
import { judge } from "./support/verdict.js"

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "postgres" },
    appendfsync: { type: "string", default: "everysec" },
    seconds: { type: "string", default: "20" },
    rate: { type: "string", default: "100" },
    down: { type: "string", default: "5" },
    lease: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) }
  }
})

const over = Number(values.seconds)
const rate = Number(values.rate)
const down = Number(values.down)
const lease = Number(values.lease)
const seed = Number(values.seed)
const count = over * rate

const { backend } = values
if (backend !== "postgres" && backend !== "redis") throw new RangeError(`--backend ${backend}: postgres or redis`)

const appendfsync = values.appendfsync === "always" ? values.appendfsync : "everysec"

const placeOn = (port: number): Place =>
  backend === "postgres"
    ? { kind: "postgres", port, database: "postgres", prefix: "taskflow_" }
    : { kind: "redis", port, prefix: "taskflow" }

const run = Effect.gen(function*() {
  const files = yield* folder
  const server = yield* startServer(backend, { appendfsync })
  const tasks = placeOn(server.port)
  // The witness is elsewhere: it must be able to see what happens while the server is away.
  const { effects } = yield* fresh("sqlite", files)
  yield* Effect.flatMap(clientOf(effects), (sql) => Effects.table(sql, effects))
  const fleet = yield* Fleet.make({
    tasks,
    effects,
    files,
    lease,
    over,
    seed,
    count,
    sameHost: true,
    processes: 1,
    atOnce: 200,
    schedule: null,
    since: null
  })
  const problems: Array<string> = []
  const hold = (isSo: boolean, otherwise: string) => isSo ? undefined : problems.push(otherwise)
  const acknowledged = () => fleet.acknowledged().length

  const ready = Effect.sync(() => fleet.alive().every(({ readyAt }) => readyAt !== null))
  hold(yield* Fleet.until(30, ready), "the process was not ready within 30 s")
  fleet.go()
  const begun = Date.now()
  yield* Effect.sleep(over / 3 * 1_000)
  yield* server.kill
  const before = acknowledged()
  yield* Effect.sleep(down * 1_000)
  const meanwhile = acknowledged() - before
  hold(meanwhile === 0, `${meanwhile} enqueues were acknowledged by a server that was not there`)
  yield* server.start
  const back = Date.now()

  hold(yield* Fleet.until(60, Effect.sync(() => acknowledged() > before)), "nothing was acknowledged within 60 s")
  const firstAckMs = Date.now() - back
  const due = () => Math.min(count, Math.floor((Date.now() - begun) / 1_000 * rate))
  // A tenth of a second of work is always on its way.
  const caughtUp = Effect.sync(() => acknowledged() >= due() - rate / 10)
  hold(yield* Fleet.until(60, caughtUp), "enqueueing did not catch up within 60 s")
  const caughtUpMs = Date.now() - back

  const enqueued = Effect.sync(() => acknowledged() >= count)
  hold(yield* Fleet.until(over + 60, enqueued), "not everything was enqueued in time")
  const { unfinished } = yield* inspect(tasks)
  const idle = Effect.map(unfinished, (left) => left === 0)
  hold(yield* Fleet.until(60 + lease, idle), "not everything had ended 60 s after the last enqueue")
  const seconds = Math.round((Date.now() - begun) / 100) / 10
  problems.push(...yield* Effect.promise(() => fleet.stop("SIGTERM", 20_000)), ...fleet.unexpected)

  const state = yield* State.read({ tasks, effects })
  const { findings, recoveries: _none, recoveryMs: _, ...verdict } = judge(fleet.acknowledged(), state, fleet.lives)
  const all = [...problems.map((what) => ({ what, taskId: null })), ...findings]
  yield* Console.log(
    JSON.stringify({ backend, tasks: count, down, ...verdict, firstAckMs, caughtUpMs, seconds, seed })
  )
  if (all.length > 0) yield* Report.print(all, state, fleet)
  return all.length === 0
}).pipe(Effect.scoped)

runMain(run)
