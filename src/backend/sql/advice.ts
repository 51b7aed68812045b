/** Words for what a database refused, and what whoever runs it has to do where it takes no writes. */
import * as Redacted from "effect/Redacted"
import { quoted } from "../../internal/shown.js"
import { TaskBackendError } from "../../TaskError.js"
import type { Dialect } from "./dialect.js"

const full = "make room where it keeps its files, or raise its limit: what waits is written by itself then"
const readOnly =
  "let it take writes again (a standby, a file or a file system without the right to write?): what waits is " +
  "written by itself then"

// SQLite's names, PostgreSQL's SQLSTATE, MySQL's numbers.
const codes: Record<Dialect["kind"], ReadonlyArray<readonly [code: RegExp, advice: string]>> = {
  sqlite: [[/^SQLITE_FULL$/, full], [/^SQLITE_READONLY/, readOnly]],
  postgres: [[/^53100$/, full], [/^25006$/, readOnly]],
  mysql: [[/^(1021|1114)$/, full], [/^(1290|1792|1836)$/, readOnly]]
}

/** "Failed to execute statement" says nothing: the driver's own words are below it. */
export const innermost = (error: unknown): string => {
  let current = error
  let message = String(error)
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    // Several addresses that all refused have no message, but a code.
    if (current.message !== "") message = current.message
    else if ("code" in current) message = String(current.code)
    current = current.cause
  }
  return message
}

/** Where a client connects to, as its options say it. */
export interface Place {
  readonly url?: Redacted.Redacted | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly username?: string | undefined
}

const inUrl = (url: Redacted.Redacted): Place | null => {
  const text = Redacted.value(url)
  if (!URL.canParse(text)) return null
  const { hash, hostname, pathname, port, search, username } = new URL(text)
  // Behind the host an @ is the end of a password that was not encoded: what stands before it is part of that.
  if (`${pathname}${search}${hash}`.includes("@")) return null
  return { host: hostname, port: Number(port), database: pathname.slice(1), username }
}

/** The error of a client that did not connect: where it tried to, and never with the password. */
export const connectFailed = (server: string, place: Place) => (cause: unknown): TaskBackendError => {
  const found = place.url === undefined ? {} : inUrl(place.url)
  const { database, host, port, username } = { ...found, ...onlyGiven(place) }
  const at = host ? ` at ${host}${port ? `:${port}` : ""}` : ""
  const which = `${server}${at}${database ? `, database ${quoted(database)}` : ""}${
    username ? `, user ${quoted(username)}` : ""
  }`
  const message = found === null && host === undefined
    ? `${server}: the url cannot be read: ${server.toLowerCase()}://user:password@host:port/database is expected`
    : `${which}: ${innermost(cause)}: see that it is up, and that user, password and database are right`
  return new TaskBackendError({ method: "connect", cause: new Error(message, { cause }) })
}

const onlyGiven = ({ database, host, port, username }: Place): Place =>
  Object.fromEntries(Object.entries({ database, host, port, username }).filter(([, value]) => value !== undefined))

/** What to do. Nothing for any other trouble. */
export const adviceFor = (kind: Dialect["kind"], error: unknown): string => {
  let current = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    for (const name of ["code", "errno"]) {
      const code: unknown = Reflect.get(current, name)
      const found = codes[kind].find(([pattern]) => pattern.test(String(code)))
      if (found !== undefined) return `: ${found[1]}`
    }
    current = "cause" in current ? current.cause : null
  }
  return ""
}
