/** Processes of this machine: whose children they are, and their end. */
import { existsSync, readdirSync, readFileSync } from "node:fs"

/** Parent and state of a process; null when there is none, or no such way to ask. */
export const look = (pid: number): { readonly parent: number; readonly isGone: boolean } | null => {
  try {
    // Behind the name, which may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")
    return { parent: Number(parent), isGone: state === "Z" || state === "X" }
  } catch {
    return null
  }
}

export const childrenOf = (pid: number): ReadonlyArray<number> =>
  existsSync("/proc")
    ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => look(one)?.parent === pid)
    : []

export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // Gone already.
  }
}
