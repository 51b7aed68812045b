/** What the server is set to do with what it accepted: asked once, when the layer is built. */
import * as Effect from "effect/Effect"
import type { Durability } from "../../TaskBackend.js"
import type { Connection } from "./connection.js"
import { RedisProblem } from "./problem.js"

const settings = ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy"] as const

type Settings = { readonly [Name in typeof settings[number]]: string }

// Null where it may not be asked, as on most hosted servers.
const read = ({ command }: Connection): Effect.Effect<Settings | null> =>
  Effect.forEach(settings, (name) =>
    Effect.map(command("CONFIG", "GET", name), (reply) => {
      const value = Array.isArray(reply) ? reply[1] : undefined
      return [name, typeof value === "string" ? value : ""] as const
    })).pipe(
      // safe: one pair for each of the names
      Effect.map((pairs) => Object.fromEntries(pairs) as Settings),
      Effect.orElseSucceed(() => null)
    )

/** Answers what a crash may take, warns where that is much, and refuses a server that throws tasks away. */
export const inspect = (
  connection: Connection,
  { allowEviction }: { readonly allowEviction: boolean }
): Effect.Effect<Durability, RedisProblem> =>
  Effect.gen(function*() {
    const found = yield* read(connection)
    if (found === null) {
      yield* Effect.logWarning(
        "taskflow: this Redis does not say how it is set up (CONFIG GET is refused): see to it that appendonly is on and " +
          "maxmemory-policy is noeviction"
      )
      return "process"
    }
    const policy = found["maxmemory-policy"]
    if (found.maxmemory !== "0" && policy !== "noeviction" && policy !== "") {
      const message = `Redis may throw tasks away when memory is full: maxmemory-policy is ${policy}`
      if (!allowEviction) {
        return yield* Effect.fail(new RedisProblem(`${message}; set it to noeviction, or allowEviction: true`, true))
      }
      yield* Effect.logWarning(`taskflow: ${message}`)
    }
    if (found.appendonly !== "yes") {
      yield* Effect.logWarning(
        "taskflow: this Redis has no append-only file: when it ends, every task since its last snapshot is lost. Set " +
          "appendonly yes"
      )
      return "none"
    }
    return found.appendfsync === "always" ? "host" : "process"
  })
