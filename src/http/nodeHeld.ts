/**
 * Effects that run for a response of a Node host: a client that leaves interrupts them, and what they add to BackgroundTasks
 * waits for the response.
 */
import { clientAbortFiberId } from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BackgroundTasks } from "../BackgroundTasks.js"
import { isClientGone } from "../internal/clientGone.js"
import * as HeldByRequest from "../internal/heldByRequest.js"
import { TaskManager } from "../TaskManager.js"
import type { NodeResponse } from "./nodeBridge.js"

/** One effect of a response. */
interface Running {
  readonly held: HeldByRequest.HeldByRequest
  readonly interrupt: () => void
  failed: boolean
}

const maxHeld = 1_000

export const make = () => {
  const byResponse = new WeakMap<NodeResponse, Set<Running>>()

  const add = (response: NodeResponse, one: Running): void => {
    const known = byResponse.get(response)
    if (known !== undefined) return void known.add(one)
    const all = new Set([one])
    byResponse.set(response, all)
    const over = (): void => {
      response.off("finish", over)
      response.off("close", over)
      byResponse.delete(response)
      const { statusCode, writableFinished } = response
      for (const { failed, held, interrupt } of all) {
        held.answered(failed || (writableFinished && statusCode >= 500))
        held.over()
        if (!writableFinished) interrupt()
      }
    }
    if (response.writableFinished || response.destroyed === true) return over()
    response.once("finish", over)
    response.once("close", over)
  }

  return {
    during: <A, E, R>(
      response: NodeResponse,
      effect: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E, Exclude<R, BackgroundTasks> | TaskManager> =>
      Effect.flatMap(TaskManager, (manager) =>
        Effect.withFiberRuntime<A, E, Exclude<R, BackgroundTasks>>((fiber) => {
          const running: Running = {
            held: HeldByRequest.make(manager, maxHeld),
            interrupt: () => fiber.unsafeInterruptAsFork(clientAbortFiberId),
            failed: false
          }
          add(response, running)
          return effect.pipe(
            Effect.provideService(BackgroundTasks, { add: running.held.add }),
            Effect.onExit((exit) =>
              Effect.sync(() => {
                running.failed = Exit.isFailure(exit) && !isClientGone(exit.cause)
              })
            )
          )
        }))
  }
}
