/** Servers of a run's own: killed at any moment, each comes back with everything it had answered for. */
import { connect } from "node:net"
import { Reactivity } from "@effect/experimental"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted, type Scope } from "effect"
import { hasServer, type Server, type ServerKind, serverKinds, startServer } from "./chaos/support/servers.js"
import { redisClient } from "./support/databases.js"
import { eventually } from "./support/schedules.js"

interface Store {
  readonly add: (n: number) => Effect.Effect<unknown, unknown>
  readonly read: Effect.Effect<ReadonlyArray<number>, unknown>
}

const sqlStore = ({ kind, url }: Server) =>
  Effect.gen(function*() {
    const there = { url: Redacted.make(url), maxConnections: 1 }
    const sql = yield* (kind === "postgres" ? PgClient.make(there) : MysqlClient.make(there))
    yield* sql`CREATE TABLE IF NOT EXISTS kept (n INTEGER)`
    return {
      add: (n: number) => sql`INSERT INTO kept (n) VALUES (${n})`,
      read: Effect.map(sql<{ n: number }>`SELECT n FROM kept ORDER BY n`, (rows) => rows.map(({ n }) => n))
    }
  })

const redisStore = ({ host, port }: Server) =>
  Effect.map(redisClient({ host, port }), (client) => {
    client.on("error", () => undefined)
    return {
      add: (n: number) => Effect.promise(() => client.rpush("kept", n)),
      read: Effect.promise(async () => (await client.lrange("kept", 0, -1)).map(Number))
    }
  })

const storeOn = (server: Server): Effect.Effect<Store, unknown, Scope.Scope> =>
  server.kind === "redis" ? redisStore(server) : Effect.provide(sqlStore(server), Reactivity.layer)

const use = <A>(server: Server, body: (store: Store) => Effect.Effect<A, unknown, Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(storeOn(server), body))

const refuses = (port: number) =>
  Effect.async<boolean>((resume) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resume(Effect.succeed(false))
    }).on("error", () => resume(Effect.succeed(true)))
  })

const names: Record<ServerKind, string> = { postgres: "PostgreSQL", mysql: "MariaDB", redis: "Redis" }

for (const kind of serverKinds) {
  const present = process.env["CI"] === "true" || hasServer(kind)
  if (!present) {
    process.stderr.write(`\nSKIPPED: no server program of ${names[kind]} here, its own server is not tried.\n\n`)
  }
  describe.skipIf(!present)(`${names[kind]} of a run's own`, () => {
    it.scopedLive("is stopped, killed and started again, on the same port with what it had", () =>
      Effect.gen(function*() {
        const server = yield* startServer(kind, { appendfsync: "always" })
        yield* use(server, ({ add }) => add(1))
        yield* server.kill
        yield* server.kill
        expect(yield* refuses(server.port)).toBe(true)
        yield* server.start
        yield* server.start
        expect(yield* use(server, ({ add, read }) => Effect.zipRight(add(2), read))).toEqual([1, 2])
        yield* server.stop
        yield* server.start
        expect(yield* use(server, ({ read }) => read)).toEqual([1, 2])
        // In the middle of the writing.
        let answered = 2
        yield* use(server, ({ add }) =>
          Effect.gen(function*() {
            const next = Effect.suspend(() => add(answered + 1))
            yield* Effect.forkScoped(Effect.forever(Effect.tap(next, () => Effect.sync(() => (answered += 1)))))
            yield* eventually(Effect.sync(() => answered), (count) => count > 50)
            yield* server.kill
          }))
        yield* server.start
        const kept = yield* use(server, ({ read }) => read)
        expect(kept.slice(0, answered)).toEqual(Array.from({ length: answered }, (_, n) => n + 1))
        // The last one may have been on its way.
        expect(kept.length - answered).toBeLessThanOrEqual(1)
      }))
  })
}
