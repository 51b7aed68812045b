/**
 * pg-boss, with batches and no wait while they are full, and LISTEN/NOTIFY in place of polling alone. Settings:
 * https://pgboss.io/api/workers (`batchSize`, `burstWhenBatchFull`), https://pgboss.io/api/constructor (`useListenNotify`)
 * and https://pgboss.io/api/queues (`notify`). Finished jobs are kept, which is the default (seven days).
 */
import pg from "pg"
import { PgBoss } from "pg-boss"
import { postgres } from "../support/places.mjs"

export const batchSize = 2_000

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ place }) => {
  const boss = new PgBoss({ ...postgres, schema: place.name, useListenNotify: true, schedule: false })
  boss.on("error", (problem) => process.stderr.write(`${problem}\n`))
  await boss.start()
  if ((await boss.getQueue("noop")) === null) await boss.createQueue("noop", { notify: true })
  const beside = new pg.Client(postgres)
  await beside.connect()
  return {
    enqueueEach: async (payloads) => {
      for (const payload of payloads) await boss.send("noop", payload)
    },
    enqueueMany: (payloads) => boss.insert("noop", payloads.map((data) => ({ data }))),
    work: async (run) => {
      await boss.work("noop", { batchSize, burstWhenBatchFull: true }, async (jobs) => {
        for (const { data } of jobs) run(data)
      })
      return () => boss.offWork("noop")
    },
    // As the predicate of its index on what is live has it: a long history is not looked through.
    unfinished: async () => {
      const { rows } = await beside.query(
        `SELECT count(*)::int AS count FROM ${place.name}.job
          WHERE name = 'noop' AND state IN ('created', 'retry', 'active', 'failed')`
      )
      return rows[0].count
    },
    close: async () => {
      await beside.end()
      await boss.stop({ graceful: true, timeout: 5_000 })
    }
  }
}
