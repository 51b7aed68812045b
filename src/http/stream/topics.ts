/**
 * What a client wants to hear: `?topics=runs,counts,buckets,batches,fleet,log:ID,run:ID`. Pure.
 */
import { isTaskId, type TaskId } from "../../TaskId.js"

/** What all clients share. */
export type SharedTopic = "runs" | "counts" | "buckets" | "batches" | "fleet"

/** One task that a client looks at. */
export interface WatchedTopic {
  readonly kind: "log" | "run"
  readonly taskId: TaskId
}

export interface Topics {
  readonly shared: ReadonlySet<SharedTopic>
  readonly watched: ReadonlyArray<WatchedTopic>
}

/** How many tasks one client may look at: a log and a run count as two. */
export const maxWatched = 8

// What everybody hears who does not say what.
const usual: ReadonlyArray<SharedTopic> = ["runs", "counts", "buckets"]
const shared: ReadonlyArray<SharedTopic> = [...usual, "batches", "fleet"]
const isShared = (text: string): text is SharedTopic => shared.some((topic) => topic === text)

export const keyOf = ({ kind, taskId }: WatchedTopic): string => `${kind}:${taskId}`

const watchedOf = (text: string): WatchedTopic | null => {
  const [kind, taskId = "", ...rest] = text.split(":")
  return (kind === "log" || kind === "run") && rest.length === 0 && isTaskId(taskId) ? { kind, taskId } : null
}

/** The topics, or what is wrong with them. Without any: runs, counts and buckets. */
export const parse = (text: string | undefined): Topics | string => {
  const asked = new Set((text ?? "").split(",").map((part) => part.trim()).filter((part) => part !== ""))
  if (asked.size === 0) return { shared: new Set(usual), watched: [] }
  const topics = { shared: new Set<SharedTopic>(), watched: Array<WatchedTopic>() }
  for (const part of asked) {
    const watched = watchedOf(part)
    if (isShared(part)) topics.shared.add(part)
    else if (watched !== null) topics.watched.push(watched)
    else {
      const named = JSON.stringify(part.slice(0, 100))
      return `${named} is no topic: runs, counts, buckets, batches, fleet, log:ID and run:ID are`
    }
    if (topics.watched.length > maxWatched) return `at most ${maxWatched} topics of single tasks`
  }
  return topics
}
