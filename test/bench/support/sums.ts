/**
 * A day of roll-ups as a busy fleet has them, written by the database itself.
 */
import { Effect } from "effect"
import { redisClient } from "../../support/databases.js"
import * as Stores from "./stores.js"

const minute = 60_000
// Of each name and minute: so many buckets of durations, and of waits.
const took = Array.from({ length: 40 }, (_, index) => ["success", index + 40] as const)
const waited = Array.from({ length: 20 }, (_, index) => ["wait", index] as const)

// A day as it is kept: three hours by the minute, the rest by the hour.
const minutesOf = (now: number): ReadonlyArray<number> => {
  const last = Math.floor(now / minute)
  const hours = Array.from({ length: 22 }, (_, index) => Math.floor(last / 60) * 60 - (index + 4) * 60)
  return [...Array.from({ length: 180 }, (_, index) => last - index), ...hours]
}

/** Writes them for these names, up to `now`. */
export const sumUp = (store: Stores.Store, now: number, names: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    if (!Stores.isSql(store)) {
      const client = yield* redisClient()
      const root = `{${store.place}}:`
      for (const at of minutesOf(now)) {
        const fields: Record<string, string> = {}
        for (const name of names) {
          fields[`success "${name}"`] = "400"
          for (const [, bucket] of took) fields[`d${bucket} "${name}"`] = "10"
          for (const [, bucket] of waited) fields[`w${bucket} "${name}"`] = "20"
        }
        yield* Effect.promise(() => client.hset(`${root}ru:${at}`, fields))
        yield* Effect.promise(() => client.zadd(`${root}ru`, at, `${at}`))
      }
      return
    }
    const client = yield* Stores.client(store)
    const table = Stores.tableOf(store, "rollups")
    const nobody = "'00000000-0000-0000-0000-000000000000'"
    for (const at of minutesOf(now)) {
      const values: Array<string> = []
      for (const name of names) {
        for (const [status, bucket] of [...took, ...waited]) {
          values.push(`(${at}, '"${name}"', ${nobody}, '${status}', ${bucket}, 10, 1000, 90, 110)`)
        }
      }
      yield* client.unsafe(
        `INSERT INTO ${table} (minute, task, instance, status, bucket, ends, total, least, most) VALUES ${
          values.join(",")
        }`
      )
    }
    if (store.kind === "postgres") yield* client.unsafe(`VACUUM (ANALYZE) ${table}`)
  }).pipe(Effect.scoped)
