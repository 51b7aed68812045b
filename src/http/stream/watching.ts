/**
 * The tasks that clients look at one by one: who looks at which, and whose turn it is. Plain mutable data of one owner.
 *
 * A frame of a watched task goes to all who watch it. It is due when each of them may hear one more message; those that
 * wait longest come first, and nobody overtakes one that waits for the same client.
 */
import type { TaskChange } from "../../TaskChange.js"
import type { Connection } from "./connection.js"
import { keyOf, type WatchedTopic } from "./topics.js"

/** What is looked at: the log or the summary of a task. */
export interface Watch {
  readonly topic: WatchedTopic
  readonly watchers: Set<Connection>
  /** Something has to be told. */
  dirty: boolean
  /** A client is new or lost something: to be told even when nothing changed. */
  announce: boolean
  /** Of a log: how many lines were told; null until that is known. */
  told: number | null
  /** The turn in which it was told last. */
  turn: number
}

/** What is told in a turn. */
export interface Due {
  readonly watch: Watch
  /** Told even when nothing changed. */
  readonly announced: boolean
}

export interface Watching {
  /** When a connection begins to hear, and again when it lost something: it is told what it watches. */
  readonly begin: (connection: Connection) => void
  readonly end: (connection: Connection) => void
  readonly add: (change: TaskChange) => void
  /** All are told again what they watch. */
  readonly announceAll: () => void
  readonly any: () => boolean
  /** What is told in this turn: not dirty from now on, and charged to those who hear it. */
  readonly due: (now: number) => ReadonlyArray<Due>
  /** It could not be told: in one of the next turns, then. */
  readonly giveBack: (due: Due) => void
}

// How many are told in one turn, whoever watches them.
const perTurn = 50

export const make = (): Watching => {
  const watches = new Map<string, Watch>()
  let turn = 0

  const announce = (watch: Watch) => {
    watch.dirty = true
    watch.announce = true
  }

  const changed = (kind: WatchedTopic["kind"], taskId: WatchedTopic["taskId"]) => {
    const watch = watches.get(keyOf({ kind, taskId }))
    if (watch !== undefined) watch.dirty = true
  }

  const mayHear = (watch: Watch, now: number, held: ReadonlySet<Connection>): boolean => {
    for (const watcher of watch.watchers) if (held.has(watcher) || !watcher.mayHear(now)) return false
    return true
  }

  return {
    begin: (connection) => {
      for (const topic of connection.topics.watched) {
        const key = keyOf(topic)
        const known = watches.get(key)
        const watch = known ?? { topic, watchers: new Set(), dirty: true, announce: true, told: null, turn: 0 }
        watch.watchers.add(connection)
        announce(watch)
        watches.set(key, watch)
      }
    },
    end: (connection) => {
      for (const topic of connection.topics.watched) {
        const watch = watches.get(keyOf(topic))
        watch?.watchers.delete(connection)
        if (watch?.watchers.size === 0) watches.delete(keyOf(topic))
      }
    },
    add: (change) => {
      // An end may come with the last lines.
      if (change._tag !== "Progressed") changed("log", change.taskId)
      if (change._tag !== "Logged") changed("run", change.taskId)
      if (change._tag === "Changed" && change.retryOf !== null) changed("run", change.retryOf)
    },
    announceAll: () => watches.forEach(announce),
    any: () => {
      for (const watch of watches.values()) if (watch.dirty) return true
      return false
    },
    due: (now) => {
      turn += 1
      const dirty = Array.from(watches.values()).filter((watch) => watch.dirty).sort((a, b) => a.turn - b.turn)
      const held = new Set<Connection>()
      const due: Array<Due> = []
      for (const watch of dirty) {
        if (due.length === perTurn) break
        if (mayHear(watch, now, held)) {
          due.push({ watch, announced: watch.announce })
          watch.dirty = false
          watch.announce = false
          watch.turn = turn
          for (const watcher of watch.watchers) watcher.charge(now)
        } else {
          for (const watcher of watch.watchers) held.add(watcher)
        }
      }
      return due
    },
    giveBack: ({ announced, watch }) => {
      watch.dirty = true
      watch.announce ||= announced
    }
  }
}
