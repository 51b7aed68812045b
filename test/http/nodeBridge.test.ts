/** Requests and responses of Node as the web has them: bodies, headers, streams, clients that leave. */
import { createServer, type IncomingMessage, request as nodeRequest, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import * as NodeBridge from "../../src/http/nodeBridge.js"

const servers: Array<ReturnType<typeof createServer>> = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** A server that answers what `answer` gives. */
const serve = (
  answer: (request: Request) => Response | Promise<Response>,
  before: (request: IncomingMessage, response: ServerResponse) => Promise<void> = () => Promise.resolve()
): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      void before(request, response)
        .then(() => answer(NodeBridge.toRequest(request, response)!))
        .then((from) => NodeBridge.write(from, response, request))
    })
    servers.push(server)
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })

const echo = async (request: Request) =>
  Response.json({
    method: request.method,
    path: new URL(request.url).pathname,
    type: request.headers.get("content-type"),
    length: request.headers.get("content-length"),
    body: await request.text()
  })

const parsing = (parse: (text: string) => unknown) => async (request: IncomingMessage) => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  Object.assign(request, { body: parse(text) })
}

describe("a request", () => {
  const large = JSON.stringify({ ids: Array.from({ length: 100_000 }, (_, n) => n) })

  it("has its method, path, headers and body", async () => {
    const base = await serve(echo)
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await fetch(`${base}/a%20b?x=1`, {
        method,
        body: large,
        headers: { "content-type": "application/json" }
      })
      expect(await answer.json()).toEqual({
        method,
        path: "/a%20b",
        type: "application/json",
        length: String(large.length),
        body: large
      })
    }
    expect(await (await fetch(base)).json()).toMatchObject({ method: "GET", body: "" })
    expect(await (await fetch(base, { method: "POST" })).json()).toMatchObject({ method: "POST", body: "" })
  })

  it("is none when it cannot be one, and throws into no host", async () => {
    const { port } = new URL(await serve((request) => Response.json({ url: request?.url ?? null })))
    const sent = (host: string) =>
      new Promise<unknown>((resolve, reject) => {
        const headers = { host }
        nodeRequest({ port, host: "127.0.0.1", path: "/tasks", headers }, (answer) => {
          let text = ""
          answer.on("data", (chunk) => (text += String(chunk))).on("end", () => resolve(JSON.parse(text)))
        }).on("error", reject).end()
      })
    for (const host of ["user:pass@here", "user@here", ":@here", "[::1", "a b", "here/x?y#"]) {
      expect(await sent(host), host).toEqual({ url: expect.stringMatching(/^http:/) })
    }
    const given = (more: object): Request | null =>
      NodeBridge.toRequest(
        // safe: what is asked for before it is refused
        {
          method: "POST",
          url: "/",
          headers: {},
          httpVersionMajor: 2,
          socket: {},
          readableDidRead: true,
          ...more
        } as never,
        { once: () => {} } as never
      )
    const endless: Array<unknown> = []
    endless.push(endless)
    expect(given({})).toBeInstanceOf(Request)
    expect(given({ method: "GET /x" })).toBeNull()
    expect(given({ method: "" })).toBeNull()
    expect(given({ headers: { "x-bad": "\u{1f600}" } })).toBeNull()
    expect(given({ body: endless })).toBeNull()
  })

  it("has the body that a parser of the framework has read before", async () => {
    const post = async (base: string, body: string, type: string) =>
      (await fetch(base, { method: "POST", body, headers: { "content-type": type } })).json()
    expect(await post(await serve(echo, parsing(JSON.parse)), "{ \"a\": 1 }", "application/json"))
      .toMatchObject({ body: "{\"a\":1}", length: null })
    expect(
      await post(
        await serve(echo, parsing((text) => Object.fromEntries(new URLSearchParams(text)))),
        "a=1&b=x+y",
        "application/x-www-form-urlencoded"
      )
    ).toMatchObject({ body: "a=1&b=x+y" })
    expect(await post(await serve(echo, parsing((text) => Buffer.from(text))), "raw", "text/plain"))
      .toMatchObject({ body: "raw" })
    expect(await post(await serve(echo, parsing(() => undefined)), "gone", "text/plain")).toMatchObject({ body: "" })
  })

  it("is aborted when its client leaves, and not when its response is out", async () => {
    const aborted: Array<string> = []
    let arrived = () => {}
    const here = new Promise<void>((resolve) => {
      arrived = resolve
    })
    let told = () => {}
    const done = new Promise<void>((resolve) => {
      told = resolve
    })
    const base = await serve((request) => {
      const path = new URL(request.url).pathname
      request.signal.addEventListener("abort", () => {
        aborted.push(path)
        told()
      })
      if (path === "/answers") return new Response("yes")
      arrived()
      return new Promise<Response>(() => {})
    })
    await (await fetch(`${base}/answers`)).text()
    const leaving = nodeRequest(`${base}/waits`).on("error", () => {})
    leaving.end()
    await here
    leaving.destroy()
    await done
    expect(aborted).toEqual(["/waits"])
  })
})

describe("a response", () => {
  it("has its status, every cookie, and no body for HEAD", async () => {
    const headers = new Headers({ "x-one": "1" })
    headers.append("set-cookie", "a=1; Path=/tasks")
    headers.append("set-cookie", "b=2; Path=/tasks")
    const base = await serve(() => new Response("text", { status: 201, headers }))
    const answer = await fetch(base)
    expect([answer.status, answer.headers.get("x-one"), await answer.text()]).toEqual([201, "1", "text"])
    expect(answer.headers.getSetCookie()).toEqual(["a=1; Path=/tasks", "b=2; Path=/tasks"])
    const head = await fetch(base, { method: "HEAD" })
    expect([head.status, await head.text()]).toEqual([201, ""])
    const empty = await serve(() => new Response(null, { status: 204 }))
    expect((await fetch(empty)).status).toBe(204)
  })

  it("that streams is sent as it comes, its headers before it; who leaves ends it", async () => {
    let push: (text: string) => void = () => {}
    let left = () => {}
    const cancelled = new Promise<void>((resolve) => {
      left = resolve
    })
    const base = await serve(() =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            push = (text) => controller.enqueue(new TextEncoder().encode(text))
          },
          cancel: () => left()
        }),
        { headers: { "content-type": "text/event-stream" } }
      )
    )
    const abort = new AbortController()
    const answer = await fetch(base, { signal: abort.signal })
    expect(answer.headers.get("content-type")).toBe("text/event-stream")
    const reader = answer.body!.getReader()
    for (const text of ["one", "two"]) {
      push(text)
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(text)
    }
    abort.abort()
    await cancelled
  })

  it("is read no faster than its client reads", async () => {
    let pulled = 0
    const chunk = new Uint8Array(65_536)
    const base = await serve(() =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull: (controller) => {
            pulled += 1
            controller.enqueue(chunk)
            if (pulled === 2_000) controller.close()
          }
        })
      )
    )
    const response = await new Promise<IncomingMessage>((resolve) => nodeRequest(base, resolve).end())
    // Nothing is read: what fits into the buffers of both sides is taken, then it waits.
    let before = -1
    while (before !== pulled) {
      before = pulled
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(pulled).toBeLessThan(500)
    let size = 0
    for await (const part of response) size += (part as Buffer).length
    expect(size).toBe(2_000 * chunk.length)
  })

  it("whose body fails is cut off, so that nobody takes it for whole", async () => {
    const base = await serve(() =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull: (controller) => {
            controller.enqueue(new TextEncoder().encode("half"))
            controller.error(new Error("the rest is gone"))
          }
        })
      )
    )
    await expect(fetch(base).then((answer) => answer.text())).rejects.toThrow()
  })
})
