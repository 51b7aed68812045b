/** What can go wrong, as one thing: it is inflicted, lasts, and is undone when its scope ends. */
import type { Effect, Scope } from "effect"
import type { Fleet } from "../support/fleet.js"
import type { Kind, Place } from "../support/places.js"

/** What there is to break. */
export interface World {
  readonly kind: Kind
  /** Milliseconds. */
  readonly lease: number
  readonly fleet: Fleet
  /** Where the database is, past everything that is in the way. */
  readonly place: Place
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
  /** Whether a process that starts meanwhile may find no database. */
  readonly hidesDatabase: boolean
  /** At least and at most, in milliseconds of a lease of that many. */
  readonly lasts: (lease: number) => readonly [least: number, most: number]
  /** Does it. What undoes it is a finalizer of the scope, which ends `lasts` later. */
  readonly inflict: (world: World, blow: Blow) => Effect.Effect<void, unknown, Scope.Scope>
}
