/** Who asks is answered: no call waits for ever, in a process that is there to hear. */
import { type Finding, type Invariant, of } from "./Finding.js"

/** `alive`: the processes that were there when everything had ended, and some time had passed. */
export const answers = (alive: ReadonlySet<string>): Invariant => ({ seen }) => {
  const findings: Array<Finding> = []
  const enqueues = new Set([...of(seen, "enqueued"), ...of(seen, "refused")].map(({ nonce }) => nonce))
  for (const { life, nonce } of of(seen, "asked")) {
    if (alive.has(life) && !enqueues.has(nonce)) {
      findings.push({ taskId: null, what: `the enqueue of ${nonce} was never answered` })
    }
  }
  const heard = new Set([...of(seen, "awaited"), ...of(seen, "unheard")].map(({ life, taskId }) => `${life} ${taskId}`))
  for (const { life, taskId } of of(seen, "awaiting")) {
    if (alive.has(life) && !heard.has(`${life} ${taskId}`)) {
      findings.push({ taskId, what: "who awaited it was never answered" })
    }
  }
  return findings
}
