/** How a task is defined, in words: what differs from the ordinary, the retries always. Pure. */
import type { Definition } from "../api/types.js"
import { t } from "../text/en.js"

type Facts = NonNullable<Definition["definition"]>

export const retryOf = ({ retry }: Facts): string => {
  if (retry === "schedule") return t.tasks.bySchedule
  if (retry.retries === 0) return t.tasks.noRetries
  return [
    `${t.tasks.retries(retry.retries)} ${t.tasks.after(retry.delay, retry.backoff)}`,
    ...retry.maxDelay === null || retry.backoff === 1 ? [] : [t.tasks.atMost(retry.maxDelay)],
    ...retry.jitter ? [t.tasks.jitter] : []
  ].join(", ")
}

export const factsOf = (facts: Facts): ReadonlyArray<string> => [
  t.tasks.executor[facts.executor],
  retryOf(facts),
  ...facts.timeout === null ? [] : [t.tasks.timeout(facts.timeout)],
  ...facts.priority === 0 ? [] : [t.tasks.priority(facts.priority)],
  ...facts.concurrency === null ? [] : [t.tasks.concurrency(facts.concurrency)],
  ...facts.requeueOnInterrupt ? [t.tasks.flags.requeueOnInterrupt] : [],
  ...facts.transactional ? [t.tasks.flags.transactional] : [],
  ...facts.eager ? [t.tasks.flags.eager] : [],
  ...facts.persist ? [] : [t.tasks.flags.notKept],
  ...facts.version === 1 ? [] : [t.tasks.version(facts.version)]
]
