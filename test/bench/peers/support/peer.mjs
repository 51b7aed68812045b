/**
 * What every peer is asked for, and the tasks that it is given.
 *
 * @typedef {{ readonly id: number, readonly to: string, readonly note: string }} Payload
 *
 * @typedef {object} Opening
 * @property {import("./places.mjs").Place} place Empty, and this peer's alone.
 * @property {boolean} [batched] Of graphile-worker.
 * @property {number} [slots] Of effect-taskflow: how many tasks run at once.
 * @property {"normal" | "full"} [synchronous] Of effect-taskflow on SQLite.
 *
 * @typedef {object} Peer
 * @property {(payloads: ReadonlyArray<Payload>) => Promise<unknown>} enqueueEach One after another, each awaited.
 * @property {(payloads: ReadonlyArray<Payload>) => Promise<unknown>} enqueueMany In the way the peer has for many at once.
 * @property {(run: (payload: Payload) => void) => Promise<() => Promise<void>>} work Starts a worker; the answer stops it.
 * @property {() => Promise<number>} unfinished How many the store itself has that did not succeed.
 * @property {() => Promise<unknown>} close
 */

/** Tasks whose payload has about `bytes` bytes as JSON, with ids of their own. @param {number} bytes */
export const payloads = (bytes) => {
  const bare = JSON.stringify({ id: 10_000_000, to: "somebody@example.com", note: "" }).length
  const note = "x".repeat(Math.max(0, bytes - bare))
  let last = 0
  /** @param {number} count @returns {ReadonlyArray<Payload>} */
  return (count) => Array.from({ length: count }, () => ({ id: last += 1, to: "somebody@example.com", note }))
}
