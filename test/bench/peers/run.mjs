/**
 * effect-taskflow beside its peers, in one run: `npm run --silent bench:peers > results.json`, and then
 * `node test/bench/peers/table.mjs results.json` writes the tables of docs/performance.md.
 *
 * Every measurement is a fresh process on a place of its own, dropped afterwards. The rounds are interleaved: of each measure
 * every peer has its turn before the next, and each round begins with another peer. Quote ratios of one run. A peer whose
 * tasks did not each run exactly once has no figure, and the command fails in the end.
 *
 *     BENCH_N=2000 BENCH_ROUNDS=1 BENCH_PEERS=taskflow-redis,bullmq-redis npm run --silent bench:peers
 *
 * BENCH_N (20,000) tasks of BENCH_BYTES (100), BENCH_ROUNDS (3). BENCH_PEERS and BENCH_MEASURES (single, bulk, drain, end, idle)
 * name what is measured; the default is all. BENCH_GROWTH=0,100000,1000000 also drains beside so many finished tasks, which are
 * really run before: this takes long. BENCH_SECONDS (600) bounds one measurement of 100,000 tasks. Where the servers are: PGPORT,
 * PGDATABASE, PGUSER, MYSQL_PORT, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD, REDIS_PORT, BENCH_REDIS_DB.
 *
 * The server's processor time is read from /proc: Linux only. It is the whole server's, so nobody else may use it meanwhile.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as os from "node:os"
import { fileURLToPath } from "node:url"

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))

if (!existsSync(here("node_modules"))) {
  // stdout is for the results.
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: here("."), stdio: ["ignore", 2, 2] })
  if (status !== 0) throw new Error(`npm ci in test/bench/peers ended with ${status}`)
}

const { build } = await import("./build.mjs")
build()
const { durability, peerOf, peers } = await import("./peers.mjs")
const Places = await import("./support/places.mjs")

const list = (/** @type {string} */ name, /** @type {ReadonlyArray<string>} */ all) =>
  process.env[name]?.split(",").map((text) => text.trim()).filter((text) => text !== "") ?? all

const whole = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
  const value = Number(process.env[name] ?? otherwise)
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${name} must be a whole number from 1, and is ${process.env[name]}`)
  }
  return value
}

const n = whole("BENCH_N", 20_000)
const rounds = whole("BENCH_ROUNDS", 3)
const bytes = whole("BENCH_BYTES", 100)
const seconds = whole("BENCH_SECONDS", 600)
const all = ["single", "bulk", "drain", "end", "idle"]
const measures = list("BENCH_MEASURES", all)
for (const measure of measures) {
  if (!all.includes(measure)) throw new Error(`BENCH_MEASURES: ${measure} is none of ${all.join(", ")}`)
}
const growth = list("BENCH_GROWTH", []).map(Number).sort((a, b) => a - b)
if (growth.some((count) => !Number.isInteger(count) || count < 0)) {
  throw new Error("BENCH_GROWTH must be whole numbers with commas between them")
}

// One after another takes its time, and says no more with more of them.
const most = { single: 5_000, idle: 300 }

const log = (/** @type {string} */ text) => process.stderr.write(`${text}\n`)

// Stopped by hand, it drops what it made, and says what it has.
/** @type {import("node:child_process").ChildProcess | undefined} */
let current
let stopped = false
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => {
    stopped = true
    current?.kill("SIGKILL")
  })
}

/** @param {{ readonly n: number, readonly [name: string]: unknown }} request @returns {Promise<Record<string, any>>} */
const measured = (request) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [here("measure.mjs"), JSON.stringify(request)], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      timeout: seconds * 1_000 * Math.ceil(request.n / 100_000),
      killSignal: "SIGKILL"
    })
    current = child
    let answer = ""
    let problems = ""
    child.stdio[3]?.on("data", (data) => answer += data)
    child.stderr?.on("data", (data) => problems = (problems + data).slice(-4_000))
    child.once("close", (code, signal) => {
      if (answer !== "" && code === 0) {
        if (problems !== "") log(problems.trimEnd())
        resolve(JSON.parse(answer))
      } else resolve({ error: `ended with ${code ?? signal}: ${problems.trim()}` })
    })
  })

const librariesOf = () => {
  const find = createRequire(import.meta.url)
  const root = JSON.parse(readFileSync(here("../../../package.json"), "utf8"))
  return Object.fromEntries(peers.map(({ library }) => {
    if (library === root.name) return [library, { version: root.version, license: root.license }]
    const folder = find.resolve.paths(library)?.map((path) => `${path}/${library}/package.json`).find(existsSync)
    const { license, version } = JSON.parse(readFileSync(/** @type {string} */ (folder), "utf8"))
    return [library, { version, license }]
  }))
}

const servers = await Places.servers()
const chosen = list("BENCH_PEERS", peers.map(({ id }) => id)).map(peerOf)
  .filter(({ kind }) => kind === "sqlite" || servers[kind] !== undefined)

/** @type {Array<Record<string, unknown>>} */
const results = []

/** @param {import("./peers.mjs").PeerInfo} peer @param {string} measure */
const sizeOf = ({ most: ofPeer = Infinity }, measure) =>
  Math.min(n, /** @type {Record<string, number>} */ (most)[measure] ?? n, ofPeer)

/** @param {import("./peers.mjs").PeerInfo} peer @param {string} measure @param {number} round @param {import("./support/places.mjs").Place} place @param {number} history @param {string} name */
const record = async (peer, measure, round, place, history, name = measure) => {
  const size = sizeOf(peer, measure)
  const load = os.loadavg()[0]
  const answer = await measured({ peer: peer.id, measure, n: size, bytes, place })
  if (stopped) return
  results.push({ peer: peer.id, measure: name, round, history, n: size, load, ...answer })
  const rate = answer.error ?? (answer.latency === undefined
    ? `${Math.round(size / answer.millis * 1_000)} tasks/s`
    : `p50 ${answer.latency.p50.toFixed(2)} ms`)
  log(`round ${round + 1}  ${measure}  ${history === 0 ? "" : `${history} finished  `}${peer.id}: ${rate}`)
}

for (let round = 0; round < rounds; round += 1) {
  const turn = [...chosen.slice(round % chosen.length), ...chosen.slice(0, round % chosen.length)]
  for (const measure of measures) {
    for (const peer of turn) {
      if (stopped || peer.without?.includes(/** @type {any} */ (measure))) continue
      const place = Places.fresh(peer.kind)
      try {
        await record(peer, measure, round, place, 0)
      } finally {
        await Places.drop(place)
      }
    }
  }
}

// One place for all sizes of a peer: it grows.
if (growth.length > 0) {
  for (const peer of chosen.filter(({ without = [] }) => !without.includes("drain"))) {
    const place = Places.fresh(peer.kind)
    try {
      let finished = 0
      for (const history of stopped ? [] : growth) {
        if (history > finished) {
          log(`${peer.id}: running ${history - finished} tasks that are to be finished`)
          const filled = await measured({ peer: peer.id, measure: "fill", n: history - finished, bytes, place })
          if (stopped) break
          if (filled.error !== undefined) {
            results.push({ peer: peer.id, measure: "growth", round: 0, history, n, error: filled.error })
            break
          }
        }
        finished = Math.max(finished, history)
        for (let round = 0; round < rounds && !stopped; round += 1) {
          await record(peer, "drain", round, place, history, "growth")
        }
      }
    } finally {
      await Places.drop(place)
    }
  }
}

process.stdout.write(`${
  JSON.stringify(
    {
      machine: {
        cpus: os.cpus().length,
        model: os.cpus()[0]?.model.trim() ?? "unknown",
        memoryGiB: Math.round(os.totalmem() / 2 ** 30),
        platform: process.platform,
        node: process.version
      },
      servers,
      settings: { n, rounds, bytes, chunk: 1_000, growth },
      libraries: librariesOf(),
      peers: chosen.map(({ adapter, with: opened, ...peer }) => ({
        ...peer,
        adapter,
        durability: opened?.["synchronous"] === "full" ? durability.full : durability[peer.kind]
      })),
      results
    },
    undefined,
    1
  )
}\n`)
const failed = results.filter(({ error }) => error !== undefined)
for (const { error, measure, peer } of failed) log(`FAILED ${peer}, ${measure}: ${error}`)
process.exitCode = failed.length === 0 ? 0 : 1
