/**
 * What the kernel says about this process, and whether it still knows another one of the same machine.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as v8 from "node:v8"
import type { InstanceFacts } from "../TaskPeer.js"

type Facts = Pick<InstanceFacts, "host" | "process">

const attempt = <A>(read: () => A): A | null => {
  try {
    return read()
  } catch {
    return null
  }
}

/** Field 22 of `/proc/<pid>/stat`. The second field, the command's name, may hold spaces and parentheses. */
export const startTicksOf = (stat: string): string | null =>
  stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3] ?? null

const readStartTicks = (pid: number | "self"): string | null =>
  attempt(() => startTicksOf(fs.readFileSync(`/proc/${pid}/stat`, "utf8")))

let known: Facts | null = null

/** Read once. `process` is null where there is no /proc. */
export const ofThisProcess = (): Facts => {
  if (known !== null) return known
  const bootId = attempt(() => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim())
  const pidNamespace = attempt(() => fs.readlinkSync("/proc/self/ns/pid"))
  const startTicks = readStartTicks("self")
  known = {
    host: os.hostname(),
    process: bootId === null || pidNamespace === null || startTicks === null
      ? null
      : { bootId, pidNamespace, pid: process.pid, startTicks }
  }
  return known
}

/** Of this process at the moment, in bytes. */
export const memoryNow = (): { readonly rss: number; readonly heapUsed: number; readonly heapLimit: number } => {
  const { heap_size_limit: heapLimit, used_heap_size: heapUsed } = v8.getHeapStatistics()
  return { rss: process.memoryUsage.rss(), heapUsed, heapLimit }
}

// Only "no such process" counts: a pid that may not be signalled is there, even where /proc hides it.
const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH")
  }
}

/** Whether the kernel both share says that the other's process is gone. False for all it cannot say. */
export const isProvenGone = (other: Facts, own: Facts): boolean => {
  const theirs = other.process
  const ours = own.process
  if (theirs === null || ours === null || other.host !== own.host) return false
  if (theirs.bootId !== ours.bootId || theirs.pidNamespace !== ours.pidNamespace) return false
  if (!isThere(theirs.pid)) return true
  const ticks = readStartTicks(theirs.pid)
  return ticks !== null && ticks !== theirs.startTicks
}
