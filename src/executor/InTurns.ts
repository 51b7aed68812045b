/**
 * What workers say, heard in its order and a little at a time: one that says very much keeps this process from nothing else.
 *
 * A pool has one of these, and each of its workers a line in it; lines take turns. How long a line gets is bounded by how much
 * a worker says in one attempt.
 */
import { monotonic } from "../internal/realTime.js"

/** Hears one thing, after all that came before it in this line. */
export type Line = (hear: () => void) => void

// Milliseconds of one turn of the event loop.
const share = 4

interface Waiting {
  readonly items: Array<() => void>
  heard: number
}

export class InTurns {
  // Those in which something waits.
  private readonly lines = new Set<Waiting>()
  private scheduled = false

  line(): Line {
    const line: Waiting = { items: [], heard: 0 }
    return (hear) => {
      line.items.push(hear)
      this.lines.add(line)
      if (this.scheduled) return
      this.scheduled = true
      setImmediate(this.turn)
    }
  }

  private readonly turn = (): void => {
    const until = monotonic() + share
    try {
      while (this.lines.size > 0 && monotonic() < until) this.round()
    } finally {
      this.scheduled = this.lines.size > 0
      if (this.scheduled) setImmediate(this.turn)
    }
  }

  private round(): void {
    for (const line of [...this.lines]) {
      const hear = line.items[line.heard]!
      line.heard += 1
      if (line.heard === line.items.length) {
        this.lines.delete(line)
        line.items.length = 0
        line.heard = 0
      }
      hear()
    }
  }
}
