/**
 * What a measurement used: time by the clock, processor time of this process with all its threads and of the server.
 *
 * The server's is read from /proc, on Linux only, and is the whole server's: what others ask of it meanwhile is in it.
 */
import { readdirSync, readFileSync } from "node:fs"
import { performance } from "node:perf_hooks"

/** Ticks of /proc/PID/stat: 100 a second on every Linux that Node.js runs on. */
const microsPerTick = 10_000

const programs = {
  postgres: ["postgres"],
  mysql: ["mariadbd", "mysqld"],
  redis: ["redis-server", "valkey-server"]
}

/** The fields of /proc/PID/stat behind the name, which is in parentheses and may hold spaces. @param {string} text */
const statOf = (text) => {
  const end = text.lastIndexOf(")")
  const fields = text.slice(end + 2).split(" ")
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number)
  return { own: utime + stime, gone: cutime + cstime, name: text.slice(text.indexOf("(") + 1, end) }
}

/**
 * Microseconds that the server has used since it started, of the processes that it has and of those that it waited for when
 * they ended; null where it is not known.
 *
 * @param {"sqlite" | "postgres" | "mysql" | "redis"} kind
 * @returns {number | null}
 */
export const serverMicros = (kind) => {
  if (kind === "sqlite" || process.platform !== "linux") return null
  let ticks = 0
  let seen = false
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const { gone, name, own } = statOf(readFileSync(`/proc/${entry}/stat`, "utf8"))
      if (!programs[kind].includes(name)) continue
      seen = true
      ticks += own + gone
    } catch {
      // It ended between the two looks; whoever waited for it counts it from now on.
    }
  }
  return seen ? ticks * microsPerTick : null
}

/**
 * @param {"sqlite" | "postgres" | "mysql" | "redis"} kind
 * @returns {() => { readonly millis: number, readonly client: number, readonly server: number | null }}
 */
export const start = (kind) => {
  const server = serverMicros(kind)
  const cpu = process.cpuUsage()
  const from = performance.now()
  return () => {
    const millis = performance.now() - from
    const { system, user } = process.cpuUsage(cpu)
    const now = serverMicros(kind)
    return { millis, client: system + user, server: now === null || server === null ? null : now - server }
  }
}

/** The most memory that this process has held, MiB. */
export const peakMiB = () => process.resourceUsage().maxRSS / 1_024
