import { Effect } from "effect"
import { type Fault, onServer } from "./Fault.js"

/** What was committed has to come back out of its log. */
export const databaseKill: Fault = {
  name: "databaseKill",
  what: "kill -9 of the database, which is started again at once",
  backends: ["postgres", "mariadb", "redis"],
  hits: "database",
  lasts: () => [0, 300],
  inflict: onServer(({ server }) => Effect.acquireRelease(server.kill, () => Effect.orDie(server.start)))
}
