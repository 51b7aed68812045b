/** The handler of the forecast. Threads load it, with what it imports: the definitions, and nothing of the server. */
import { Effect } from "effect"
import { Task, TaskLog, TaskProgress } from "effect-taskflow"
import { SalesForecast } from "./tasks.js"

const rounds = 20

/** A month of days with 20 to 59 orders each, drawn 100,000 times: tens of milliseconds in which nothing else is heard. */
const drawMonths = (): number => {
  let orders = 0
  for (let day = 0; day < 30 * 100_000; day++) orders += 20 + Math.floor(Math.random() * 40)
  return orders / 100_000
}

export default Task.worker(SalesForecast, ({ month }) =>
  Effect.gen(function*() {
    yield* TaskLog.info("drawing", { month, rounds })
    let orders = 0
    for (let round = 1; round <= rounds; round++) {
      orders += drawMonths() / rounds
      yield* TaskProgress.set(round / rounds, `round ${round} of ${rounds}`)
    }
    return { orders: Math.round(orders) }
  }))
