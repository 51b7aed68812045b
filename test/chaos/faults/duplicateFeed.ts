import { Effect } from "effect"
import { postgres } from "../../support/databases.js"
import { echoHints } from "../support/hintEchoes.js"
import type { Fault } from "./Fault.js"

/** SQLite and MariaDB have no hints: their instances look. */
export const duplicateFeed: Fault = {
  name: "duplicateFeed",
  what: "every hint of the feed is told again several times, late and in another order",
  backends: ["postgres", "redis"],
  hits: "process",
  lasts: (lease) => [lease, lease * 2],
  inflict: ({ place }, { random }) => {
    if (place.kind !== "postgres" && place.kind !== "redis") return Effect.dieMessage(`no hints on ${place.kind}`)
    const { kind, port, prefix } = place
    const database = place.kind === "postgres" ? { database: place.database, username: postgres.username } : {}
    const seed = Math.floor(random() * 2 ** 31)
    return Effect.asVoid(echoHints({ kind, host: "127.0.0.1", port, prefix, ...database }, { seed }))
  }
}
