/** The examples of hosts, each with the real host on a free port. */
import { createServer, type IncomingMessage, request } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "vitest"
import * as Express from "../../examples/11-express.js"
import * as Fastify from "../../examples/12-fastify.js"
import * as Hono from "../../examples/13-hono.js"
import * as Next from "../../examples/14-next.js"

/** Calls the exported functions with requests, as Next does. Next itself is not started. */
const nextLike = async (port: number) => {
  const server = createServer(async (from, to) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of from) chunks.push(chunk as Buffer)
    const { pathname } = new URL(from.url!, "http://127.0.0.1")
    const abort = new AbortController()
    to.once("close", () => abort.abort())
    const asked = new Request(new URL(from.url!, `http://${from.headers.host}`), {
      method: from.method!,
      headers: Object.entries(from.headers) as Array<[string, string]>,
      signal: abort.signal,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {})
    })
    const route = pathname === "/signup" ? Next.signup : pathname === "/events" ? Next.events : Next.GET
    const answer = await route(asked)
    to.writeHead(answer.status, Object.fromEntries(answer.headers))
    for await (const chunk of answer.body ?? []) to.write(chunk)
    to.end()
  })
  await Next.register()
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    await Next.tasks.dispose()
    server.closeAllConnections()
    await closed
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

const hosts = {
  "11: Express": Express,
  "12: Fastify": Fastify,
  "13: Hono": Hono,
  "14: Next, its functions called as Next calls them": { sent: Next.sent, serve: nextLike }
}

const login = { authorization: `Basic ${Buffer.from("ops:secret").toString("base64")}` }

/** A response whose body is read piece by piece. */
const listen = (url: string) =>
  new Promise<IncomingMessage>((resolve, reject) => request(url, { agent: false }, resolve).on("error", reject).end())

/** Reads until the text is there. */
const readUntil = async (response: IncomingMessage, text: string): Promise<string> => {
  let all = ""
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    all += String(chunk)
    if (all.includes(text)) break
  }
  return all
}

describe("the examples of hosts", () => {
  for (const [name, { sent, serve }] of Object.entries(hosts)) {
    it(name, async () => {
      const { close, url } = await serve(0)
      const get = (path: string, headers = {}) => fetch(`${url}${path}`, { headers })
      try {
        for (const path of ["/tasks", "/tasks/", "/tasks/metrics", "/tasks/openapi.json", "/tasks/a/b/c?d=e"]) {
          expect((await get(path)).status, path).toBe(401)
        }
        const events = await listen(`${url}/events`)
        expect(await readUntil(events, "\n\n")).toBe(": connected\n\n")

        const signup = (email: string) =>
          fetch(`${url}/signup`, {
            method: "POST",
            body: JSON.stringify({ email }),
            headers: { "content-type": "application/json" }
          })
        const answer = await signup("ada@example.com")
        expect(answer.status).toBe(202)
        const { taskId } = await answer.json() as { readonly taskId: string }
        // Each event comes while the response goes on: nothing on the way waits for its end.
        const told = await readUntil(events, `Succeeded ${taskId}`)
        expect(told).toContain(`data: Enqueued ${taskId}\n\ndata: Started ${taskId}\n\n`)
        expect(sent).toEqual(["ada@example.com"])

        const list = await (await get("/tasks?status=success&limit=5", login)).json() as {
          readonly items: ReadonlyArray<{ readonly taskId: string }>
        }
        expect(list.items.map((task) => task.taskId)).toEqual([taskId])
        expect((await get(`/tasks/${taskId}/attempts`, login)).status).toBe(200)
        const again = await fetch(`${url}/tasks/${taskId}/retry`, { method: "POST", headers: login })
        expect([again.status, (await again.json() as { readonly _tag: string })._tag]).toEqual([400, "TaskWrongStatus"])
        const head = await fetch(`${url}/tasks`, { method: "HEAD", headers: login })
        expect([head.status, await head.text()]).toEqual([200, ""])
        const { paths } = await (await get("/tasks/openapi.json", login)).json() as { readonly paths: object }
        expect(Object.keys(paths)).toContain("/tasks/{id}/retry")

        // Running when the end begins: it finishes, and the stream that is still open ends.
        const last = await signup("grace@example.com")
        const { taskId: lastId } = await last.json() as { readonly taskId: string }
        await readUntil(events, `Started ${lastId}`)
        const ended = new Promise((resolve) => events.once("close", resolve).resume())
        await close()
        await ended
        expect(sent).toEqual(["ada@example.com", "grace@example.com"])
      } finally {
        await close()
      }
    })
  }
})
