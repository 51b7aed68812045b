/** Troubles with the disk below SQLite. */
import { Effect } from "effect"
import type { SqliteFault } from "../support/sqliteFaults.js"
import type { Fault } from "./Fault.js"

const disk = (name: Exclude<SqliteFault, "none">, what: string): Fault => ({
  name,
  what,
  backends: ["sqlite"],
  hits: "database",
  lasts: (lease) => [lease * 0.5, lease * 2],
  inflict: ({ fleet }) =>
    Effect.acquireRelease(
      Effect.sync(() => fleet.setDisk(name)),
      () => Effect.sync(() => fleet.setDisk("none"))
    )
})

export const full = disk("full", "the disk is full: what needs another page is refused")
export const readOnly = disk("readOnly", "the disk takes no writes")
