/**
 * One measurement of one peer, in a process of its own: `node measure.mjs '{"peer":…,"measure":…}'`, as run.mjs starts it. The
 * answer is one line of JSON on the file descriptor 3; what a library prints is not in its way.
 *
 * `single`: one task after another, each awaited. `bulk`: chunks of 1,000, one after another. `drain`: all are there, then the
 * worker comes, until the store has nothing unfinished. `end`: the worker is there, chunks of 1,000 one after another, until
 * the store has nothing unfinished. `idle`: from before a task is enqueued until its handler starts, on a worker with
 * nothing to do. `fill`: as `end`, for the finished tasks that a later `drain` has beside it.
 *
 * Everything warms up first, and in the end every task has to have run exactly once.
 */
import { writeSync } from "node:fs"
import { performance } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { peerOf } from "./peers.mjs"
import { payloads as payloadsOf } from "./support/peer.mjs"
import * as Runs from "./support/runs.mjs"
import { peakMiB, start } from "./support/usage.mjs"

const chunk = 1_000
/** Between two tasks of `idle`. */
const pause = 5

/** @type {{ readonly peer: string, readonly measure: string, readonly n: number, readonly bytes: number, readonly place: import("./support/places.mjs").Place }} */
const { bytes, measure, n, peer: id, place } = JSON.parse(process.argv[2])
const warmUp = Math.min(2_000, n)

const info = peerOf(id)
const { open } = await import(`./adapters/${info.adapter}.mjs`)
/** @type {import("./support/peer.mjs").Peer} */
const peer = await open({ ...info.with, place })
const runs = Runs.make()
const next = payloadsOf(bytes)

/** @param {ReadonlyArray<import("./support/peer.mjs").Payload>} tasks */
const inChunks = async (tasks) => {
  for (let from = 0; from < tasks.length; from += chunk) await peer.enqueueMany(tasks.slice(from, from + chunk))
}

/** So many that are expected to run. @param {number} count */
const tasksOf = (count) => runs.expect(next(count))

/** @param {number} share @param {ReadonlyArray<number>} values */
const quantile = (share, values) => [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)]

/** @typedef {ReadonlyArray<import("./support/peer.mjs").Payload>} Tasks */

/** Puts them in while nobody works, then works all off. @param {(tasks: Tasks) => Promise<unknown>} put @param {number} warm */
const enqueueAlone = async (put, warm) => {
  const early = info.atOnce === true ? await peer.work(runs.run) : undefined
  await put(tasksOf(warm))
  const tasks = tasksOf(n)
  const stopped = start(info.kind)
  await put(tasks)
  const used = stopped()
  const peak = peakMiB()
  const stop = early ?? await peer.work(runs.run)
  await runs.verify(peer)
  await stop()
  return { ...used, peak }
}

const drain = async () => {
  const stopWarm = await peer.work(runs.run)
  await inChunks(tasksOf(warmUp))
  await runs.verify(peer)
  await stopWarm()
  await inChunks(tasksOf(n))
  const stopped = start(info.kind)
  const stop = await peer.work(runs.run)
  await runs.settled(peer)
  const used = stopped()
  const peak = peakMiB()
  await runs.verify(peer)
  await stop()
  return { ...used, peak }
}

const endToEnd = async () => {
  const stop = await peer.work(runs.run)
  await inChunks(tasksOf(warmUp))
  await runs.verify(peer)
  const tasks = tasksOf(n)
  const stopped = start(info.kind)
  await inChunks(tasks)
  await runs.settled(peer)
  const used = stopped()
  const peak = peakMiB()
  await runs.verify(peer)
  await stop()
  return { ...used, peak }
}

const idle = async () => {
  const stop = await peer.work(runs.run)
  await peer.enqueueEach(tasksOf(100))
  await runs.verify(peer)
  /** @type {Array<number>} */
  const latencies = []
  const stopped = start(info.kind)
  for (let count = 0; count < n; count += 1) {
    await sleep(pause)
    const started = new Promise((resolve) => runs.listen(resolve))
    const from = performance.now()
    await peer.enqueueEach(tasksOf(1))
    await runs.settled(peer)
    latencies.push(Number(await started) - from)
  }
  const used = stopped()
  const peak = peakMiB()
  runs.listen(() => {})
  await runs.verify(peer)
  await stop()
  return {
    ...used,
    peak,
    latency: { p50: quantile(0.5, latencies), p95: quantile(0.95, latencies), p99: quantile(0.99, latencies) }
  }
}

/** @type {Record<string, () => Promise<Record<string, unknown>>>} */
const measures = {
  single: () => enqueueAlone(peer.enqueueEach, warmUp / 4),
  bulk: () => enqueueAlone(inChunks, warmUp),
  drain,
  end: endToEnd,
  fill: endToEnd,
  idle
}

const answer = await measures[measure]()
writeSync(3, `${JSON.stringify(answer)}\n`)
await Promise.race([peer.close(), sleep(10_000)])
process.exit(0)
