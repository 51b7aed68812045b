/** Words for what a database refused, and what whoever runs it has to do where it takes no writes. */
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

/** The error of a client that did not connect. */
export const connectFailed = (cause: unknown): TaskBackendError =>
  new TaskBackendError({ method: "connect", cause: new Error(innermost(cause), { cause }) })

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
