/**
 * Where a request comes from: the address, the scheme, and whether a page of another site sent it.
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Option from "effect/Option"
import type { GuardSettings } from "./GuardOptions.js"

type Request = HttpServerRequest.HttpServerRequest

const listed = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "").split(",").map((one) => one.trim()).filter((one) => one !== "")

/** What the outermost of our proxies wrote: with n of them the n-th entry from the end. What is before it the client wrote. */
const byProxy = (header: string | undefined, { proxies }: GuardSettings): string | undefined => {
  const entries = proxies === 0 ? [] : listed(header)
  return entries[Math.max(0, entries.length - proxies)]
}

/** The first four groups of an IPv6 address: who has one address has its whole network. */
const network = (address: string): string => {
  const [head = "", tail] = address.split("::")
  const before = head === "" ? [] : head.split(":")
  const after = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after]
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "").toLowerCase()).join(":")}::/64`
}

const shape = (address: string): string => {
  const v4 = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?$/i.exec(address)?.[1]
  if (v4 !== undefined) return v4
  const v6 = /^\[?([0-9a-f:.]*:[0-9a-f:.]*)(?:%[^\]]*)?\]?(?::\d+)?$/i.exec(address)?.[1]
  return v6 === undefined ? address : network(v6)
}

/**
 * Who is asked to wait after wrong passwords: an IPv4 address or an IPv6 network; null when it is not known.
 */
export const addressOf = ({ headers, remoteAddress }: Request, settings: GuardSettings): string | null => {
  const address = byProxy(headers["x-forwarded-for"], settings) ?? Option.getOrUndefined(remoteAddress)
  return address === undefined ? null : shape(address.slice(0, 64))
}

/** Whether the browser speaks HTTPS, as far as that can be known. */
export const isSecure = (request: Request, settings: GuardSettings): boolean => {
  if (settings.secureCookie !== "auto") return settings.secureCookie
  if (settings.publicOrigin !== null) return settings.publicOrigin.protocol === "https:"
  const scheme = byProxy(request.headers["x-forwarded-proto"], settings)
  if (scheme !== undefined) return scheme.toLowerCase() === "https"
  // Of Node the socket tells; requests of web handlers carry the scheme in their URL.
  const source = request.source as { readonly socket?: { readonly encrypted?: boolean } } // safe: looked at, not called
  return source.socket === undefined ? /^https:/i.test(request.originalUrl) : source.socket.encrypted === true
}

const hostOf = ({ headers, originalUrl }: Request, settings: GuardSettings): string | undefined =>
  byProxy(headers["x-forwarded-host"], settings) ?? headers["host"] ??
    (URL.canParse(originalUrl) ? new URL(originalUrl).host : undefined)

// Default ports are left out on both sides.
const asUrl = (protocol: string, host: string | undefined): URL | undefined =>
  host !== undefined && URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`) : undefined

/**
 * Whether the host that the request names can be ours: the public one, an address, or this machine. Another name is how a
 * page of another site reaches this server as if it were its own. Without a public origin nobody knows.
 */
export const namesOurHost = (request: Request, settings: GuardSettings): boolean => {
  const { publicOrigin } = settings
  if (publicOrigin === null) return true
  const host = asUrl(publicOrigin.protocol, hostOf(request, settings))
  if (host === undefined) return false
  return host.host === publicOrigin.host || host.hostname === "localhost" || /^(\[.*\]|[\d.]+)$/.test(host.hostname)
}

/**
 * Whether an open server may answer to this name. Without a public origin only to what no stranger's name can stand for: an
 * address, this machine, a name without a dot. A page whose own name is made to point here would otherwise be let in.
 */
export const isOpenTo = (request: Request, settings: GuardSettings): boolean => {
  if (settings.publicOrigin !== null) return namesOurHost(request, settings)
  const name = asUrl("http:", hostOf(request, settings))?.hostname
  return name !== undefined && (/^(\[.*\]|[\d.]+)$/.test(name) || /(^|\.)localhost$/.test(name) || !name.includes("."))
}

/** Whether a browser sent it. Programs send neither header. */
export const isOfBrowser = ({ headers }: Request): boolean =>
  headers["sec-fetch-site"] !== undefined || headers["origin"] !== undefined

/**
 * Whether a page of another site made the browser send this. `Sec-Fetch-Site` cannot be forged by a page; browsers leave
 * it out on plain HTTP, where `Origin` has to be ours.
 */
export const isCrossSite = (request: Request, settings: GuardSettings): boolean => {
  const site = request.headers["sec-fetch-site"]
  if (site !== undefined) return site !== "same-origin" && site !== "none"
  const origin = request.headers["origin"]
  if (origin === undefined) return false
  const from = URL.canParse(origin) ? new URL(origin) : undefined
  if (from === undefined || !/^https?:$/.test(from.protocol)) return true
  if (from.origin === settings.publicOrigin?.origin) return false
  return !namesOurHost(request, settings) || asUrl(from.protocol, hostOf(request, settings))?.host !== from.host
}
