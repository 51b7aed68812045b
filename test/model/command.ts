/** What a person or a program may do, and what may happen to it, as random data. `nth` is taken modulo the tasks there are. */
import { FastCheck as fc } from "effect"
import { type Act, type Name, names, type Wish } from "./world.js"

export type Command =
  | { readonly do: "enqueue"; readonly wish: Wish }
  | { readonly do: "cancel" | "retry"; readonly nth: number }
  | { readonly do: "pause" | "resume"; readonly name: Name | null }
  /** More than a spell goes by. */
  | { readonly do: "wait" }
  /** The process ends and another one starts: with a goodbye, or killed. */
  | { readonly do: "restart" | "crash" }

const act = fc.constantFrom<Act>("ok", "fail", "hang")

const wish: fc.Arbitrary<Wish> = fc.record({
  name: fc.constantFrom(...names),
  // Few, so that they meet.
  key: fc.constantFrom(null, null, "a", "b"),
  plan: fc.array(act, { minLength: 1, maxLength: 4 }),
  delayed: fc.boolean()
})

const nth = fc.nat({ max: 30 })
const paused = fc.constantFrom<Name | null>(null, ...names)
const constant = (command: Command) => fc.constant(command)

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("enqueue" as const), wish }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("cancel" as const, "retry" as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pause" as const), name: paused }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resume" as const), name: paused }) },
  { weight: 3, arbitrary: constant({ do: "wait" }) },
  { weight: 1, arbitrary: constant({ do: "restart" }) },
  { weight: 1, arbitrary: constant({ do: "crash" }) }
)

export const commands = fc.array(command, { minLength: 1, maxLength: 25 })
