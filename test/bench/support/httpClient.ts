/**
 * Asks a server of `bench:http` over connections that stay open, and the process behind it what that cost.
 */
import { type ChildProcess, fork } from "node:child_process"
import { Agent, request } from "node:http"
import { fileURLToPath } from "node:url"
import { type Ask, token, type Usage } from "./httpServer.js"
import type * as Stores from "./stores.js"

export interface Answer {
  readonly status: number
  readonly bytes: number
  /** Empty unless asked for. */
  readonly text: string
}

export interface Asked {
  /** Milliseconds, one for each request. */
  readonly took: ReadonlyArray<number>
  /** Of all of them. */
  readonly millis: number
}

export interface AskOptions {
  /** So many at a time, */
  readonly atOnce: number
  /** for so long, */
  readonly millis: number
  /** and so many at least. */
  readonly least: number
  /** No more than these. Default: as fast as they are answered. */
  readonly perSecond?: number | undefined
  /** Every other one is an error. Default 200. */
  readonly status?: number | undefined
}

export interface Server {
  readonly port: number
  readonly get: (path: string, keep?: boolean) => Promise<Answer>
  readonly ask: (path: string, options: AskOptions) => Promise<Asked>
  /** What the process used while this went on. */
  readonly using: <A>(during: () => Promise<A>, perSecond?: number) => Promise<readonly [A, Usage]>
  readonly stop: () => Promise<void>
}

const answerOf = (child: ChildProcess, ask?: Ask): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const gone = () => reject(new Error("the server ended"))
    child.once("exit", gone)
    child.once("message", (answer) => {
      child.off("exit", gone)
      resolve(answer)
    })
    if (ask !== undefined) child.send(ask)
  })

/** Starts a process that serves what is in the store. */
export const start = async (store: Stores.Store): Promise<Server> => {
  const child = fork(fileURLToPath(new URL("./httpServer.js", import.meta.url)), [], {
    env: { ...process.env, BENCH_SERVE: JSON.stringify(store) },
    execArgv: (process.env["BENCH_EXEC"] ?? "").split(" ").filter((word) => word !== "")
  })
  const { port } = await answerOf(child) as { readonly port: number } // safe (and below): `httpServer.ts` sent it
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })

  const get: Server["get"] = (path, keep = true) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` }
      request({ agent, host: "127.0.0.1", port, path, headers }, (response) => {
        let bytes = 0
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length
          if (keep) chunks.push(chunk)
        })
        response.on("error", reject)
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, bytes, text: Buffer.concat(chunks).toString("utf8") }))
      }).on("error", reject).end()
    })

  return {
    port,
    get,
    ask: async (path, { atOnce, least, millis, perSecond = Number.POSITIVE_INFINITY, status = 200 }) => {
      const took: Array<number> = []
      const begun = performance.now()
      let asked = 0
      const one = async () => {
        while (asked < least || performance.now() - begun < millis) {
          const early = begun + asked / perSecond * 1_000 - performance.now()
          asked += 1
          if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
          const from = performance.now()
          const answer = await get(path, false)
          if (answer.status !== status) throw new Error(`GET ${path}: ${answer.status}`)
          took.push(performance.now() - from)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, one))
      return { took, millis: performance.now() - begun }
    },
    using: async (during, perSecond = 0) => {
      await answerOf(child, { _tag: "begin", perSecond })
      const value = await during()
      return [value, await answerOf(child, { _tag: "end" }) as Usage]
    },
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve())
        agent.destroy()
        child.disconnect()
      })
  }
}
