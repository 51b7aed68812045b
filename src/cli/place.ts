/** Where a database is, as its url says. The url may hold a password, so it is never part of a message. Pure. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Need } from "./packages.js"

export interface Place {
  readonly kind: "sqlite" | "postgres" | "mysql" | "redis"
  readonly needs: Need
  /** For people: never with a user or a password. */
  readonly shown: string
  /** Of a server. */
  readonly url: Redacted.Redacted
  /** Of SQLite. */
  readonly filename: string
  /** What must not be shown, whoever says it. */
  readonly secrets: ReadonlyArray<string>
}

export const expected =
  "sqlite:FILE, postgres://user:password@host:port/database, mysql://user:password@host:port/database or " +
  "redis://user:password@host:port/number"

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const server = (text: string): Place | null => {
  if (!URL.canParse(text)) return null
  const { host, password, pathname, protocol, searchParams } = new URL(text)
  const hidden = [
    password,
    decoded(password),
    searchParams.get("password") ?? "",
    searchParams.get("sslpassword") ?? ""
  ]
  const common = { url: Redacted.make(text), filename: "", secrets: [...new Set(hidden)].filter((one) => one !== "") }
  if (/^rediss?:$/.test(protocol) && host !== "" && /^\/?\d*$/.test(pathname)) {
    return { kind: "redis", needs: "Redis", shown: `Redis at ${host}${pathname.replace(/^\/$/, "")}`, ...common }
  }
  if (host === "" || !/^\/[^/]+$/.test(pathname)) return null
  switch (protocol) {
    case "postgres:":
    case "postgresql:":
      return { kind: "postgres", needs: "PostgreSQL", shown: `PostgreSQL at ${host}${pathname}`, ...common }
    case "mysql:":
    case "mariadb:":
      return { kind: "mysql", needs: "MySQL", shown: `MySQL at ${host}${pathname}`, ...common }
    default:
      return null
  }
}

/** The place, or what is wrong with the url. */
export const parse = (url: Redacted.Redacted): Either.Either<Place, string> => {
  const text = Redacted.value(url)
  const filename = /^sqlite:(?:\/\/)?(.+)$/.exec(text)?.[1]
  if (filename === ":memory:") {
    return Either.left("a database in memory is its process's own, nobody else can look into it")
  }
  if (filename !== undefined) {
    return Either.right({ kind: "sqlite", needs: "SQLite", shown: `SQLite in ${filename}`, filename, url, secrets: [] })
  }
  const place = server(text)
  return place === null
    ? Either.left(`the url of the database cannot be read: expected is ${expected}`)
    : Either.right(place)
}

/** A message as it may be shown. Drivers repeat what they were given. */
export const scrubbed = (text: string, { secrets }: Pick<Place, "secrets">): string =>
  secrets.reduce((shown, secret) => shown.replaceAll(secret, "<redacted>"), text)
    // Up to the last @ of the word: a password may have one itself.
    .replace(/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,200}:)[^\s]{1,500}(?=@)/gi, "$1<redacted>")
