/** A handler for `loading.test.ts`, with syntax that Node.js cannot strip. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Task } from "effect-taskflow"

enum Answer {
  pid = "pid"
}

const Small = Task.make("small", {
  payload: { busy: Schema.Boolean },
  success: Schema.Struct({ [Answer.pid]: Schema.Number }),
  executor: "process"
})

export default Task.worker(Small, ({ busy }) =>
  Effect.gen(function*() {
    yield* Effect.log(`pid ${process.pid}`)
    // Nobody answers, and nothing else gets a turn.
    while (busy);
    return { [Answer.pid]: process.pid }
  }))
