/** The database of a run: a file, or a server of its own with a way to it that can be troubled. */
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { Kind, Place } from "./places.js"
import { makeProxy, type Proxy } from "./proxy.js"
import { hasServer, type Server, startServer } from "./servers.js"

export interface Database {
  readonly place: Place
  /** The same as the fleet reaches it. */
  readonly reached: Place
  readonly server: Server | null
  readonly proxy: Proxy | null
}

const prefix = "taskflow_"

const placeOn = (kind: Exclude<Kind, "sqlite">, port: number): Place => {
  switch (kind) {
    case "postgres":
      return { kind, port, database: "postgres", prefix }
    case "mariadb":
      return { kind, port, database: "test", prefix }
    case "redis":
      return { kind, port, prefix: "taskflow" }
  }
}

const serverOf = (kind: Exclude<Kind, "sqlite">) => kind === "mariadb" ? "mysql" : kind

/** Whether this machine can have one. */
export const hasDatabase = (kind: Kind): boolean => kind === "sqlite" || hasServer(serverOf(kind))

/** Gone when the scope ends. */
export const database = (kind: Kind, files: string): Effect.Effect<Database, Error, Scope.Scope> =>
  Effect.gen(function*() {
    if (kind === "sqlite") {
      const place: Place = { kind, filename: join(files, "tasks.db"), prefix }
      return { place, reached: place, server: null, proxy: null }
    }
    const server = yield* startServer(serverOf(kind))
    const proxy = yield* makeProxy({ target: server })
    return { place: placeOn(kind, server.port), reached: placeOn(kind, proxy.port), server, proxy }
  })
