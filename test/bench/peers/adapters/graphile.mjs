/**
 * graphile-worker with its local queue and batched acknowledgements: the configuration that
 * https://worker.graphile.org/docs/performance gives its best figures for. What has finished is deleted, so it keeps no
 * history. `concurrentJobs` 24, `maxPoolSize` 25, `localQueue.size` 500, both batch delays 0.
 */
import { Logger, makeWorkerUtils, run as start } from "graphile-worker"
import pg from "pg"
import { postgres } from "../support/places.mjs"

const logger = new Logger(() => (level, message) => {
  if (level === "error" || level === "warning") process.stderr.write(`${message}\n`)
})

const { database, host, port, user } = postgres
const connectionString = `postgres://${user}@${host}:${port}/${database}`

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ batched, place }) => {
  const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
  const preset = {
    worker: { connectionString, schema: place.name, concurrentJobs: 24, maxPoolSize: 25, ...(batched ? batching : {}) }
  }
  const utils = await makeWorkerUtils({ preset, logger })
  await utils.migrate()
  const beside = new pg.Client(postgres)
  await beside.connect()
  return {
    enqueueEach: async (payloads) => {
      for (const payload of payloads) await utils.addJob("noop", payload)
    },
    enqueueMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: "noop", payload }))),
    work: async (run) => {
      const runner = await start({
        preset,
        logger,
        noHandleSignals: true,
        taskList: { noop: async (payload) => run(payload) }
      })
      return async () => {
        await runner.stop()
        await runner.promise
      }
    },
    unfinished: async () => {
      const { rows } = await beside.query(`SELECT count(*)::int AS count FROM ${place.name}._private_jobs`)
      return rows[0].count
    },
    close: async () => {
      await beside.end()
      await utils.release()
    }
  }
}
