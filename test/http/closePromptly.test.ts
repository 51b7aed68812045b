import { createServer, type RequestListener } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import { TaskHttp } from "effect-taskflow/http"
import { send, serve } from "./support.js"

/** A connection that has sent this, and nothing since. */
const connected = (base: string, text: string) =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const socket = connect(Number(new URL(base).port), "127.0.0.1", () => {
        socket.write(text, () => resume(Effect.succeed(socket)))
      })
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const answered = (socket: Socket) =>
  Effect.async<string>((resume) => {
    socket.once("data", (data) => resume(Effect.succeed(data.toString())))
  })

const elapsed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(effect), ([duration]) => Duration.toMillis(duration))

describe("closePromptly", () => {
  it.scopedLive("the process outlives clients that ask for an upgrade and reset the connection", () =>
    Effect.gen(function*() {
      const base = yield* serve(HttpLayerRouter.add("GET", "/", HttpServerResponse.text("ok")))
      const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
      for (let round = 0; round < 20; round += 1) {
        const socket = yield* connected(base, upgrade)
        yield* Effect.sleep("20 millis")
        socket.resetAndDestroy()
      }
      yield* Effect.sleep("50 millis")
      expect((yield* send(base, "GET", "/")).status).toBe(200)
    }))

  const halves = {
    "a silent connection": "",
    "half a head": "POST /tasks HTTP/1.1\r\nHost: x\r\n",
    "half a body": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"
  }

  for (const [name, text] of Object.entries(halves)) {
    it.scopedLive(`closes in spite of ${name}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const base = yield* Scope.extend(serve(HttpLayerRouter.add("GET", "/", HttpServerResponse.text("ok"))), scope)
        yield* connected(base, text)
        yield* Effect.sleep("50 millis")
        const millis = yield* elapsed(Scope.close(scope, Exit.void))
        expect(millis).toBeLessThan(10_000)
      }))
  }

  /** A server that would wait a minute for what is in flight. */
  const patient = (listener: RequestListener) =>
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const server = TaskHttp.closePromptly(createServer(listener), { grace: "1 minute" })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    })
  const baseOf = (server: ReturnType<typeof createServer>) =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const closing = (server: ReturnType<typeof createServer>) =>
    Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
    })

  it.scopedLive("closes at once when connections are only kept alive", () =>
    Effect.gen(function*() {
      const server = yield* patient((_, response) => response.end("ok"))
      const socket = yield* connected(baseOf(server), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      expect(yield* answered(socket)).toContain("200 OK")
      expect(yield* elapsed(closing(server))).toBeLessThan(10_000)
    }))

  it.scopedLive("lets a request in flight finish, and then closes without waiting for the grace period", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const server = yield* patient((_, response) => {
        Deferred.unsafeDone(reached, Effect.void)
        setTimeout(() => response.end("late"), 300)
      })
      const socket = yield* connected(baseOf(server), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      const answer = yield* Effect.fork(answered(socket))
      yield* Deferred.await(reached)
      const millis = yield* elapsed(closing(server))
      expect(yield* Fiber.join(answer)).toContain("late")
      expect(millis).toBeLessThan(10_000)
    }))

  it.scopedLive("hands on what closing answers, and changes nothing before", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const base = yield* Scope.extend(serve(HttpLayerRouter.add("GET", "/", HttpServerResponse.text("ok"))), scope)
      expect((yield* send(base, "GET", "/")).text).toBe("ok")
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.async<Error | undefined>((resume) => {
        TaskHttp.closePromptly(createServer()).close((error) => resume(Effect.succeed(error)))
      })
      expect(error?.message).toContain("not running")
    }))
})
