/** The life of a run as bars on one scale: how long it waited, each attempt, and what lay between. Pure. */
import type { Attempt, Run } from "../api/types.js"

export interface Bar {
  readonly kind: "queue" | "wait" | "attempt"
  /** Shares of the whole, 0 to 1. */
  readonly from: number
  readonly to: number
}

export interface Lane {
  /** Null for the queue. */
  readonly attempt: Attempt | null
  readonly bars: ReadonlyArray<Bar>
  /** Milliseconds. */
  readonly took: number
}

export interface Timeline {
  readonly lanes: ReadonlyArray<Lane>
  /** Milliseconds. */
  readonly total: number
  readonly waiting: number
  /** Where the ticks of the scale are and what they mean: with a long wait left out they are not evenly spread. */
  readonly ticks: ReadonlyArray<{ readonly at: number; readonly millis: number }>
  /** A wait so long that it was drawn shorter. */
  readonly collapsed: boolean
}

interface Piece {
  readonly from: number
  readonly to: number
  readonly busy: boolean
}

/** Waits that are more than this share of the whole are drawn as this little. */
const most = 0.6
const drawn = 0.15
/** Ticks nearer to each other than this share would touch. */
const nearest = 0.18

const time = (text: string | null): number | null => text === null ? null : Date.parse(text)

/** Pieces of the life in order, from the first to the last moment. */
const piecesOf = (start: number, end: number, runs: ReadonlyArray<readonly [number, number]>): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let at = start
  for (const [from, to] of runs) {
    if (from > at) pieces.push({ from: at, to: from, busy: false })
    if (to > Math.max(at, from)) pieces.push({ from: Math.max(at, from), to, busy: true })
    at = Math.max(at, to)
  }
  if (end > at) pieces.push({ from: at, to: end, busy: false })
  return pieces
}

// Those that would be written over each other are left out; the first and the last stay.
const apart = (ticks: Timeline["ticks"]): Timeline["ticks"] => {
  const last = ticks.at(-1)
  const kept: Array<Timeline["ticks"][number]> = []
  for (const tick of ticks.slice(0, -1)) {
    const before = kept.at(-1)
    if (before === undefined || tick.at - before.at > nearest && (last?.at ?? 1) - tick.at > nearest) kept.push(tick)
  }
  return last === undefined ? kept : [...kept, last]
}

/** `now` is the server's time: for what has not ended. */
export const timelineOf = (run: Run, attempts: ReadonlyArray<Attempt>, now: number): Timeline => {
  const start = Math.max(Date.parse(run.createdAt), time(run.runAt) ?? 0)
  const spans = attempts.flatMap((attempt): ReadonlyArray<readonly [Attempt, number, number]> => {
    const from = time(attempt.startedAt)
    return from === null ? [] : [[attempt, from, time(attempt.endedAt) ?? Math.max(now, from)]]
  })
  const last = spans.at(-1)?.[2] ?? start
  const end = Math.max(start + 1, time(run.endedAt) ?? Math.max(now, last), last)
  const begin = Math.min(start, spans[0]?.[1] ?? start)
  const pieces = piecesOf(begin, end, spans.map(([, from, to]) => [from, to]))
  const idle = pieces.reduce((sum, { busy, from, to }) => busy ? sum : sum + to - from, 0)
  const total = end - begin
  const collapsed = spans.length > 0 && idle > total * most
  const factor = collapsed ? (total - idle) * drawn / (1 - drawn) / idle : 1
  const length = total - idle + idle * factor || 1

  const place = (moment: number): number => {
    let sum = 0
    for (const { busy, from, to } of pieces) {
      if (moment <= from) break
      sum += (Math.min(moment, to) - from) * (busy ? 1 : factor)
    }
    return Math.min(1, Math.max(0, sum / length))
  }

  const first = spans[0]?.[1] ?? end
  const queue: Lane = {
    attempt: null,
    took: Math.max(0, first - start),
    bars: [{ kind: "queue", from: place(start), to: place(first) }]
  }
  const lanes = spans.map(([attempt, from, to], index): Lane => {
    const next = spans[index + 1]?.[1] ?? (run.nextAttemptAt === null || index < spans.length - 1 ? null : end)
    return {
      attempt,
      took: to - from,
      bars: [
        { kind: "attempt", from: place(from), to: place(to) },
        ...next === null || next <= to ? [] : [{ kind: "wait" as const, from: place(to), to: place(next) }]
      ]
    }
  })
  const moments = collapsed
    ? [begin, ...spans.map(([, from]) => from), end]
    : [0, 0.25, 0.5, 0.75, 1].map((share) => begin + total * share)
  const ticks = moments.map((moment) => ({ at: place(moment), millis: moment - begin }))
  return {
    lanes: [queue, ...lanes],
    total,
    waiting: idle,
    collapsed,
    ticks: apart(ticks)
  }
}
