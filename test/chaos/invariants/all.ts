/** Everything that has to hold when a run is over. Pure: from what is kept, and what processes saw. */
import type { Orders } from "../support/orders.js"
import { accepted } from "./accepted.js"
import { answers } from "./answers.js"
import { attempts } from "./attempts.js"
import { cancels } from "./cancels.js"
import { delays } from "./delays.js"
import { ends } from "./ends.js"
import { feed } from "./feed.js"
import type { Evidence, Finding } from "./Finding.js"
import { keys } from "./keys.js"
import { memory } from "./memory.js"
import { slots, type Span } from "./slots.js"
import { transactions } from "./transactions.js"
import { versions } from "./versions.js"

/** What the judge knows of the run beside the evidence. */
export interface Terms {
  /** When the fleet was there, and when nothing was done to it any more: epoch milliseconds of this machine. */
  readonly span: Span
  /** The processes that were there when everything had ended. */
  readonly alive: ReadonlySet<string>
  /** Milliseconds between two slots of the schedule. */
  readonly every: number
  /** From when on somebody followed the feed: epoch milliseconds of this machine. */
  readonly followedSince: number
  readonly deployments: ReadonlyMap<string, Orders["deployment"]>
}

export const judge = (
  evidence: Evidence,
  { alive, deployments, every, followedSince, span }: Terms
): ReadonlyArray<Finding> =>
  [
    accepted,
    attempts,
    ends,
    keys,
    cancels,
    feed(followedSince),
    transactions,
    slots(every, span),
    versions(deployments),
    answers(alive),
    delays,
    memory
  ]
    .flatMap((invariant) => invariant(evidence))
