/** What a version of the application does not know is left for the one that does. */
import type { Orders } from "../support/orders.js"
import { type Finding, type Invariant, of } from "./Finding.js"

export const versions = (deployments: ReadonlyMap<string, Orders["deployment"]>): Invariant => ({ seen, state }) => {
  const findings: Array<Finding> = []
  for (const { kind, life, taskId } of of(seen, "started")) {
    const deployment = deployments.get(life)
    const version = state.records.get(taskId)?.definitionVersion
    if (deployment === "older" && (kind === "added" || kind === "shared" && version === 2)) {
      findings.push({ taskId, what: "started by an application that is older than it" })
    }
    if (deployment === "newer" && kind === "retired") {
      findings.push({ taskId, what: "started by an application that does not know it" })
    }
  }
  return findings
}
