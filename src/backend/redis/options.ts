/** Where Redis is, as people say it, and as the driver wants it. */
import type { ConnectionOptions } from "node:tls"
import * as Redacted from "effect/Redacted"
import type { RedisOptions } from "ioredis"
import { quoted } from "../../internal/shown.js"
import { RedisProblem } from "./problem.js"

/** Where Redis is, and what the keys are called. */
export interface RedisBackendOptions {
  /** `redis://user:password@host:port/db`, or `rediss://…` for TLS. Instead of the next five. */
  readonly url?: Redacted.Redacted | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Default 6379. */
  readonly port?: number | undefined
  /** Of an ACL. Default: the server's default user. */
  readonly username?: string | undefined
  /** Default: none. */
  readonly password?: Redacted.Redacted | undefined
  /** The number of the database. Default 0. */
  readonly db?: number | undefined
  /** `true`, or what Node.js's TLS takes. Default: none, or as the `url` says. */
  readonly tls?: boolean | ConnectionOptions | undefined
  /** What the names of all keys begin with, in braces: letters, digits and `_ . : -`, at most 64. Default `taskflow`. */
  readonly prefix?: string | undefined
  /** Whether instances wake each other, by pub/sub on a second connection. Default true. */
  readonly notify?: boolean | undefined
  /** Go on, with a warning, on a server that throws keys away when its memory is full. Default false: the layer fails. */
  readonly allowEviction?: boolean | undefined
}

// The text is never part of a message: it may hold a password.
const fromUrl = (text: string): RedisOptions | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^\/?\d*$/.test(url.pathname)) {
    return null
  }
  const { hostname, password, pathname, port, protocol, username } = url
  try {
    return {
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? 6379 : Number(port),
      db: Number(pathname.slice(1)),
      ...username === "" ? {} : { username: decodeURIComponent(username) },
      ...password === "" ? {} : { password: decodeURIComponent(password) },
      ...protocol === "rediss:" ? { tls: {} } : {}
    }
  } catch {
    return null
  }
}

/** Null when the `url` is none. */
export const connectionOptions = (options: RedisBackendOptions): RedisOptions | null => {
  const { db = 0, host = "127.0.0.1", password, port = 6379, tls, url, username } = options
  const secured = tls === true ? { tls: {} } : tls === false || tls === undefined ? {} : { tls }
  if (url !== undefined) {
    const found = fromUrl(Redacted.value(url))
    return found === null ? null : { ...found, ...secured }
  }
  return {
    host,
    port,
    db,
    ...username === undefined ? {} : { username },
    ...password === undefined ? {} : { password: Redacted.value(password) },
    ...secured
  }
}

/** What a prefix may be. */
export const isPrefix = (prefix: string): boolean => /^[\w.:-]{1,64}$/.test(prefix)

/** Says where it was tried, and never with which password. */
export const notConnected = (
  { db = 0, host = "127.0.0.1", port = 6379, username }: RedisOptions,
  { message, permanent }: RedisProblem
): RedisProblem => {
  const which = `Redis at ${host}:${port}, database ${db}${username ? `, user ${quoted(username)}` : ""}`
  return new RedisProblem(
    `${which}: ${message}: see that it is up, and that user, password and database are right`,
    permanent
  )
}
