/**
 * How new what is told of a task is, as one number. A list and a frame of the stream may arrive in any order: of two
 * summaries of one task, the one with the larger version is newer.
 *
 * It grows with every change of status, owner and attempt, with a cancel request and with `retriedAs`. Progress alone does
 * not change it. Pure.
 */
import { isLive, type TaskRecord } from "../../TaskRecord.js"
import { isTerminal } from "../../TaskStatus.js"

// Under one claim with one count of attempts a record goes through these in this order. What is owned and not live is
// about to start; what is not owned was given back, or waits behind an attempt.
const phases = { claimed: 0, live: 1, stopping: 2, unowned: 3, ended: 4, retried: 5 }
const phaseBits = 8
const maxAttempts = 2 ** 20

const phaseOf = (record: TaskRecord): number => {
  if (isTerminal(record.status)) return record.retriedAs === null ? phases.ended : phases.retried
  if (isLive(record)) return record.cancelRequested ? phases.stopping : phases.live
  return record.owner !== null ? phases.claimed : phases.unowned
}

/** A safe integer for half a billion claims of one task. Only versions of the same task can be compared. */
export const versionOf = (record: TaskRecord): number =>
  (record.claim * maxAttempts + Math.min(record.attempts, maxAttempts - 1)) * phaseBits + phaseOf(record)
