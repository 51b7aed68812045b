import { Effect } from "effect"
import { type Fault, onServer } from "./Fault.js"

export const databaseStop: Fault = {
  name: "databaseStop",
  what: "the database is stopped as an operator does, is away for a while, and is started again",
  backends: ["postgres", "mariadb", "redis"],
  hits: "database",
  lasts: (lease) => [lease * 0.5, lease * 1.5],
  inflict: onServer(({ server }) => Effect.acquireRelease(server.stop, () => Effect.orDie(server.start)))
}
