/**
 * What lists say of the arguments of runs. The stream is the same for everybody, so it says nothing of them; arguments never change,
 * so what a list said is kept, and of rows that the stream brought it is asked once, for several together.
 */
import { signal } from "@preact/signals"
import * as endpoints from "../api/endpoints.js"
import type { Run } from "../api/types.js"
import { config } from "../config.js"
import { may } from "../session.js"

/** By id; null: there is none to be shown. */
const known = signal<ReadonlyMap<string, string | null>>(new Map())

const most = 6_000
const atOnce = 50
/** A moment in which more rows come into view, and no more than one question a second. */
const soon = 150
const pause = 1_000

const wanted = new Set<string>()
let timer: ReturnType<typeof setTimeout> | undefined

const keep = (told: Iterable<readonly [string, string | null]>): void => {
  const all = new Map([...known.peek(), ...told])
  for (const id of all.keys()) {
    if (all.size <= most) break
    all.delete(id)
  }
  known.value = all
}

/** Keeps what a list said. */
export const learn = (runs: ReadonlyArray<Run>): void => {
  for (const { taskId } of runs) wanted.delete(taskId)
  keep(runs.map(({ preview, taskId }) => [taskId, preview ?? null] as const))
}

const ask = async (): Promise<void> => {
  const ids = [...wanted].slice(-atOnce)
  if (ids.length > 0) {
    // What is not answered is not asked for again: it is not kept any more, or the server has trouble enough.
    for (const id of ids) wanted.delete(id)
    const items = await endpoints.listRuns({ q: `id:${ids.join(",")}`, limit: atOnce }).then(
      (page) => page.items,
      () => []
    )
    const answered = new Map<string, string | null>(items.map(({ preview, taskId }) => [taskId, preview ?? null]))
    keep(ids.map((id) => [id, answered.get(id) ?? null] as const))
  }
  timer = wanted.size > 0 ? setTimeout(() => void ask(), pause) : undefined
}

/** The arguments of a run that is drawn; null while nobody said, and where there is nothing to say. */
export const previewOf = (id: string): string | null => {
  const found = known.value.get(id)
  if (found === undefined && config.previews && may("arguments") && !wanted.has(id)) {
    wanted.add(id)
    const [oldest] = wanted
    if (wanted.size > atOnce * 4 && oldest !== undefined) wanted.delete(oldest)
    timer ??= setTimeout(() => void ask(), soon)
  }
  return found ?? null
}

/** Somebody else may see more, or less. */
export const forget = (): void => {
  wanted.clear()
  known.value = new Map()
}
