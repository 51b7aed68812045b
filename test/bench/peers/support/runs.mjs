/**
 * Counts how often each task ran. A figure of a peer that lost a task or ran one twice is no figure.
 */
import { performance } from "node:perf_hooks"
import { clearInterval, setInterval } from "node:timers"
import { setTimeout as sleep } from "node:timers/promises"

/** A peer that starts nothing for so long has lost something. */
const patience = 60_000

export const make = () => {
  /** @type {Map<number, number>} */
  const counts = new Map()
  let started = 0
  let wanted = 0
  let expected = 0
  let wake = () => {}
  /** What `onStart` is told is when a task started. @type {(at: number) => void} */
  let onStart = () => {}

  /** What the handler calls. @param {import("./peer.mjs").Payload} payload */
  const run = ({ id }) => {
    onStart(performance.now())
    counts.set(id, (counts.get(id) ?? 0) + 1)
    started += 1
    if (started >= wanted) wake()
  }

  /** @param {ReadonlyArray<import("./peer.mjs").Payload>} tasks */
  const expect = (tasks) => {
    expected += tasks.length
    return tasks
  }

  /** Until as many runs have started as are expected. */
  const allStarted = async () => {
    if (started >= expected) return
    let timer
    await new Promise((resolve, reject) => {
      wanted = expected
      wake = () => resolve(undefined)
      let seen = started
      const look = () => {
        if (started === seen) {
          reject(new Error(`${started} of ${expected} tasks ran, and none more for ${patience / 1_000} s`))
        }
        seen = started
      }
      timer = setInterval(look, patience)
    }).finally(() => clearInterval(timer))
  }

  /** Until the store has nothing left that is unfinished. @param {import("./peer.mjs").Peer} peer */
  const settled = async (peer) => {
    await allStarted()
    const until = performance.now() + patience
    for (let left = await peer.unfinished(); left > 0; left = await peer.unfinished()) {
      if (performance.now() > until) {
        throw new Error(`all ${expected} tasks ran, and ${left} are unfinished in the store`)
      }
      await sleep(1)
    }
  }

  /** Throws unless each task ran exactly once, also a moment later. @param {import("./peer.mjs").Peer} peer */
  const verify = async (peer) => {
    await settled(peer)
    await sleep(50)
    const twice = [...counts.values()].filter((count) => count !== 1).length
    if (counts.size !== expected || twice > 0) {
      throw new Error(`${expected} tasks were enqueued, ${counts.size} ran, ${twice} of them more than once`)
    }
    return counts.size
  }

  return {
    run,
    expect,
    settled,
    verify,
    /** @param {(at: number) => void} listener */
    listen: (listener) => {
      onStart = listener
    }
  }
}
