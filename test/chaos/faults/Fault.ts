/** What can go wrong, as one thing: it is inflicted, lasts, and is undone when its scope ends. */
import { Effect, type Scope } from "effect"
import type { Fleet } from "../support/fleet.js"
import type { Kind, Place } from "../support/places.js"
import type { Proxy } from "../support/proxy.js"
import type { Server } from "../support/servers.js"

/** What there is to break. */
export interface World {
  readonly kind: Kind
  /** Milliseconds. */
  readonly lease: number
  readonly fleet: Fleet
  /** Where the database is, past everything that is in the way. */
  readonly place: Place
  /** Null where there is none: SQLite is a file. */
  readonly server: Server | null
  /** The way of the fleet to the server. */
  readonly proxy: Proxy | null
}

/** Whom it hits, for how long (milliseconds), and what else is left to chance. */
export interface Blow {
  readonly slot: number
  readonly lasts: number
  readonly random: () => number
}

export interface Fault {
  readonly name: string
  /** One sentence for people. */
  readonly what: string
  readonly backends: ReadonlyArray<Kind>
  /** `database`: a process that starts meanwhile may find none. A moment that hits a process may fall into another fault. */
  readonly hits: "process" | "database"
  /** At least and at most, in milliseconds of a lease of that many. */
  readonly lasts: (lease: number) => readonly [least: number, most: number]
  /** Does it. What undoes it is a finalizer of the scope, which ends `lasts` later. */
  readonly inflict: (world: World, blow: Blow) => Effect.Effect<void, unknown, Scope.Scope>
}

/** What there is where there is a server. */
export interface ServerWorld extends World {
  readonly server: Server
  readonly proxy: Proxy
}

/** For faults of servers: there is one. */
export const onServer =
  (inflict: (world: ServerWorld, blow: Blow) => Effect.Effect<void, unknown, Scope.Scope>): Fault["inflict"] =>
  (world, blow) =>
    world.server === null || world.proxy === null
      ? Effect.dieMessage(`there is no server of ${world.kind}`)
      : inflict({ ...world, server: world.server, proxy: world.proxy }, blow)
