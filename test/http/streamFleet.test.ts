/** The topic `fleet`: which parts of the fleet are not as they were, whoever changed them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, TestClock } from "effect"
import { TaskManager } from "effect-taskflow"
import * as Fleet from "../../src/http/stream/fleet.js"
import * as ManagerSources from "../../src/http/stream/managerSources.js"
import * as StreamHub from "../../src/http/stream/StreamHub.js"
import * as Topics from "../../src/http/stream/topics.js"
import * as Signal from "../../src/internal/signal.js"
import { connect, visitor, world } from "./streamSupport.js"
import { tasks } from "./support.js"

const pass = TestClock.adjust

/** A hub over a fleet that a test changes, with the looks counted. */
const begun = Effect.gen(function*() {
  yield* pass("1 hour")
  const { sources } = yield* world
  const acted = yield* Signal.make
  const now: Record<string, string> = { pauses: "0", instances: "0", definitions: "0", schedules: "0" }
  const looks = { few: 0, all: 0, down: false }
  const fleet: Fleet.FleetSource = {
    acted,
    read: (all) =>
      Effect.suspend(() => {
        looks[all ? "all" : "few"] += 1
        if (looks.down) return Effect.fail(new Error("the backend is down"))
        const { schedules, ...few } = now
        return Effect.succeed(all ? { ...few, schedules: schedules! } : few)
      })
  }
  return { acted, looks, now, hub: yield* StreamHub.make({ ...sources, fleet }) }
})

const every = ["pauses", "instances", "definitions", "schedules"]

describe("the topic fleet", () => {
  it.scoped("is looked at once a second, and only while somebody listens to it", () =>
    Effect.gen(function*() {
      const { hub, looks } = yield* begun
      const runs = yield* connect(hub, { topics: "runs" })
      yield* pass("10 seconds")
      expect([looks.few, looks.all]).toEqual([0, 0])
      const one = yield* connect(hub, { topics: "fleet" })
      const two = yield* connect(hub, { topics: "runs,fleet" })
      yield* pass("10 seconds")
      expect(looks.few + looks.all).toBeLessThanOrEqual(11)
      expect(looks.all).toBeLessThanOrEqual(4)
      expect(one.of("fleet"), "nothing was known before").toEqual([{ t: "fleet", what: every }])
      expect(two.of("fleet")).toEqual(one.of("fleet"))
      expect(runs.of("fleet")).toEqual([])
      yield* one.leave
      yield* two.leave
      yield* pass("2 seconds")
      const before = looks.few + looks.all
      yield* pass("1 minute")
      expect(looks.few + looks.all).toBe(before)
      const again = yield* connect(hub, { topics: "fleet" })
      yield* pass("1 second")
      expect(again.of("fleet")[0], "what changed meanwhile is not known").toEqual({ t: "fleet", what: every })
    }))

  it.scoped("tells what is not as it was: soon what was done elsewhere, at once what was done here", () =>
    Effect.gen(function*() {
      const { acted, hub, now } = yield* begun
      const client = yield* connect(hub, { topics: "fleet" })
      yield* pass("3 seconds")
      now["pauses"] = "1"
      yield* pass("1 second")
      expect(client.of("fleet").slice(1)).toEqual([{ t: "fleet", what: ["pauses"] }])
      yield* pass("3 seconds")
      now["schedules"] = "1"
      now["pauses"] = "2"
      acted.notify()
      yield* pass(0)
      expect(client.of("fleet").slice(2)).toEqual([{ t: "fleet", what: ["pauses", "schedules"] }])
      now["instances"] = "1"
      acted.notify()
      yield* pass("900 millis")
      expect(client.of("fleet"), "not more than once a second").toHaveLength(3)
      yield* pass("100 millis")
      expect(client.of("fleet").slice(3)).toEqual([{ t: "fleet", what: ["instances"] }])
      now["schedules"] = "2"
      yield* pass("5 seconds")
      expect(client.of("fleet").slice(4)).toEqual([{ t: "fleet", what: ["schedules"] }])
    }))

  it.scoped("goes on when the backend failed, and tells what changed meanwhile", () =>
    Effect.gen(function*() {
      const { hub, looks, now } = yield* begun
      const client = yield* connect(hub, { topics: "fleet" })
      yield* pass("1 second")
      looks.down = true
      now["pauses"] = "1"
      yield* pass("10 seconds")
      expect(client.of("fleet")).toHaveLength(1)
      looks.down = false
      yield* pass("1 second")
      expect(client.of("fleet").slice(1)).toEqual([{ t: "fleet", what: ["pauses"] }])
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))))

  it.scoped("is told to those who poll, as long as they do", () =>
    Effect.gen(function*() {
      const { hub, looks, now } = yield* begun
      const topics = Topics.parse("fleet")
      if (typeof topics === "string") throw new Error(topics)
      const { next } = yield* Effect.zipRight(pass(0), hub.poll(visitor, { topics, since: undefined }))
      yield* pass("2 seconds")
      now["definitions"] = "1"
      yield* pass("3 seconds")
      const { frames } = yield* hub.poll(visitor, { topics, since: next })
      expect(frames.map((frame) => JSON.parse(new TextDecoder().decode(frame)))).toEqual([
        { t: "fleet", what: every },
        { t: "fleet", what: ["definitions"] }
      ])
      yield* pass("20 seconds")
      const before = looks.few
      yield* pass("1 minute")
      expect(looks.few).toBe(before)
    }))
})

describe("the fleet in short", () => {
  it.scopedLive("is another one when something is paused, an instance is drained, or a schedule is paused", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const read = ManagerSources.fleet(manager)(true)
      const changed = (act: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          const before = yield* read
          yield* act
          return Fleet.frameOf(before, yield* read)?.what ?? []
        })
      expect(yield* changed(Effect.void)).toEqual([])
      expect(yield* changed(manager.pause("works"))).toEqual(["pauses"])
      expect(yield* changed(manager.resume("works"))).toEqual(["pauses"])
      expect(yield* changed(manager.drain(manager.instance))).toEqual(["instances"])
    }).pipe(Effect.provide(tasks())))
})
