/** What the plain changes of a batch add up to, by name: as fields of hashes to increment, and bounds to keep. */
import * as Durations from "../../internal/durations.js"
import * as Rollups from "../../internal/rollups.js"
import type { Change } from "../../TaskBackend.js"
import { durationOf, waitOf } from "../../TaskRecord.js"
import * as Rows from "./rows.js"

interface Sum {
  count: number
  sum: number
  least: number
  most: number
  readonly buckets: Map<number, number>
}

const emptySum = (): Sum => ({ count: 0, sum: 0, least: Infinity, most: 0, buckets: new Map() })

const add = (sum: Sum, millis: number, bucket: number): void => {
  const whole = Math.round(millis)
  sum.count += 1
  sum.sum += whole
  sum.least = Math.min(sum.least, whole)
  sum.most = Math.max(sum.most, whole)
  sum.buckets.set(bucket, (sum.buckets.get(bucket) ?? 0) + 1)
}

interface Tally {
  pending: number
  running: number
  success: number
  readonly durations: Sum
  readonly waits: Sum
}

/** `args`: increments (key, field, by), bounds (key, then field and value of the least and of the most), the minute, names. */
export const make = (now: number) => {
  const minute = String(Rollups.minuteOf(now))
  const tallies = new Map<string, Tally>()

  const tallyOf = (name: string): Tally => {
    let tally = tallies.get(name)
    if (tally === undefined) {
      tally = { pending: 0, running: 0, success: 0, durations: emptySum(), waits: emptySum() }
      tallies.set(name, tally)
    }
    return tally
  }

  const count = ({ _tag, record }: Extract<Change, { readonly record: unknown }>): void => {
    const tally = tallyOf(record.taskName)
    if (_tag === "Insert") tally[record.status === "running" ? "running" : "pending"] += 1
    else if (_tag === "Start") {
      tally.pending -= 1
      tally.running += 1
    } else {
      tally.running -= 1
      tally.success += 1
      const [took, waited] = [durationOf(record), waitOf(record)]
      if (took !== null) add(tally.durations, took, Durations.bucketOf(took))
      // Its bucket is made of the whole milliseconds, as the scripts make it.
      if (waited !== null) add(tally.waits, waited, Durations.bucketOf(Math.round(waited)))
    }
  }

  const args = () => {
    let [increments, bounds, names, ends] = ["", "", "", false]
    const increment = (key: string, field: string, by: number) => {
      if (by !== 0) increments += `${key}\n${field}\n${by}\n`
    }
    for (const [taskName, { durations, pending, running, success, waits }] of tallies) {
      const name = Rows.nameText(taskName)
      const [stats, minutes] = [`st:${name}`, `ru:${minute}`]
      names += `${name}\n`
      increment(stats, "pending", pending)
      increment(stats, "running", running)
      if (success === 0) continue
      ends = true
      increment(stats, "success", success)
      increment(minutes, `success ${name}`, success)
      if (durations.count > 0) {
        increment(stats, "n", durations.count)
        increment(stats, "sum", durations.sum)
        bounds += `${stats}\nmin\n${durations.least}\nmax\n${durations.most}\n`
        for (const [bucket, many] of durations.buckets) increment(stats, `b${bucket}`, many)
      }
      for (const [letter, { buckets, count, least, most, sum }] of [["d", durations], ["w", waits]] as const) {
        if (count === 0) continue
        for (const [bucket, many] of buckets) increment(minutes, `${letter}${bucket} ${name}`, many)
        increment(minutes, `${letter}s ${name}`, sum)
        bounds += `${minutes}\n${letter}l ${name}\n${least}\n${letter}m ${name}\n${most}\n`
      }
    }
    return { increments, bounds, names, minute: ends ? minute : "" }
  }

  return { count, args }
}
