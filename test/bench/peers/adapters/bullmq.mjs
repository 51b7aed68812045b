/**
 * BullMQ on Redis or PostgreSQL. One worker with many tasks at once, as https://docs.bullmq.io/guide/workers/concurrency
 * advises for tasks that wait; PostgreSQL as in https://docs.bullmq.io/guide/postgresql. Finished jobs are kept, which is the
 * default.
 */
import { createPostgresBackend, Queue, Worker } from "bullmq"
import { postgres, redis } from "../support/places.mjs"

export const concurrency = 100

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ place }) => {
  const onRedis = place.kind === "redis"
  const connection = onRedis
    ? { ...redis, maxRetriesPerRequest: null }
    : { ...postgres, schema: place.name, migrate: true }
  const options = onRedis ? { connection, prefix: place.name } : { connection }
  const backend = onRedis ? [] : [createPostgresBackend]
  const queue = new Queue("tasks", options, ...backend)
  await queue.waitUntilReady()
  return {
    enqueueEach: async (payloads) => {
      for (const payload of payloads) await queue.add("noop", payload)
    },
    enqueueMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name: "noop", data }))),
    work: async (run) => {
      const worker = new Worker("tasks", async ({ data }) => run(data), { ...options, concurrency }, ...backend)
      worker.on("error", (problem) => process.stderr.write(`${problem}\n`))
      return () => worker.close()
    },
    unfinished: async () => {
      const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized", "failed")
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    close: () => queue.close()
  }
}
