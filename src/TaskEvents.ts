/**
 * What happens to tasks, as it happens: every event after it was recorded, with the record it led to.
 *
 * Read as a Stream. A slow reader delays nobody: past `eventsCapacity` it loses the oldest, and the loss is counted.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import { count } from "./internal/counts.js"
import type { TaskEvent } from "./TaskEvent.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskRecord } from "./TaskRecord.js"

/** One recorded event. `sequence` counts all events of this instance, so a gap is what was dropped. */
export interface Recorded {
  readonly sequence: number
  readonly event: TaskEvent
  /** The record after the event. */
  readonly record: TaskRecord
}

/** A function called inside the engine for every event. It must be quick and must not throw (what it throws is counted). */
export type Tap = (event: TaskEvent, record: TaskRecord) => void

/** Every event of this instance, told to those who listen. */
export class TaskEvents extends Context.Tag("effect-taskflow/TaskEvents")<TaskEvents, {
  /** Everything from the moment of subscription on. */
  readonly stream: Stream.Stream<Recorded>
  /** How many events readers of `stream` lost by being slow, and how many calls of taps threw. */
  readonly dropped: Effect.Effect<number>
  /** For the engine: announces what was recorded. */
  readonly publish: (event: TaskEvent, record: TaskRecord) => void
  /** The same of an event that is made only when somebody is there to see it. */
  readonly publishMade: (make: () => readonly [event: TaskEvent, record: TaskRecord]) => void
  /** For observers that must see an event before anybody who awaits it goes on. The answer takes the tap away. */
  readonly tap: (tap: Tap) => () => void
}>() {}

/** For the engine. */
export const make = Effect.gen(function*() {
  const { eventsCapacity } = yield* TaskflowConfig
  const pubsub = yield* Effect.acquireRelease(PubSub.sliding<Recorded>(eventsCapacity), PubSub.shutdown)
  const taps = new Set<Tap>()
  let readers = 0
  let sequence = 0
  let dropped = 0

  const drop = (events: number): void => {
    dropped += events
    count.dropped(events)
  }

  // Each reader knows the number it expects next; what is missing in between was slid out of its reach.
  const stream = Stream.unwrapScoped(Effect.gen(function*() {
    const queue = yield* PubSub.subscribe(pubsub)
    yield* Effect.acquireRelease(Effect.sync(() => readers += 1), () => Effect.sync(() => readers -= 1))
    let expected = sequence + 1
    return Stream.fromQueue(queue).pipe(Stream.tap((recorded) =>
      Effect.sync(() => {
        if (recorded.sequence > expected) drop(recorded.sequence - expected)
        expected = recorded.sequence + 1
      })
    ))
  }))

  const publish = (event: TaskEvent, record: TaskRecord): void => {
    sequence += 1
    for (const tap of taps) {
      try {
        tap(event, record)
      } catch {
        drop(1)
      }
    }
    if (readers === 0) return
    const recorded = { sequence, event, record }
    // The quick way refuses when the buffer is full; the slow way slides the oldest out.
    if (!pubsub.unsafeOffer(recorded) && pubsub.isActive()) Effect.runSync(pubsub.publish(recorded))
  }

  return TaskEvents.of({
    stream,
    dropped: Effect.sync(() => dropped),
    publish,
    publishMade: (make) => {
      if (readers === 0 && taps.size === 0) sequence += 1
      else publish(...make())
    },
    tap: (tap) => {
      taps.add(tap)
      return () => {
        taps.delete(tap)
      }
    }
  })
})

/** For the engine. */
export const layer: Layer.Layer<TaskEvents, never, TaskflowConfig> = Layer.scoped(TaskEvents, make)
