/**
 * plainjob on better-sqlite3. It sets WAL and synchronous = NORMAL itself, takes one task at a time, and has no retries and
 * no lease. Its API is synchronous. Settings: its readme, "Defining Workers"; `pollIntervall` from its types, in place of the
 * default of a second.
 */
import Database from "better-sqlite3"
import { better, defineQueue, defineWorker, JobStatus } from "plainjob"
import { fileOf } from "../support/places.mjs"

const quiet = { error: console.error, warn: console.error, info: () => {}, debug: () => {} }

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ place }) => {
  const queue = defineQueue({ connection: better(new Database(fileOf(place))), logger: quiet })
  return {
    enqueueEach: async (payloads) => {
      for (const payload of payloads) await queue.add("noop", payload)
    },
    enqueueMany: async (payloads) => queue.addMany("noop", payloads),
    work: async (run) => {
      const worker = defineWorker("noop", ({ data }) => run(JSON.parse(data)), {
        queue,
        pollIntervall: 1,
        logger: quiet
      })
      const running = worker.start()
      return async () => {
        await worker.stop()
        await running
      }
    },
    unfinished: async () =>
      queue.countJobs({ type: "noop", status: JobStatus.Pending }) +
      queue.countJobs({ type: "noop", status: JobStatus.Processing }),
    close: async () => queue.close()
  }
}
