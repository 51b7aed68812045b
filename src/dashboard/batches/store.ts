/**
 * Batches that somebody should see: those under way, and how those ended that were started here. Told by the stream; where the
 * stream comes from an instance that does not do them, asked for.
 */
import { computed, signal } from "@preact/signals"
import * as TaskStream from "../../http/stream/reduce.js"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import type { Batch } from "../api/types.js"
import * as clock from "../clock.js"
import { mount } from "../config.js"
import { live, onFrame } from "../live/store.js"

/** How long nothing happens yet, in milliseconds: enough to see it, read it and press a button. */
export const undoFor = 5_000

const key = `taskflow:${mount.pathname}:batches`
const most = 20

const stored = (): ReadonlyArray<string> => {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(key) ?? "[]")
    return Array.isArray(value) ? value.filter((one) => typeof one === "string").slice(-most) : []
  } catch {
    return []
  }
}

/** Started in this tab and not put away yet; a reload keeps them. */
const mine = signal<ReadonlyArray<string>>(stored())

const setMine = (ids: ReadonlyArray<string>): void => {
  mine.value = ids.slice(-most)
  try {
    sessionStorage.setItem(key, JSON.stringify(mine.value))
  } catch {
    // It lives as long as the page then.
  }
}

/** Those of which nobody who answers knows any more. */
const lost = signal<ReadonlySet<string>>(new Set())

export const isEnded = ({ state }: Pick<Batch, "state">): boolean => state !== "waiting" && state !== "running"

/** What is shown of one: null where it was started here and nobody knows it. */
export interface Shown {
  readonly id: string
  readonly batch: Batch | null
  readonly isLost: boolean
  readonly isMine: boolean
}

const known = computed(() => live.value.batches)

// safe: the frames of this server carry what its API answers
const batchOf = (id: string): Batch | null => (known.value.get(id) as Batch | undefined) ?? null

/** The oldest first. */
export const shown = computed((): ReadonlyArray<Shown> => {
  const ids = new Set(mine.value)
  for (const [id, batch] of known.value) if (!isEnded(batch) && !lost.value.has(id)) ids.add(id)
  return [...ids].sort().flatMap((id) => {
    const batch = batchOf(id)
    const isLost = lost.value.has(id) && (batch === null || !isEnded(batch))
    return batch === null && !isLost ? [] : [{ id, batch, isLost, isMine: mine.value.includes(id) }]
  })
})

const told = new Map<string, number>()
const missed = new Map<string, number>()

const learn = (batches: ReadonlyArray<Batch>): void => {
  for (const { id } of batches) missed.delete(id)
  if (batches.some(({ id }) => lost.peek().has(id))) {
    lost.value = new Set([...lost.peek()].filter((id) => batches.every((one) => one.id !== id)))
  }
  live.value = TaskStream.batches(live.peek(), batches)
}

const readAll = async (): Promise<void> => {
  try {
    learn((await endpoints.batches()).items)
  } catch (error) {
    // What is not answered now is told, or asked for one by one.
    if (!isProblem(error)) throw error
  }
}

// Behind a load balancer the one that does it answers now and then: not found so often in a row is nowhere.
const patience = 8
const pollEvery = 2_000
const quietFor = 3_000

const readOne = async (id: string): Promise<void> => {
  try {
    learn([await endpoints.batch(id)])
  } catch (error) {
    if (!isProblem(error)) throw error
    if (error.tag !== "BatchNotFound") return
    const misses = (missed.get(id) ?? 0) + 1
    missed.set(id, misses)
    if (misses >= patience) lost.value = new Set(lost.peek()).add(id)
  }
}

// Of those that seemed lost, now and then.
const lostEvery = 5
let turn = 0

const poll = (): void => {
  if (document.hidden) return
  turn += 1
  const waited = new Set(mine.peek())
  for (const [id, batch] of known.peek()) if (!isEnded(batch)) waited.add(id)
  for (const id of waited) {
    const batch = known.peek().get(id)
    if (batch !== undefined && isEnded(batch) || lost.peek().has(id) && turn % lostEvery !== 0) continue
    if (clock.local() - (told.get(id) ?? 0) > quietFor) void readOne(id)
  }
}

export const startBatches = (): void => {
  onFrame((frame) => {
    if (frame.t === "hello") void readAll()
    if (frame.t !== "batches") return
    for (const { id } of frame.b) told.set(id, clock.local())
    // safe: as above
    learn(frame.b as ReadonlyArray<Batch>)
  })
  setInterval(poll, pollEvery)
}

/** Starts one, and shows it from now on. */
export const begin = async (request: endpoints.BatchRequest): Promise<void> => {
  const { batch } = await endpoints.startBatch({ ...request, startAfter: undoFor })
  setMine([...mine.peek(), batch.id])
  told.set(batch.id, clock.local())
  learn([batch])
}

export const putAway = (id: string): void => setMine(mine.peek().filter((one) => one !== id))

const tries = 5
const pause = 200

/** Asks again where another instance answered that does not know it. */
const finding = async <A>(ask: () => Promise<A>, left = tries): Promise<A> => {
  try {
    return await ask()
  } catch (error) {
    if (!isProblem(error, "BatchNotFound") || left <= 1) throw error
    await new Promise((resolve) => setTimeout(resolve, pause))
    return finding(ask, left - 1)
  }
}

export const stop = async (id: string): Promise<void> => learn([(await finding(() => endpoints.stopBatch(id))).batch])

export const startNow = async (id: string): Promise<void> => learn([await finding(() => endpoints.startBatchNow(id))])
