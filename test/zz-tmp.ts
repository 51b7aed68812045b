import { Effect, Layer, Schema } from "effect"
import { Task, TaskflowLayer } from "effect-taskflow"
import { databases } from "./support/sql.js"
const Step = Task.make("step", { payload: { step: Schema.Int }, success: Schema.Int })
const db = databases[Number(process.argv[2] ?? 1)]!
const t = (w: string) => Effect.sync(() => console.log(w, Math.round(performance.now())))
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const place = yield* db.place
  const handler = Step.toLayer(({ step }) => Effect.succeed(step * 2))
  const engine = handler.pipe(Layer.provideMerge(TaskflowLayer({announce: false})), Layer.provide(db.layer(place)))
  yield* t("start")
  yield* Effect.gen(function*() {
    yield* t("made")
    const ids = (yield* Step.enqueueMany(Array.from({ length: 200 }, (_, step) => ({ step })))).map((x) => x.taskId)
    yield* t("enqueued")
    yield* Effect.forEach(ids, (id) => Step.awaitResult(id), { concurrency: "unbounded" })
    yield* t("awaited")
  }).pipe(Effect.provide(engine))
  yield* t("closed")
})))
