/**
 * The live stream: one hub for all clients of a `TaskHttp`. It listens to the changes of the fleet while somebody listens to
 * it, tells of them in bounded frames that are encoded once, and keeps the recent ones so that a client can go on.
 *
 * It is asleep while nobody listens. Behind the last client it stays awake for `linger`, so that a page which was hidden or
 * lost its connection goes on without reading anything again; then it forgets, and who comes back later hears `reset`.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Signal from "../../internal/signal.js"
import type { TaskUser } from "../TaskUser.js"
import * as Connection from "./connection.js"
import * as Fleet from "./fleet.js"
import type { HelloFrame } from "./frame.js"
import type { Metrics, Polled, StreamHub, StreamHubOptions, Visitor, Wish } from "./hub.js"
import { StreamUnavailable } from "./problem.js"
import * as Ring from "./ring.js"
import * as Routes from "./routes.js"
import * as Telling from "./telling.js"
import { bye, tend } from "./tending.js"
import type { SharedTopic } from "./topics.js"
import * as Waking from "./waking.js"
import * as Watching from "./watching.js"

export type { Metrics, Polled, StreamHub, StreamHubOptions, Visitor, Wish }

const most = {
  frames: 512,
  bytes: 8 * 1_048_576,
  /** Of one answer to somebody who was away: whoever missed more reads again what is shown. */
  replay: 1_048_576,
  waiting: 64,
  rows: 5_000
}

const retryAfter = 5

// Milliseconds that somebody who polls is taken for one who listens.
const polls = 15_000

// Node sends the head with the first bytes of the body.
const opening = new TextEncoder().encode(": ok\nretry: 2000\n\n")

const hex = (number: number) => number.toString(16).padStart(8, "0")

export const make = Effect.fnUntraced(function*(options: StreamHubOptions) {
  const { build, capabilities, linger = "2 minutes", maxStreams = 100 } = options
  const epoch = hex(yield* Random.nextIntBetween(0, 2 ** 32))
  const ring = Ring.make({ epoch, maxFrames: most.frames, maxBytes: most.bytes })
  const watching = Watching.make()
  const signal = yield* Signal.make
  // Open, and those of them that hear frames already.
  const open = new Set<Connection.Connection>()
  const hearing = new Set<Connection.Connection>()
  const told = { frames: 0, bytes: 0, lost: 0 }
  let polled = false
  let fleetPolledAt = Number.NEGATIVE_INFINITY
  let closed = false

  const count = (frame: Ring.Encoded): Ring.Encoded => {
    told.frames += 1
    told.bytes += frame.bytes.length
    return frame
  }

  const toAll = (frame: Ring.Encoded) => {
    for (const connection of hearing) {
      if (frame.topic === null || connection.topics.shared.has(frame.topic)) connection.push(frame.bytes)
    }
  }

  const telling = Telling.make(options, {
    all: (topic, frame) => toAll(count(ring.push(topic, frame))),
    watchers: (watch, frame) => {
      const { bytes } = count(ring.encode(frame))
      for (const watcher of watch.watchers) watcher.push(bytes)
    },
    any: () => hearing.size > 0 || polled
  }, watching)

  const resetAll = () => {
    toAll(count(ring.push(null, { t: "reset" })))
    watching.announceAll()
    telling.look()
  }

  /** Where a client is that begins here: this frame, and what it would otherwise hear of at the next change only. */
  const beginning = (first: ReadonlyArray<string>, topics: ReadonlySet<SharedTopic>): Uint8Array => {
    const position = ring.position()
    return Buffer.concat([...first, ...telling.latest(topics)].map((frame) => Ring.message(position, frame)))
  }

  const waking = yield* Waking.make({
    changes: options.changes,
    linger: Duration.toMillis(linger),
    signal,
    telling,
    isWanted: () => open.size > 0,
    missed: resetAll,
    begin: () => {
      ring.restart()
      polled = false
    },
    idle: () => {
      polled = false
    }
  })

  if (options.fleet !== undefined) {
    const isHeard = (connection: Connection.Connection) => connection.topics.shared.has("fleet")
    yield* Effect.forkScoped(Effect.interruptible(Fleet.telling({
      source: options.fleet,
      signal,
      isWanted: (now) => now - fleetPolledAt < polls || Array.from(hearing).some(isHeard),
      tell: (frame) => toAll(count(ring.push("fleet", frame)))
    })))
  }

  // ── clients ────────────────────────────────────────────────────────────────────────────────────────────────────────

  const unavailable = () =>
    new StreamUnavailable({
      message: closed
        ? "the server shuts down"
        : `${maxStreams} streams are open, as many as this server allows: ask /changes meanwhile`,
      retryAfter
    })

  const helloOf = (user: TaskUser): Effect.Effect<string> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const hello: HelloFrame = { t: "hello", epoch, build, now, can: capabilities(user), maxRows: most.rows }
      return JSON.stringify(hello)
    })

  const leave = (connection: Connection.Connection): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!open.delete(connection)) return Effect.void
      hearing.delete(connection)
      watching.end(connection)
      return waking.left
    })

  const enter = (connection: Connection.Connection, { since, topics }: Wish, hello: string) =>
    Effect.sync(() => {
      if (!open.has(connection)) return []
      waking.greeted()
      const missed = since === undefined ? [] : ring.since(since, topics.shared, most.replay)
      const first = missed === null || since === undefined
        ? [beginning(missed === null ? [hello, `{"t":"reset"}`] : [hello], topics.shared)]
        : [Ring.message(since, hello), ...missed.map(({ bytes }) => bytes)]
      hearing.add(connection)
      watching.begin(connection)
      signal.notify()
      return first
    })

  const connect = (visitor: Visitor, wish: Wish) =>
    Effect.gen(function*() {
      const connection: Connection.Connection = Connection.make({
        topics: wish.topics,
        limit: most.waiting,
        first: opening,
        begin: waking.known.pipe(
          Effect.zipRight(helloOf(visitor.user)),
          Effect.flatMap((hello) => enter(connection, wish, hello))
        ),
        lost: () => {
          told.lost += 1
          if (hearing.has(connection)) watching.begin(connection)
          return beginning([`{"t":"reset"}`], wish.topics.shared)
        }
      })
      yield* Effect.acquireRelease(
        Effect.suspend(() =>
          closed || open.size >= maxStreams ? Effect.fail(unavailable()) : Effect.sync(() => open.add(connection))
        ),
        () => leave(connection)
      )
      yield* waking.wake
      yield* Effect.forkScoped(
        Effect.interruptible(Effect.zipRight(tend(connection, visitor.stillAllowed), leave(connection)))
      )
      return connection.bytes
    })

  const poll = (visitor: Visitor, { since, topics }: Wish) =>
    Effect.gen(function*() {
      if (closed) return yield* Effect.fail(unavailable())
      yield* waking.wake
      yield* waking.known
      const hello = yield* helloOf(visitor.user)
      const now = yield* Clock.currentTimeMillis
      return yield* Effect.sync((): Polled => {
        waking.greeted()
        polled = true
        if (topics.shared.has("fleet")) fleetPolledAt = now
        signal.notify()
        const missed = since === undefined ? null : ring.since(since, topics.shared, most.replay)
        const encoder = new TextEncoder()
        const first = [since === undefined ? hello : `{"t":"reset"}`, ...telling.latest(topics.shared)]
        return {
          frames: missed?.map(Ring.jsonOf) ?? first.map((frame) => encoder.encode(frame)),
          next: ring.position()
        }
      })
    })

  options.onBatch(() => {
    telling.lookAtBatches()
    signal.notify()
  })

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      for (const connection of open) connection.end(bye("shutdown"), { atOnce: true })
    })
  )

  const hub: StreamHub = {
    connect,
    poll,
    stream: Routes.stream(connect),
    changes: Routes.changes(poll),
    lookAtAttention: () => {
      telling.lookAtAttention()
      signal.notify()
    },
    metrics: Effect.sync(() => ({ connections: open.size, ...told, awake: waking.isAwake() }))
  }
  return hub
})
