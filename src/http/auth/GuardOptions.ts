/**
 * What can be said about the guard, and what it comes to.
 */
import { randomBytes } from "node:crypto"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { inWords } from "../../internal/shown.js"
import type { TaskAuth } from "../TaskAuth.js"
import { wiring } from "./passwords.js"
import * as SessionToken from "./sessionToken.js"

/** Who may pass, and how sessions and requests are bounded. */
export interface GuardOptions {
  /** Who may pass: `TaskAuth.users(…)`, `basic`, `bearer`, `authorize`, `make`, or `TaskAuth.open` for everybody. */
  readonly auth: TaskAuth
  /**
   * Signs the sessions. At least 32 characters. Give every instance the same. Of several the first signs, and all verify, so
   * that a secret can be replaced while sessions go on. Default: a random one, so sessions end with the process.
   */
  readonly secretKey?: Redacted.Redacted | ReadonlyArray<Redacted.Redacted> | undefined
  /** A session ends this long after it was used last, and 7 days after the login. 1 minute to 7 days. Default 12 hours. */
  readonly sessionTtl?: Duration.DurationInput | undefined
  /** As browsers write it: "https://ops.example.com". Default: whatever host a request names. */
  readonly publicOrigin?: string | undefined
  /** The path of the routes as browsers see it, when a proxy cuts some of it off. Default: the prefix. */
  readonly publicPrefix?: `/${string}` | undefined
  /** Whether the cookie is for HTTPS alone. Default "auto": when the public origin or the request is HTTPS. */
  readonly secureCookie?: "auto" | boolean | undefined
  /**
   * How many proxies are in front and append to `X-Forwarded-For`, `true` for one. Only then it and `X-Forwarded-Proto` are
   * believed. Default false.
   */
  readonly trustProxy?: boolean | number | undefined
  /** In bytes. Larger bodies are refused with 413; that of a batch may be 8 times as large. Default 65,536. */
  readonly maxBodySize?: number | undefined
  /** How long a request may take until it arrived (408) and its answer begins (503). Default 30 seconds. */
  readonly requestTimeout?: Duration.DurationInput | undefined
}

export interface GuardSettings {
  readonly auth: TaskAuth
  readonly keys: readonly [SessionToken.Key, ...ReadonlyArray<SessionToken.Key>]
  readonly randomKey: boolean
  /** Where the routes are for browsers; "/" for the root. */
  readonly mount: string
  /** Milliseconds. */
  readonly sessionTtl: number
  readonly publicOrigin: URL | null
  readonly secureCookie: "auto" | boolean
  readonly proxies: number
  readonly maxBodySize: number
  readonly requestTimeout: Duration.Duration
}

const refuse = (message: string): never => wiring("TaskHttp", message)

const keysOf = (secretKey: GuardOptions["secretKey"], mount: string): GuardSettings["keys"] => {
  const secrets = secretKey === undefined
    ? [randomBytes(32).toString("base64url")]
    : (Redacted.isRedacted(secretKey) ? [secretKey] : secretKey).map(Redacted.value)
  const [first, ...others] = secrets
  if (first === undefined) {
    return refuse("secretKey is an empty list: leave it out for a random one, or give one of at least 32 characters")
  }
  secrets.forEach((secret, index) => {
    if (typeof secret !== "string" || secret.length < 32) {
      refuse(
        `secretKey${
          secrets.length === 1 ? "" : `[${index}]`
        } is shorter than 32 characters: make one with openssl rand -base64 32`
      )
    }
  })
  return [SessionToken.keyOf(first, mount), ...others.map((secret) => SessionToken.keyOf(secret, mount))]
}

// What stands before an @ may be a password.
const originOf = (text: string): URL => {
  const shown = inWords(typeof text === "string" ? text.replace(/^.*@/s, "…@") : text)
  const expected = `publicOrigin is ${shown}: scheme, host and port are expected, as "https://ops.example.com"`
  const url = URL.canParse(text) ? new URL(text) : refuse(expected)
  if (!/^https?:$/.test(url.protocol) || url.origin !== text.replace(/\/$/, "").toLowerCase()) refuse(expected)
  return url
}

const millisOf = (name: "sessionTtl" | "requestTimeout", value: Duration.DurationInput): number =>
  Option.match(Duration.decodeUnknown(value), {
    onNone: () => refuse(`${name} is ${inWords(value)}: a duration, as "30 seconds"`),
    onSome: Duration.toMillis
  })

/** Throws a `TaskflowWiringError` that names the option. `prefix` is where the routes are, without a slash at its end. */
export const settings = (options: GuardOptions, prefix: string): GuardSettings => {
  const { maxBodySize = 65_536, secureCookie = "auto", trustProxy = false } = options
  const mount = (options.publicPrefix ?? prefix).replace(/\/+$/, "") || "/"
  if (!/^(\/|(\/[A-Za-z0-9._~-]+)+)$/.test(mount)) {
    refuse(`publicPrefix is ${inWords(mount)}: a path of plain segments is expected, as "/admin/tasks"`)
  }
  const sessionTtl = millisOf("sessionTtl", options.sessionTtl ?? "12 hours")
  if (!(sessionTtl >= 60_000 && sessionTtl <= SessionToken.longestSession)) {
    refuse(`sessionTtl is ${sessionTtl} ms, which is not between 1 minute and 7 days`)
  }
  const requestTimeout = millisOf("requestTimeout", options.requestTimeout ?? "30 seconds")
  if (requestTimeout <= 0) refuse(`requestTimeout is ${requestTimeout} ms, which is not positive`)
  if (!Number.isSafeInteger(maxBodySize) || maxBodySize < 1) {
    refuse(`maxBodySize is ${inWords(maxBodySize)}, which is no positive whole number: it is in bytes`)
  }
  const proxies = Number(trustProxy)
  if (!Number.isSafeInteger(proxies) || proxies < 0) {
    refuse(`trustProxy is ${inWords(trustProxy)}, which is neither true, false nor a whole number`)
  }
  if (secureCookie !== "auto" && typeof secureCookie !== "boolean") {
    refuse(`secureCookie is ${inWords(secureCookie)}, which is none of "auto", true, false`)
  }
  return {
    auth: options.auth,
    keys: keysOf(options.secretKey, mount),
    randomKey: options.secretKey === undefined,
    mount,
    sessionTtl,
    publicOrigin: options.publicOrigin === undefined ? null : originOf(options.publicOrigin),
    secureCookie,
    proxies,
    maxBodySize,
    requestTimeout: Duration.millis(requestTimeout)
  }
}
