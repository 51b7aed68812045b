/** The way to a server that the failure tests break: whatever it does, order and bounds are kept. */
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeProxy, type ProxyClock } from "./chaos/support/proxy.js"
import { eventually } from "./support/schedules.js"

/** Answers each line with itself, and keeps what it heard. */
const echoBehind = (clock?: ProxyClock) =>
  Effect.gen(function*() {
    const heard: Array<string> = []
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
      socket.on("data", (bytes) => {
        heard.push(String(bytes))
        socket.write(bytes)
      })
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
      () =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    )
    const { port } = server.address() as AddressInfo // safe: it listens on a port
    const proxy = yield* makeProxy({ target: { host: "127.0.0.1", port }, ...clock === undefined ? {} : { clock } })
    return { heard, sockets, proxy }
  })

const echo = echoBehind()

/** Stands still until a test moves it. `due`: how many wait for it. */
const stopped = () => {
  let time = 0
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>()
  const clock: ProxyClock = {
    now: () => time,
    after: (millis, run) => {
      const one = { at: time + millis, run }
      waiting.add(one)
      return () => void waiting.delete(one)
    }
  }
  const move = (millis: number) => {
    time += millis
    for (const one of [...waiting].filter(({ at }) => at <= time)) {
      waiting.delete(one)
      one.run()
    }
  }
  return { clock, move, due: () => waiting.size }
}

/** One connection, what came back on it, and whether it is open. */
const client = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = connect(port, "127.0.0.1")
      const seen = { text: "", isOpen: true }
      socket.on("data", (bytes) => (seen.text += String(bytes)))
      socket.on("error", () => undefined).on("close", () => (seen.isOpen = false))
      return { socket, seen }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

const until = (holds: () => boolean) => eventually(Effect.sync(holds), (so) => so)

describe("the way to a server", () => {
  it.scopedLive("passes everything, both ways, and that one side has ended", () =>
    Effect.gen(function*() {
      const { proxy, sockets } = yield* echo
      const { seen, socket } = yield* client(proxy.port)
      const much = "x".repeat(3_000_000)
      socket.write(much)
      yield* until(() => seen.text.length === much.length)
      expect(seen.text).toBe(much)
      expect(yield* proxy.open).toBe(1)
      socket.end()
      yield* until(() => !seen.isOpen && sockets.size === 0)
      expect(yield* proxy.open).toBe(0)
    }))

  it.scopedLive("is cut: what was open breaks on both sides, and another connection goes through", () =>
    Effect.gen(function*() {
      const { proxy, sockets } = yield* echo
      const first = yield* client(proxy.port)
      first.socket.write("a")
      yield* until(() => first.seen.text === "a")
      yield* proxy.set("cut")
      yield* until(() => !first.seen.isOpen && sockets.size === 0)
      const second = yield* client(proxy.port)
      second.socket.write("b")
      yield* until(() => second.seen.text === "b")
    }))

  it.scopedLive("refuses each connection at once, until it passes again", () =>
    Effect.gen(function*() {
      const { proxy, sockets } = yield* echo
      yield* proxy.set("refuse")
      for (let n = 1; n <= 3; n += 1) {
        const { seen } = yield* client(proxy.port)
        yield* until(() => !seen.isOpen)
        expect(yield* proxy.accepted).toBe(n)
      }
      expect(sockets.size).toBe(0)
      yield* proxy.set("pass")
      const { seen, socket } = yield* client(proxy.port)
      socket.write("a")
      yield* until(() => seen.text === "a")
    }))

  it.scopedLive("is away for a while: what was sent arrives afterwards, in order, also from one that has gone", () =>
    Effect.gen(function*() {
      const { heard, proxy, sockets } = yield* echo
      const old = yield* client(proxy.port)
      old.socket.write("a")
      yield* until(() => old.seen.text === "a")
      yield* proxy.set("partition")
      old.socket.write("b")
      const [fresh, gone] = [yield* client(proxy.port), yield* client(proxy.port)]
      fresh.socket.write("c")
      gone.socket.end("dd", () => gone.socket.destroy())
      yield* eventually(proxy.sent, (bytes) => bytes === 4)
      expect([heard, old.seen, fresh.seen.isOpen, sockets.size]).toEqual([["a"], { text: "a", isOpen: true }, true, 1])
      yield* proxy.set("pass")
      old.socket.write("e")
      yield* until(() => old.seen.text === "abe" && fresh.seen.text === "c" && heard.includes("dd"))
      yield* until(() => sockets.size === 2)
    }))

  it.scopedLive("is away and loses what was sent: then it is seen that it broke", () =>
    Effect.gen(function*() {
      const { heard, proxy } = yield* echo
      const { seen, socket } = yield* client(proxy.port)
      socket.write("a")
      yield* until(() => seen.text === "a")
      yield* proxy.set("lost")
      socket.write("b")
      yield* eventually(proxy.sent, (bytes) => bytes === 1)
      yield* proxy.set("pass")
      yield* until(() => !seen.isOpen)
      expect(heard).toEqual(["a"])
    }))

  it.scopedLive("holds no more than its bound of what cannot arrive", () =>
    Effect.gen(function*() {
      const { proxy } = yield* echo
      const { seen, socket } = yield* client(proxy.port)
      socket.write("a")
      yield* until(() => seen.text === "a")
      yield* proxy.set("partition")
      const much = 20_000_000
      socket.write(Buffer.alloc(much, "x"))
      yield* eventually(proxy.sent, (bytes) => bytes > 256 * 1_024)
      expect(yield* proxy.sent).toBeLessThan(512 * 1_024)
      yield* proxy.set("pass")
      yield* until(() => seen.text.length === much + 1)
    }))

  it.scopedLive("is slow: an answer takes longer, and order is kept when it is quick again", () =>
    Effect.gen(function*() {
      const { clock, due, move } = stopped()
      const { heard, proxy } = yield* echoBehind(clock)
      const { seen, socket } = yield* client(proxy.port)
      yield* proxy.set({ slowMillis: 200 })
      socket.write("a")
      yield* until(() => due() === 1)
      move(99)
      expect([heard, due()]).toEqual([[], 1])
      move(1)
      yield* until(() => heard.length === 1 && due() === 1)
      move(99)
      expect([seen.text, due()]).toEqual(["", 1])
      move(1)
      yield* until(() => seen.text === "a")
      socket.write("b")
      yield* until(() => due() === 1)
      yield* proxy.set("pass")
      socket.write("c")
      yield* eventually(proxy.sent, (bytes) => bytes === 1)
      expect(due()).toBe(1)
      move(100)
      yield* until(() => seen.text === "abc")
    }))

  it.scopedLive("loses the answer to one request, which arrived", () =>
    Effect.gen(function*() {
      const { heard, proxy } = yield* echo
      yield* proxy.loseAnswer(/COMMIT/)
      const { seen, socket } = yield* client(proxy.port)
      socket.write("BEGIN")
      yield* until(() => seen.text === "BEGIN")
      socket.write("COMMIT")
      yield* until(() => !seen.isOpen)
      expect([heard, seen.text]).toEqual([["BEGIN", "COMMIT"], "BEGIN"])
      const next = yield* client(proxy.port)
      next.socket.write("COMMIT")
      yield* until(() => next.seen.text === "COMMIT")
    }))

  it.scopedLive("falls silent for whoever is there, and not for who comes", () =>
    Effect.gen(function*() {
      const { heard, proxy } = yield* echo
      const old = yield* client(proxy.port)
      old.socket.write("a")
      yield* until(() => old.seen.text === "a")
      yield* proxy.silence
      old.socket.write("b")
      const fresh = yield* client(proxy.port)
      fresh.socket.write("c")
      yield* until(() => fresh.seen.text === "c")
      expect([heard, old.seen]).toEqual([["a", "c"], { text: "a", isOpen: true }])
    }))

  it.scopedLive("breaks when there is no server", () =>
    Effect.gen(function*() {
      const proxy = yield* makeProxy({ target: { host: "127.0.0.1", port: 1 } })
      const { seen } = yield* client(proxy.port)
      yield* until(() => !seen.isOpen)
    }))
})
