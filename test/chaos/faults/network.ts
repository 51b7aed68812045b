/** Troubles between the fleet and its database. */
import { Effect, Schedule } from "effect"
import type { ProxyMode } from "../support/proxy.js"
import { type Fault, onServer } from "./Fault.js"

const way = (
  fault: Pick<Fault, "name" | "what" | "lasts">,
  mode: (random: () => number) => ProxyMode
): Fault => ({
  ...fault,
  backends: ["postgres", "mariadb", "redis"],
  hits: "database",
  inflict: onServer(({ proxy }, { random }) => Effect.acquireRelease(proxy.set(mode(random)), () => proxy.set("pass")))
})

export const slow = way({
  name: "slow",
  what: "every round trip to the database takes 50 to 400 ms longer",
  lasts: (lease) => [lease, lease * 2]
}, (random) => ({ slowMillis: 50 + Math.round(random() * 350) }))

export const partition = way({
  name: "partition",
  what: "nothing reaches the database for a while, then everything that was sent arrives",
  lasts: (lease) => [lease * 0.5, lease * 2]
}, () => "partition")

export const lost = way({
  name: "lost",
  what: "nothing reaches the database for a while, and never does",
  lasts: (lease) => [lease * 0.5, lease * 2]
}, () => "lost")

export const refuse = way({
  name: "refuse",
  what: "connections to the database are broken and refused for a while",
  lasts: (lease) => [lease * 0.3, lease]
}, () => "refuse")

export const cut = way({
  name: "cut",
  what: "every connection to the database is broken once",
  lasts: () => [1, 50]
}, () => "cut")

/** The database did what was asked, and who asked does not know. */
export const lostAnswers: Fault = {
  name: "lostAnswers",
  what: "again and again a connection is broken just before the answer",
  backends: ["postgres", "mariadb", "redis"],
  hits: "database",
  lasts: (lease) => [lease * 0.5, lease],
  inflict: onServer(({ proxy }, { random }) =>
    Effect.asVoid(Effect.forkScoped(Effect.repeat(
      Effect.suspend(() => Effect.delay(proxy.loseAnswer(), 100 + random() * 300)),
      Schedule.forever
    )))
  )
}
