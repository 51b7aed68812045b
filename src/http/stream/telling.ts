/**
 * What the hub says, turn by turn: collects what changed, reads each of it once, and gives out frames that are encoded once.
 *
 * A turn costs what changed since the turn before, never what is kept, and the same whether one client listens or a hundred.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RealTime from "../../internal/realTime.js"
import type { TaskChange } from "../../TaskChange.js"
import type { TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { TaskStatus } from "../../TaskStatus.js"
import type { BatchesFrame, CountsFrame, Frame, Json, LogFrame } from "./frame.js"
import * as Pending from "./pending.js"
import type { SharedTopic } from "./topics.js"
import { versionOf } from "./version.js"
import type { Due, Watch, Watching } from "./watching.js"

/** Where the frames come from. What fails is asked again, and logged once. */
export interface Sources {
  /** The records of at most 250 tasks. Whoever is not among the answers is not kept any more. */
  readonly records: (ids: ReadonlyArray<TaskId>) => Effect.Effect<ReadonlyArray<TaskRecord>, unknown>
  /** What clients are shown of a record. The version is put beside it. */
  readonly summary: (record: TaskRecord) => object
  /** How many tasks are in each status. Asked at most once a second. */
  readonly counts: Effect.Effect<Readonly<Record<TaskStatus, number>>, unknown>
  /** How many groups of errors are open. Asked when tasks failed, at most every other second, and now and then. */
  readonly attention: Effect.Effect<number, unknown>
  /** The roll-up of the latest minute, null when there is none. Asked at most once a second. */
  readonly bucket: Effect.Effect<Json, unknown>
  /** Lines of a task as clients are shown them, skipping the first `after`. */
  readonly logLines: (taskId: TaskId, after: number) => Effect.Effect<ReadonlyArray<unknown>, unknown>
  /** The batches of this instance that are told of. Asked at most once a second. */
  readonly batches: Effect.Effect<BatchesFrame["b"], unknown>
}

/** Where the frames go. */
export interface Listeners {
  readonly all: (topic: SharedTopic, frame: Frame | string) => void
  readonly watchers: (watch: Watch, frame: Frame | string) => void
  /** Whether somebody would hear counts, buckets and batches: otherwise they are not asked for. */
  readonly any: () => boolean
}

export interface Telling {
  readonly add: (change: TaskChange) => void
  /** Counts, bucket and batches have to be looked at, whatever changed. */
  readonly look: () => void
  /** A batch changed. */
  readonly lookAtBatches: () => void
  readonly lookAtAttention: () => void
  /** Whether a turn has something to do, now or within a second. */
  readonly any: () => boolean
  /** How many of its reads failed in a row afterwards. */
  readonly turn: Effect.Effect<number>
  /** The latest frames of counts, bucket and batches as JSON text, for those who come later. */
  readonly latest: (topics: ReadonlySet<SharedTopic>) => ReadonlyArray<string>
  /** Forgets everything. Tasks made before `floor` (epoch milliseconds) do not count as new. */
  readonly restart: (floor: number) => void
}

const most = {
  /** Records read in a turn. */
  records: 250,
  /** Log lines in a frame. */
  lines: 500,
  /**
   * Characters of the rows in a frame; one row always goes. With four frames a second, and all else that a stream tells, that is
   * less than 100 kB a second at any load.
   */
  characters: 22_528
}

// Milliseconds between two looks at counts or bucket; and of real time that a read may take.
const lookEvery = 1_000
const readWithin = 10_000
// Between two looks at groups of errors: when something failed, and otherwise, for what other instances do to them.
const attentionEvery = 2_000
const attentionAnyway = 30_000

interface Look {
  due: boolean
  at: number
  latest: string | null
}

const endedOf = (counts: Readonly<Record<TaskStatus, number>>): number =>
  counts.success + counts.failed + counts.interrupted + counts.cancelled

export const make = (sources: Sources, listeners: Listeners, watching: Watching): Telling => {
  const pending = Pending.make()
  const never = (): Look => ({ due: false, at: Number.NEGATIVE_INFINITY, latest: null })
  const looks = { counts: never(), buckets: never(), batches: never() }
  const groups = { due: false, at: Number.NEGATIVE_INFINITY, many: null as number | null }
  let ended: { readonly count: number; readonly at: number } | null = null
  let failures = 0
  // Characters of a row, about: what does not go into the frame need not be read.
  let rowSize = 500

  const lookAtTasks = () => {
    looks.counts.due = true
    looks.buckets.due = true
  }
  const lookAtBatches = () => {
    looks.batches.due = true
  }
  const look = () => {
    lookAtTasks()
    lookAtBatches()
  }

  const read = <A>(what: string, source: () => Effect.Effect<A, unknown>): Effect.Effect<Option.Option<A>> =>
    RealTime.within(Effect.suspend(source), readWithin, () => new Error(`no answer in ${readWithin} ms`)).pipe(
      Effect.map((answer) => {
        failures = 0
        return Option.some(answer)
      }),
      Effect.catchAllCause((cause) => {
        failures += 1
        const log = failures === 1 ? Effect.logWarning : Effect.logDebug
        return Effect.as(log(`task stream: ${what} could not be read, asking again`, cause), Option.none())
      })
    )

  const tellRuns = (taken: Pending.Taken, rowOf: (id: TaskId) => string | null) => {
    const gone: Array<TaskId> = []
    let characters = 0
    const told = (ids: ReadonlyArray<TaskId>, giveBack: (rest: ReadonlyArray<TaskId>) => void): string => {
      const rows: Array<string> = []
      const end = ids.findIndex((id) => {
        if (characters > most.characters) return true
        const row = rowOf(id)
        if (row === null) gone.push(id)
        else rows.push(row)
        characters += row?.length ?? 0
        rowSize += ((row?.length ?? rowSize) - rowSize) / 16
        return false
      })
      if (end >= 0) giveBack(ids.slice(end))
      return `[${rows.join(",")}]`
    }
    const n = told(taken.fresh, (fresh) => pending.giveBack({ fresh }))
    const u = told(taken.updated, (updated) => pending.giveBack({ updated }))
    const over = taken.over === 0 ? "" : `,"over":${taken.over}`
    const sampled = taken.sampled === 0 ? "" : `,"sampled":${taken.sampled}`
    listeners.all("runs", `{"t":"runs","n":${n},"u":${u},"d":${JSON.stringify(gone)}${over}${sampled}}`)
  }

  const tellLog = (due: Due) =>
    Effect.gen(function*() {
      const { announced, watch } = due
      const { told, topic: { taskId } } = watch
      if (told === null) return
      const answer = yield* read("a log", () => sources.logLines(taskId, told))
      if (Option.isNone(answer)) return watching.giveBack(due)
      const l = answer.value.slice(0, most.lines)
      if (answer.value.length > l.length) watch.dirty = true
      watch.told = told + l.length
      const frame: LogFrame = { t: "log", run: taskId, from: told, l }
      if (announced || l.length > 0) listeners.watchers(watch, frame)
    })

  const tellTasks = Effect.fnUntraced(function*(now: number) {
    const due = watching.due(now)
    const asked = due.filter(({ watch }) => watch.topic.kind === "run" || watch.told === null)
    const ids = new Set(asked.map(({ watch }) => watch.topic.taskId))
    const room = Math.min(most.records - ids.size, Math.max(1, Math.round(most.characters / rowSize)))
    const taken = pending.any() ? pending.take(room) : null
    for (const id of [...taken?.fresh ?? [], ...taken?.updated ?? []]) ids.add(id)
    const answer = ids.size === 0 ? Option.some([]) : yield* read("tasks", () => sources.records(Array.from(ids)))
    if (Option.isNone(answer)) {
      if (taken !== null) pending.giveBack(taken)
      return due.forEach(watching.giveBack)
    }
    const records = new Map(answer.value.map((record) => [record.taskId, record]))
    const rows = new Map<TaskId, string>()
    const rowOf = (id: TaskId): string | null => {
      const record = records.get(id)
      if (record === undefined) return null
      const row = rows.get(id)
        ?? JSON.stringify({ ...sources.summary(record), taskId: record.taskId, v: versionOf(record) })
      rows.set(id, row)
      return row
    }
    if (taken !== null) tellRuns(taken, rowOf)
    for (const { watch } of due) {
      const { kind, taskId } = watch.topic
      if (kind === "log") watch.told ??= records.get(taskId)?.logLines ?? null
      else listeners.watchers(watch, `{"t":"run","run":"${taskId}","patch":${rowOf(taskId) ?? "null"}}`)
    }
    const logs = due.filter(({ watch }) => watch.topic.kind === "log")
    yield* Effect.forEach(logs, tellLog, { concurrency: 4, discard: true })
  })

  const looked = <A>(
    { look, now, source, what }: {
      readonly look: Look
      readonly now: number
      readonly source: Effect.Effect<A, unknown>
      readonly what: string
    },
    then: (value: A) => void
  ) =>
    Effect.suspend(() => {
      if (!look.due || now - look.at < lookEvery || !listeners.any()) return Effect.void
      look.due = false
      look.at = now
      return Effect.map(read(what, () => source), (answer) => {
        if (Option.isSome(answer)) then(answer.value)
        else look.due = true
      })
    })

  const tellIfNew = (topic: keyof typeof looks, text: string) => {
    const look = looks[topic]
    if (look.latest === text) return
    look.latest = text
    listeners.all(topic, text)
  }

  const tellCounts = (now: number) => (counts: Readonly<Record<TaskStatus, number>>) => {
    const count = endedOf(counts)
    const rate = ended === null || now <= ended.at
      ? null
      : Math.max(0, Math.round((count - ended.count) / (now - ended.at) * 10_000) / 10)
    ended = { count, at: now }
    // It has to come down again when nothing ends any more.
    if (rate !== null && rate > 0) looks.counts.due = true
    const dlq = counts.failed + counts.interrupted
    const frame: CountsFrame = { t: "counts", c: counts, rate, dlq, attention: groups.many }
    tellIfNew("counts", JSON.stringify(frame))
  }

  const lookAtAttention = () => {
    groups.due = true
  }

  // Before the counts, which tell of it.
  const lookAtGroups = (now: number) =>
    Effect.suspend(() => {
      const since = now - groups.at
      if (!listeners.any() || since < attentionEvery || !groups.due && since < attentionAnyway) return Effect.void
      groups.due = false
      groups.at = now
      return Effect.map(read("groups of errors", () => sources.attention), (answer) => {
        if (Option.isNone(answer)) return lookAtAttention()
        if (answer.value !== groups.many) looks.counts.due = true
        groups.many = answer.value
      })
    })

  return {
    add: (change) => {
      pending.add(change)
      watching.add(change)
      if (change._tag !== "Changed") return
      lookAtTasks()
      if (change.status === "failed") lookAtAttention()
    },
    look,
    lookAtBatches,
    lookAtAttention,
    any: () =>
      pending.any() || watching.any() ||
      (groups.due || Object.values(looks).some(({ due }) => due)) && listeners.any(),
    turn: Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      yield* tellTasks(now)
      yield* lookAtGroups(now)
      yield* looked({ look: looks.counts, now, source: sources.counts, what: "counts" }, tellCounts(now))
      yield* looked({ look: looks.buckets, now, source: sources.bucket, what: "the roll-up" }, (b) => {
        if (b !== null) tellIfNew("buckets", JSON.stringify({ t: "bucket", b }))
      })
      yield* looked({ look: looks.batches, now, source: sources.batches, what: "the batches" }, (b) => {
        const frame: BatchesFrame = { t: "batches", b }
        if (b.length > 0 || looks.batches.latest !== null) tellIfNew("batches", JSON.stringify(frame))
      })
      return failures
    }),
    latest: (topics) =>
      (["counts", "buckets", "batches"] as const).flatMap((topic) => {
        const { latest } = looks[topic]
        return topics.has(topic) && latest !== null ? [latest] : []
      }),
    restart: (floor) => {
      pending.restart(floor)
      for (const look of Object.values(looks)) {
        look.latest = null
        look.at = Number.NEGATIVE_INFINITY
      }
      groups.at = Number.NEGATIVE_INFINITY
      groups.many = null
      ended = null
      failures = 0
      look()
      lookAtAttention()
    }
  }
}
