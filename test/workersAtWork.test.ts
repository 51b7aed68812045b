/** What workers are for, with real ones under a real engine: the main loop stays free, much gets through, memory comes back. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schedule } from "effect"
import { Task, TaskManager, TaskSchedule } from "effect-taskflow"
import { engine } from "./support/engine.js"
import { InProcess, InThread } from "./support/workers/tasks.js"

const url = new URL("./support/workers/act.worker.js", import.meta.url)
const OnFiber = Task.make("on_fiber")
const handlers = Layer.mergeAll(
  InThread.toLayer(Task.module(url)),
  InProcess.toLayer(Task.module(url, { export: "inProcess" })),
  OnFiber.toLayer(() => Effect.void)
)
const withWorkers = (executors: Parameters<typeof engine>[0]) =>
  Layer.provideMerge(handlers, engine(executors)).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))

const until = <A, E, R>(self: Effect.Effect<A, E, R>, holds: (value: A) => boolean) =>
  Effect.repeat(self, Schedule.identity<A>().pipe(Schedule.untilInput(holds), Schedule.addDelay(() => "20 millis")))

const isAlive = (pid: number) =>
  Effect.sync(() => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  })

describe("workers", { timeout: 60_000 }, () => {
  it.live("keep a processor busy while this thread turns and runs other tasks", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* InThread.enqueue({ act: "busy" })
      yield* until(manager.get(taskId), ({ progress }) => progress?.message === "in a loop")
      // On this thread the loop would not have let any of these happen.
      yield* Effect.repeatN(Effect.sleep("1 millis"), 200)
      for (let n = 0; n < 50; n++) yield* OnFiber.execute()
      expect(yield* manager.get(taskId)).toMatchObject({ status: "running", executor: "thread" })
      yield* manager.cancel(taskId)
      expect(yield* manager.awaitResult(taskId)).toMatchObject({ status: "cancelled" })
    }).pipe(Effect.provide(withWorkers({ executors: { thread: { max: 1 } } }))))

  it.live("carry 10 MB there and back, through the schemas of the task", () =>
    Effect.gen(function*() {
      const text = "0123456789".repeat(1024 * 1024)
      for (const Worker of [InThread, InProcess]) {
        const { text: answer } = yield* Worker.execute({ act: "length", text })
        expect(answer === `${text.length} ${text}`).toBe(true)
      }
    }).pipe(Effect.provide(withWorkers({ maxPayloadSize: 32 * 1024 * 1024, executors: { thread: { max: 1 } } }))))

  it.live("of a process give its memory back with it: here after each attempt", () =>
    Effect.gen(function*() {
      const { text } = yield* InProcess.execute({ act: "hold", text: "300" })
      const [pid, share] = text.split(" ").map(Number)
      expect(pid).not.toBe(process.pid)
      expect(share).toBeGreaterThan(1)
      yield* until(isAlive(pid!), (alive) => !alive)
      // The next attempt has a process of its own.
      expect((yield* InProcess.execute({ act: "hold", text: "1" })).text.split(" ")[0]).not.toBe(String(pid))
    }).pipe(Effect.provide(withWorkers({ executors: { process: { max: 1, recycleAfter: 1 } } }))))

  it.live("run what a schedule fires, and know of it", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const runs = manager.list({ schedule: "in_thread", status: ["success"], order: "oldest" })
      const [{ executor, result, schedule, source } = yield* Effect.die("no run")] = (yield* until(runs, ({ items }) =>
        items.length > 0)).items
      expect({ executor, source }).toEqual({ executor: "thread", source: "scheduled" })
      // What TaskContext said there is what the record says.
      expect(JSON.parse(JSON.parse(result!).text)).toMatchObject({ schedule, source })
      expect(yield* manager.schedules.get("in_thread")).toMatchObject({ facts: { executor: "thread" } })
    }).pipe(Effect.provide(
      TaskSchedule.layer(InThread, { every: "1 second", payload: { act: "facts" } }).pipe(
        Layer.provideMerge(withWorkers({ executors: { thread: { max: 1 } } }))
      )
    )))
})
