/**
 * The way to a server, which a test may cut, block, slow down or divide: TCP on 127.0.0.1, in front of any server.
 *
 * Both directions keep their order whatever the mode was meanwhile. Each holds at most `mostHeld` bytes beside what the kernel has;
 * beyond that it reads no more, so that whoever sends has to wait.
 */
import { once } from "node:events"
import { type AddressInfo, createServer, Socket } from "node:net"
import { Effect, type Scope } from "effect"

/**
 * - `pass`: everything goes through.
 * - `cut`: every connection is broken now; new ones go through.
 * - `refuse`: every connection is broken now, and each new one at once.
 * - `partition`: connections stay open and are accepted, nothing goes through, not even that one was closed. Afterwards everything
 *   that was sent arrives, however late, as after a network that was away for less than the kernel's patience: a write of
 *   somebody who was declared dead meanwhile reaches the server after all.
 * - `lost`: the same, but what was sent never arrives: with the next mode, whatever was open during it is broken.
 * - `slowMillis`: a round trip takes so many milliseconds longer, half of it each way.
 */
export type ProxyMode = "pass" | "cut" | "refuse" | "partition" | "lost" | { readonly slowMillis: number }

export interface Target {
  readonly host: string
  readonly port: number
}

export interface Proxy {
  readonly port: number
  /** Where clients go instead of to the server. */
  readonly where: Target
  readonly set: (mode: ProxyMode) => Effect.Effect<void>
  /** Connections that are open, on the side of the clients. */
  readonly open: Effect.Effect<number>
  /** How many were ever accepted, those that were refused too. */
  readonly accepted: Effect.Effect<number>
  /** Bytes that clients sent since the mode was set last: whether somebody tries. */
  readonly sent: Effect.Effect<number>
  /**
   * Hands on the next request (the next in which this is found), and breaks its connection in place of the answer: the server did
   * it, and who asked does not know. When nothing else is under way on that connection.
   */
  readonly loseAnswer: (to?: RegExp) => Effect.Effect<void>
  /** What is open now carries nothing any more, for ever and without a word; new connections do. */
  readonly silence: Effect.Effect<void>
}

const mostHeld = 256 * 1_024

/** What a slow way goes by. */
export interface ProxyClock {
  /** Milliseconds since some moment. */
  readonly now: () => number
  /** Calls `run` in so many milliseconds, unless the answer was called before. */
  readonly after: (millis: number, run: () => void) => () => void
}

const realClock: ProxyClock = {
  now: () => performance.now(),
  after: (millis, run) => {
    const timer = setTimeout(run, Math.ceil(millis))
    return () => clearTimeout(timer)
  }
}

interface Traffic {
  readonly clock: ProxyClock
  held: boolean
  delay: number
}

/** One direction of one connection. */
class Direction {
  private readonly waiting: Array<{ readonly due: number; readonly bytes: Buffer | null }> = []
  private bytes = 0
  private blocked = false
  private forget = () => {}
  silent = false

  constructor(private readonly from: Socket, private readonly to: Socket, private readonly traffic: Traffic) {
    to.on("drain", () => {
      this.blocked = false
      this.move()
    })
  }

  /** `null`: there is nothing more to come. */
  add(bytes: Buffer | null): void {
    this.waiting.push({ due: this.traffic.clock.now() + this.traffic.delay, bytes })
    this.bytes += bytes?.length ?? 0
    this.move()
  }

  /** Hands on what may go; also called when the mode has changed. */
  move(): void {
    const { clock } = this.traffic
    this.forget()
    const isHeld = () => this.traffic.held || this.silent
    while (!isHeld() && !this.blocked) {
      const [first] = this.waiting
      if (first === undefined) break
      const left = first.due - clock.now()
      if (left > 0) {
        this.forget = clock.after(left, () => this.move())
        break
      }
      this.waiting.shift()
      this.bytes -= first.bytes?.length ?? 0
      if (this.to.destroyed) continue
      if (first.bytes !== null) this.blocked = !this.to.write(first.bytes)
      // One that has gone altogether takes no answer.
      else if (this.from.destroyed) this.to.destroySoon()
      else this.to.end()
    }
    if (this.bytes > mostHeld) this.from.pause()
    else this.from.resume()
  }

  end(): void {
    this.forget()
    this.waiting.length = 0
  }
}

interface Pair {
  readonly destroy: () => void
  /** Goes on as the mode is now. */
  readonly move: () => void
  readonly silence: () => void
  /** Open while nothing arrived that was sent. */
  isLost: boolean
}

/** In front of this server, until the scope ends. */
export const makeProxy = (
  { clock = realClock, target }: { readonly target: Target; readonly clock?: ProxyClock }
): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const traffic: Traffic = { clock, held: false, delay: 0 }
    const pairs = new Set<Pair>()
    let mode: ProxyMode = "pass"
    let accepted = 0
    let sent = 0
    let losing: RegExp | null = null

    const open = (client: Socket): void => {
      const upstream = new Socket({ allowHalfOpen: true })
      const there = new Direction(client, upstream, traffic)
      const back = new Direction(upstream, client, traffic)
      let losesAnswer = false
      const destroy = () => {
        pairs.delete(pair)
        for (const direction of [there, back]) direction.end()
        client.destroy()
        upstream.destroy()
      }
      const pair: Pair = {
        destroy,
        move: () => {
          // In a partition nobody can say whether a server is there.
          if (upstream.pending && !upstream.connecting && !traffic.held) upstream.connect(target)
          there.move()
          back.move()
        },
        silence: () => {
          there.silent = back.silent = true
        },
        isLost: mode === "lost"
      }
      pairs.add(pair)
      client.setNoDelay(true).on("data", (bytes) => {
        sent += bytes.length
        if (losing?.test(bytes.toString("latin1")) === true) {
          losing = null
          losesAnswer = true
        }
        there.add(bytes)
      })
      // Its end is heard behind what it sent, and no sooner.
      client.on("end", () => there.add(null)).on("close", () => there.add(null))
      upstream.setNoDelay(true).on("data", (bytes) => losesAnswer ? destroy() : back.add(bytes))
      upstream.on("end", () => back.add(null)).on("close", () => back.add(null))
      for (const socket of [client, upstream]) {
        socket.on("error", () => undefined).on("close", () => {
          if (client.destroyed && upstream.destroyed) destroy()
        })
      }
      pair.move()
    }

    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      accepted += 1
      client.on("error", () => undefined)
      if (mode === "refuse") client.destroy()
      else open(client)
    })
    const breakAll = (which: (pair: Pair) => boolean = () => true) => {
      for (const pair of [...pairs].filter(which)) pair.destroy()
    }
    yield* Effect.acquireRelease(
      Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
      () =>
        Effect.sync(() => {
          breakAll()
          server.close()
        })
    )
    const { port } = server.address() as AddressInfo // safe: it listens on a port

    const set = (next: ProxyMode) =>
      Effect.sync(() => {
        mode = next
        sent = 0
        if (next === "cut" || next === "refuse") breakAll()
        else if (next !== "lost") breakAll(({ isLost }) => isLost)
        traffic.held = next === "partition" || next === "lost"
        traffic.delay = typeof next === "object" ? next.slowMillis / 2 : 0
        for (const pair of pairs) {
          if (next === "lost") pair.isLost = true
          pair.move()
        }
      })

    return {
      port,
      where: { host: "127.0.0.1", port },
      set,
      open: Effect.sync(() => pairs.size),
      accepted: Effect.sync(() => accepted),
      sent: Effect.sync(() => sent),
      loseAnswer: (to = /^/) =>
        Effect.sync(() => {
          losing = to
        }),
      silence: Effect.sync(() => {
        for (const pair of pairs) pair.silence()
      })
    }
  })
