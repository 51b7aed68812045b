/**
 * How often passwords may be tried. Asked before each check, so that tries at the same time count as well.
 *
 * - One user from one address: five wrong ones, then a wait of 5 seconds that doubles with each further one, up to 5
 *   minutes. It is forgotten 15 minutes after the last.
 * - One address: 30 wrong ones a minute.
 * - All together: 300 a minute.
 *
 * Only wrong ones are counted in the end. Kept in memory of one process: with n instances an attacker has n times as many.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface Throttle {
  /** How many milliseconds this user has to wait at this address for wrong passwords before; 0 for not at all. */
  readonly blocked: (username: string, address: string | null) => Effect.Effect<number>
  /** Counts one try. Answers 0 when it may be made, else how many milliseconds to wait. */
  readonly begin: (username: string, address: string | null) => Effect.Effect<number>
  /** The try was right: it does not count, and earlier ones of the same user and address are forgotten. */
  readonly succeeded: (username: string, address: string | null) => Effect.Effect<void>
}

const freeTries = 5
const firstWait = 5_000
const longestWait = 300_000
const forgottenAfter = 900_000

interface Tries {
  readonly count: number
  readonly until: number
  readonly last: number
}

/** As many tokens as there are tries left; they come back evenly over a minute. */
interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** A map that forgets what was touched longest ago. */
const bounded = <V>(limit: number) => {
  const map = new Map<string, V>()
  return {
    map,
    set: (key: string, value: V) => {
      map.delete(key)
      map.set(key, value)
      if (map.size > limit) map.delete(map.keys().next().value!)
    }
  }
}

const refilled = (bucket: Bucket | undefined, capacity: number, now: number): Bucket => ({
  tokens: bucket === undefined ? capacity : Math.min(capacity, bucket.tokens + (now - bucket.at) * capacity / 60_000),
  at: now
})

const waitFor = ({ tokens }: Bucket, capacity: number): number =>
  tokens >= 1 ? 0 : Math.ceil((1 - tokens) * 60_000 / capacity)

export const perAddress = 30
export const perProcess = 300

/** `remembered` is how many users and how many addresses are kept, default 10,000. */
export const make = (remembered = 10_000): Throttle => {
  const tries = bounded<Tries>(remembered)
  const addresses = bounded<Bucket>(remembered)
  let all: Bucket | undefined
  const keyOf = (username: string, address: string | null) => `${address ?? ""} ${username.slice(0, 200)}`

  const blocked = (username: string, address: string | null, now: number): number =>
    Math.max(0, (tries.map.get(keyOf(username, address))?.until ?? 0) - now)

  const begin = (username: string, address: string | null, now: number): number => {
    const wait = blocked(username, address, now)
    if (wait > 0) return wait
    const key = keyOf(username, address)
    const known = tries.map.get(key)
    const count = known !== undefined && now - known.last < forgottenAfter ? known.count + 1 : 1
    const pause = count < freeTries ? 0 : Math.min(longestWait, firstWait * 2 ** Math.min(count - freeTries, 10))
    // Also when the address or all have to wait: what is refused then is a try as well.
    tries.set(key, { count, until: now + pause, last: now })
    const ofAll = refilled(all, perProcess, now)
    const ofAddress = address === null ? ofAll : refilled(addresses.map.get(address), perAddress, now)
    const busy = Math.max(waitFor(ofAll, perProcess), address === null ? 0 : waitFor(ofAddress, perAddress))
    if (busy > 0) return busy
    if (address !== null) addresses.set(address, { ...ofAddress, tokens: ofAddress.tokens - 1 })
    all = { ...ofAll, tokens: ofAll.tokens - 1 }
    return 0
  }

  const succeeded = (username: string, address: string | null) => {
    tries.map.delete(keyOf(username, address))
    const back = (bucket: Bucket, capacity: number): Bucket => ({
      ...bucket,
      tokens: Math.min(capacity, bucket.tokens + 1)
    })
    if (all !== undefined) all = back(all, perProcess)
    const bucket = address === null ? undefined : addresses.map.get(address)
    if (address !== null && bucket !== undefined) addresses.set(address, back(bucket, perAddress))
  }

  return {
    blocked: (username, address) => Effect.map(Clock.currentTimeMillis, (now) => blocked(username, address, now)),
    begin: (username, address) => Effect.map(Clock.currentTimeMillis, (now) => begin(username, address, now)),
    succeeded: (username, address) => Effect.sync(() => succeeded(username, address))
  }
}
