/**
 * How MemoryBackend hands out work: ready rows first, then what others hold and do not start.
 */
import * as Option from "effect/Option"
import type { Claimed, ClaimRequest } from "../TaskBackend.js"
import * as TaskRecord from "../TaskRecord.js"
import type { Controls } from "./memoryControls.js"
import { isSuspect } from "./memoryHoldings.js"
import type { LiveRow, Tables } from "./memoryTables.js"

const byPriorityThenArrival = (a: LiveRow, b: LiveRow): number =>
  b.record.priority - a.record.priority || a.sequence - b.sequence

export const claim = (tables: Tables, controls: Controls, request: ClaimRequest): Claimed => {
  const { instance, now, stealAfter } = request
  const nextDueAt = tables.promote(now)
  const named = request.tasks.filter(({ name }) => !controls.isPaused(name))
  const shares = new Map((request.groups ?? []).flatMap(({ names, slots }) => {
    const share = { slots }
    return names.map((name) => [name, share] as const)
  }))
  const rooms = new Map(
    named.map(({ name, slots, version, window }) => [
      name,
      { version, slots, window, share: shares.get(name) ?? { slots: request.slots } }
    ])
  )
  const wanted = [...rooms].flatMap(([name, room]) =>
    (tables.ready.get(name) ?? []).flatMap(({ fifo, suspects, version }) =>
      version <= room.version ? [{ name, room, fifo, suspects }] : []
    )
  )
  const mine = tables.holdings.of(instance)
  const started: Array<LiveRow> = []
  const pending: Array<LiveRow> = []
  interface Room extends Pick<ClaimRequest, "slots" | "window"> {
    readonly share: { readonly slots: number }
  }
  const canStart = ({ share, slots }: Room) => slots > 0 && share.slots > 0 && started.length < request.slots
  const canWait = ({ window }: Room) => window > 0 && pending.length < request.window
  // One suspect at a time, so that the death of an instance says something about it.
  const mayHave = (suspects: boolean) => !suspects || mine.suspects.size === 0

  const start = (row: LiveRow): void => {
    const { record } = row
    const event = { _tag: "Started", taskId: record.taskId, at: now, instance, claim: record.claim + 1 } as const
    tables.update(row, Option.getOrThrow(TaskRecord.apply(record, event)), now)
    started.push(row)
  }

  while (true) {
    let best: { readonly from: typeof wanted[number]; readonly priority: number; readonly sequence: number } | undefined
    for (const from of wanted) {
      const head = mayHave(from.suspects) && (canStart(from.room) || canWait(from.room)) ? from.fifo.peek() : undefined
      if (head === undefined) continue
      const ahead = best === undefined || head.priority > best.priority ||
        (head.priority === best.priority && head.sequence < best.sequence)
      if (ahead) best = { from, priority: head.priority, sequence: head.sequence }
    }
    const row = best?.from.fifo.peek()?.value
    if (best === undefined || row === undefined) break
    const { room } = best.from
    if (canStart(room)) {
      room.slots -= 1
      room.share.slots -= 1
      start(row)
    } else {
      room.window -= 1
      tables.update(row, TaskRecord.ownedBy(row.record, instance, row.record.claim + 1), now)
      pending.push(row)
    }
  }

  if (stealAfter !== null && started.length < request.slots) {
    const roomOf = ({ definitionVersion, taskName }: TaskRecord.TaskRecord) => {
      const room = rooms.get(taskName)
      return room !== undefined && definitionVersion <= room.version ? room : undefined
    }
    const idle: Array<LiveRow> = []
    for (const row of tables.holdings.windowsOfOthers(instance)) {
      // Nobody else has the code of a one-off effect.
      if (row.record.kind === "task" && roomOf(row.record) !== undefined && now - row.heldSince > stealAfter) {
        idle.push(row)
      }
    }
    for (const row of idle.sort(byPriorityThenArrival)) {
      const room = roomOf(row.record)
      if (room === undefined || !canStart(room) || !mayHave(isSuspect(row.record))) continue
      room.slots -= 1
      room.share.slots -= 1
      start(row)
    }
    started.sort(byPriorityThenArrival)
  }

  // Suspects that may not be taken now are no reason to ask again at once.
  const more = new Set(wanted.flatMap(({ fifo, name, suspects }) => fifo.size() > 0 && mayHave(suspects) ? [name] : []))
  return {
    started: started.map(({ record }) => record),
    pending: pending.map(({ record }) => record),
    more: [...more],
    nextDueAt,
    joined: []
  }
}
