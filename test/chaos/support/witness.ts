/**
 * What processes saw and did, one line of JSON each in a file for each life: written synchronously, so it is true even when the
 * process is killed a microsecond later, and kept where no fault reaches it.
 */
import * as fs from "node:fs"
import { join } from "node:path"

export type Sighting =
  /** `enqueue` is called. */
  | { readonly what: "asked"; readonly nonce: string }
  /** `enqueue` answered; `fresh` false: with a task that was there. */
  | {
    readonly what: "enqueued"
    readonly kind: string
    readonly nonce: string
    readonly key: string | null
    readonly taskId: string
    readonly fresh: boolean
  }
  /** `enqueue` failed: the task may be there, or not. */
  | { readonly what: "refused"; readonly kind: string; readonly nonce: string; readonly error: string }
  | {
    readonly what: "started"
    readonly kind: string
    readonly taskId: string
    readonly fence: number
    readonly nonce: string
  }
  | { readonly what: "finished"; readonly taskId: string; readonly fence: number }
  | { readonly what: "interrupted"; readonly taskId: string; readonly fence: number }
  /** `cancel` is called. */
  | { readonly what: "cancelling"; readonly taskId: string }
  /** What it was answered. */
  | {
    readonly what: "cancel"
    readonly taskId: string
    readonly answer: "cancelled" | "requested" | "ended" | "unknown"
  }
  /** The feed told that a task ended. */
  | { readonly what: "told"; readonly taskId: string; readonly status: string }
  /** The feed said that something was missed. */
  | { readonly what: "reset" }
  /** `awaitResult` is called, answered, or failed. */
  | { readonly what: "awaiting"; readonly taskId: string }
  | { readonly what: "awaited"; readonly taskId: string; readonly status: string }
  | { readonly what: "unheard"; readonly taskId: string }
  | { readonly what: "memory"; readonly rss: number }
  /** What must not happen. */
  | { readonly what: "wrong"; readonly message: string; readonly taskId: string | null }

/** Who saw it, and when: epoch milliseconds of this machine, however the clock of that process was set. */
export type Seen = Sighting & { readonly life: string; readonly at: number }

/** Epoch milliseconds that nobody set: the kernel's monotonic clock from where this process began. */
export const realNow = (): number => Math.round(performance.timeOrigin + performance.now())

const fileOf = (files: string, life: string) => join(files, `witness-${life}`)

export const writer = (files: string, life: string): (sighting: Sighting) => void => {
  const file = fs.openSync(fileOf(files, life), "a")
  return (sighting) => {
    fs.writeSync(file, `${JSON.stringify({ ...sighting, life, at: realNow() })}\n`)
  }
}

/** Everything this life saw so far. A line cut short was never seen. */
export const readLife = (files: string, life: string): ReadonlyArray<Seen> => {
  const file = fileOf(files, life)
  if (!fs.existsSync(file)) return []
  // safe: written above
  return fs.readFileSync(file, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as Seen)
}

/** Everything anybody saw, in the order of time. */
export const read = (files: string): ReadonlyArray<Seen> =>
  fs.readdirSync(files).filter((name) => name.startsWith("witness-"))
    .flatMap((name) => readLife(files, name.slice("witness-".length)))
    .sort((a, b) => a.at - b.at)
