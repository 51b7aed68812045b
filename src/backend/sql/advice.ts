/** Words for a database that is there and takes no writes: what whoever runs it has to do. */
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

/** Nothing for any other trouble. */
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
