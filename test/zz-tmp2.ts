import { Effect, Exit, Scope } from "effect"
import { Reactivity } from "@effect/experimental"
import { PgClient } from "@effect/sql-pg"
import { dedicated } from "../src/backend/sql/connections.js"
import { postgresDialect } from "../src/backend/sql/postgresDialect.js"
import { postgres } from "./support/databases.js"
import { watched } from "./support/sql.js"
const T = () => Math.round(performance.now())
await Effect.runPromise(Effect.gen(function*() {
  const client = watched(yield* PgClient.make({ ...postgres, maxConnections: 3 }), ({ run, text }) => Effect.onExit(run, (e) => Effect.sync(() => /term|SELECT 1/.test(text) && console.log("   ", T(), text, e._tag, e._tag === "Failure" ? String((e.cause as any).error?.cause) : ""))))
  for (let i = 0; i < 30; i++) {
    const s = yield* Scope.make()
    const c = yield* Scope.extend(dedicated(client, postgresDialect), s)
    const d = yield* Scope.extend(dedicated(client, postgresDialect), s)
    yield* c.use((d) => d.all({ sql: "SELECT 1", params: [] }))
    yield* d.use((d) => d.all({ sql: "SELECT 1", params: [] }))
    const t = T()
    yield* Scope.close(s, Exit.void)
    if (T() - t > 100) console.log("slow", i, T() - t)
    const rows = yield* client.unsafe("SELECT 2 AS two")
    if ((rows[0] as any).two !== 2) console.log("?")
  }
}).pipe(Effect.scoped, Effect.provide(Reactivity.layer)))
