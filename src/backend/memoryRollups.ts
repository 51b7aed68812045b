/** The sums of ended tasks of MemoryBackend, by minute and name; minutes become hours, and hours one sum. Plain data, no effects. */
import * as Durations from "../internal/durations.js"
import * as Rollups from "../internal/rollups.js"
import { durationOf, type TaskRecord, waitOf } from "../TaskRecord.js"
import type { Rollup, RollupQuery } from "../TaskRollup.js"
import type { Terminal } from "../TaskStatus.js"

export const make = () => {
  // By the minute that they are kept at, the latest last as far as clocks agree.
  const minutes = new Map<number, ReturnType<typeof Rollups.gathering>>()

  const at = (minute: number) => {
    let found = minutes.get(minute)
    if (found === undefined) minutes.set(minute, found = Rollups.gathering())
    return found
  }

  return {
    count: (record: TaskRecord, now: number): void => {
      const minute = Rollups.minuteOf(now)
      const into = at(minute).of(minute, record.taskName)
      into.ends[record.status as Terminal] += 1 // safe: it has ended
      const took = record.status === "success" || record.status === "failed" ? durationOf(record) : null
      const waited = waitOf(record)
      if (took !== null) Rollups.addOne(into.durations, Durations.bucketOf(took), took)
      if (waited !== null) Rollups.addOne(into.waits, Durations.bucketOf(waited), waited)
    },

    read: (query: RollupQuery): ReadonlyArray<Rollup> => {
      const slots = Rollups.slotsOf(query)
      const found = Rollups.gathering()
      if (slots === null) return []
      const asked = Rollups.namesOf(query)
      const names = asked === null ? null : new Set(asked)
      const divider = Rollups.dividerOf(slots)
      for (const [minute, sums] of minutes) {
        if (minute < slots.first || minute >= slots.end) continue
        for (const rollup of sums.every()) {
          if (names !== null && (rollup.taskName === null || !names.has(rollup.taskName))) continue
          const at = Rollups.beginOf(slots, minute - minute % divider)
          found.add({ ...rollup, at, taskName: query.byTask === true ? rollup.taskName : null })
        }
      }
      return query.histograms === false ? found.all().map(Rollups.withoutBuckets) : found.all()
    },

    maintain: (now: number): void => {
      for (const [minute, sums] of [...minutes]) {
        const place = Rollups.placeOf(minute, now)
        if (place === minute) continue
        minutes.delete(minute)
        for (const rollup of sums.every()) at(place).add({ ...rollup, at: place })
      }
    }
  }
}
