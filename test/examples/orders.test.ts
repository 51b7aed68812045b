/** The demo as people start it: a real process, real signals, real sockets. */
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import * as fs from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { ConfigProvider, Effect, Either, Redacted, type Scope } from "effect"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { settings } from "../../examples/orders/settings.js"
import { bundle, bundleFolder } from "../support/bundle.js"
import { hasMysql, hasPostgres, mysql, postgres } from "../support/databases.js"
import { hasRedisServer, redisServer } from "../support/redisServer.js"

const root = path.resolve(import.meta.dirname, "../..")
const { scripts } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
const [command, ...args]: ReadonlyArray<string> = scripts.start.split(" ")
const main = args.at(-1)!

// Once as `npm start` does it, with all there is to ask; otherwise the same program in one file, which starts ten times as fast.
const folder = bundleFolder()
const bundled = bundle(main, folder)
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const [withPostgres, withMysql] = await Promise.all([hasPostgres(), hasMysql()])

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill("SIGKILL")
  running.clear()
})

/** What `npm start` runs, with this environment on top of ours. */
const start = (environment: Record<string, string>, how: ReadonlyArray<string> = [bundled]) => {
  const { HOST: _host, PORT: _port, TASKFLOW_AUTH: _auth, TASKFLOW_DATABASE: _database, ...inherited } = process.env
  const child = spawn(command!, how, {
    cwd: root,
    env: { ...inherited, PORT: "0", NO_COLOR: "1", TASKFLOW_DATABASE: "memory:", ...environment }
  })
  running.add(child)
  let output = ""
  child.stdout.on("data", (data) => (output += data))
  child.stderr.on("data", (data) => (output += data))
  const exited = once(child, "exit").then(([code]) => {
    running.delete(child)
    return { code: code as number | null, output }
  })
  return { child, exited, output: () => output }
}

const startListening = async (environment: Record<string, string> = {}, how?: ReadonlyArray<string>) => {
  const demo = start(environment, how)
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    const base = /tasks {4}(http:\S+)\/tasks/.exec(demo.output())?.[1]
    if (base !== undefined) return { ...demo, base }
    const ended = await Promise.race([demo.exited, sleep(50, undefined)])
    if (ended !== undefined) throw new Error(`the demo ended with ${ended.code}: ${ended.output}`)
  }
  throw new Error(`the demo does not listen: ${demo.output()}`)
}

const call = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init)
  return { status: response.status, headers: response.headers, body: await response.json() as any }
}
const post = (url: string, body?: unknown) =>
  call(url, { method: "POST", ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

// What is counted below must not depend on whether it is three o'clock in Rome.
const withoutNights = async (base: string) => {
  expect((await post(`${base}/tasks/schedules/nightly_cleanup/pause`)).status).toBe(200)
}

const until = async (url: string, fits: (task: any) => boolean) => {
  const deadline = Date.now() + 60_000
  let last: any
  while (Date.now() < deadline) {
    last = (await call(url)).body
    if (fits(last)) return last
    await sleep(50)
  }
  throw new Error(`${url} stays ${JSON.stringify(last)}`)
}

describe("the order service", { timeout: 120_000 }, () => {
  it("runs tasks that are listed, retried and cancelled over HTTP, and ends promptly on SIGTERM", async () => {
    const { base, child, exited, output } = await startListening({}, args)
    expect(output()).toContain("OPEN: TASKFLOW_AUTH is not set")
    expect((await call(`${base}/health`)).body).toMatchObject({ status: "ok", backend: "memory" })
    await withoutNights(base)

    const signup = await post(`${base}/signup`, { email: "ada@example.com" })
    expect(signup.status).toBe(202)
    const mail = await until(`${base}/tasks/${signup.body.taskId}`, ({ status }) => status === "success")
    expect(mail).toMatchObject({
      taskName: "signup_mail",
      payload: { email: "ada@example.com" },
      result: { messageId: "<ada@example.com>" }
    })
    expect(mail.logs[0]).toContain("connecting to the mail server")

    const order = { orderId: "o-1", amount: 20_000 }
    const declined = await post(`${base}/orders`, order)
    const failed = await until(`${base}/tasks/${declined.body.taskId}`, ({ status }) => status === "failed")
    expect(failed).toMatchObject({
      error: "20000 is over the limit",
      stopReason: "unrecoverable",
      payload: { ...order, cardToken: "<redacted>" }
    })
    const retried = await post(`${base}/tasks/${failed.taskId}/retry`)
    expect(retried.status).toBe(200)
    await until(`${base}/tasks/${retried.body.taskId}`, ({ status }) => status === "failed")
    expect((await post(`${base}/tasks/${failed.taskId}/retry`)).body).toMatchObject({ _tag: "TaskAlreadyRetried" })

    const paid = await post(`${base}/orders`, { orderId: "o-2", amount: 10 })
    expect((await post(`${base}/orders`, { orderId: "o-2", amount: 10 })).body.taskId).toBe(paid.body.taskId)

    const report = await post(`${base}/reports`, { month: "2026-01" })
    await until(`${base}/tasks/${report.body.taskId}`, ({ status }) => status === "running")
    expect((await post(`${base}/tasks/${report.body.taskId}/cancel`)).status).toBe(202)
    await until(`${base}/tasks/${report.body.taskId}`, ({ status }) => status === "cancelled")

    const image = await post(`${base}/images`, { url: "a.png", width: 320 })
    const resized = await until(`${base}/tasks/${image.body.taskId}`, ({ status }) => status === "success")
    expect(resized.progress).toEqual({ value: 1, message: "tile 10 of 10" })

    const forecast = await post(`${base}/forecasts`, { month: "2026-01" })
    const forecasted = await until(`${base}/tasks/${forecast.body.taskId}`, ({ status }) => status === "success")
    expect(forecasted).toMatchObject({ executor: "thread", progress: { value: 1, message: "round 20 of 20" } })
    expect(forecasted.result.orders).toBeGreaterThan(1_000)
    const definition = (await call(`${base}/tasks/definitions/sales_forecast`)).body.definition
    expect(definition).toMatchObject({ executor: "thread" })

    const cleanup = await post(`${base}/tasks/schedules/nightly_cleanup/trigger`)
    await until(`${base}/tasks/${cleanup.body.taskId}`, ({ status }) => status === "success")
    const { body: nightly } = await call(`${base}/tasks/schedules/nightly_cleanup`)
    expect(nightly).toMatchObject({ taskName: "nightly_cleanup", when: "0 3 * * * (Europe/Rome)", retiredAt: null })

    await until(`${base}/tasks/${paid.body.taskId}`, ({ endedAt }) => endedAt !== null)
    const list = await call(`${base}/tasks?status=failed,cancelled&order=oldest`)
    expect(list.body.items.map(({ taskId }: any) => taskId)).toEqual(
      expect.arrayContaining([failed.taskId, retried.body.taskId, report.body.taskId])
    )
    expect((await call(`${base}/tasks/metrics`)).body).toMatchObject({ total: 8, pending: 0, running: 0, cancelled: 1 })

    // An idle connection that is kept alive, a silent one, half a head and half a body.
    const agent = new http.Agent({ keepAlive: true })
    const [response] = await once(http.get(`${base}/health`, { agent }), "response")
    response.resume()
    await once(response, "end")
    const halves = [
      "",
      "GET /tasks HTTP/1.1\r\nHost: x\r\n",
      "POST /signup HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    ]
    for (const half of halves) {
      const socket = net.connect(Number(new URL(base).port), "127.0.0.1")
      socket.on("error", () => {})
      await once(socket, "connect")
      if (half !== "") await new Promise<void>((resolve) => socket.write(half, () => resolve()))
    }
    await sleep(100)
    const from = Date.now()
    child.kill("SIGTERM")
    const { code } = await exited
    expect(code).toBe(0)
    // By itself a server waits a minute for the rest of a head, and longer for that of a body.
    expect(Date.now() - from).toBeLessThan(30_000)
    agent.destroy()
  })

  it("refuses what does not fit, and generates a bounded load", async () => {
    const { base, child, exited } = await startListening()
    await withoutNights(base)
    const wrong: Array<readonly [path: string, body: string]> = [
      ["/signup", "{"],
      ["/signup", ""],
      ["/signup", "null"],
      ["/signup", "{\"email\":\"nobody\"}"],
      ["/signup", `{"email":"${"a".repeat(300)}@example.com"}`],
      ["/orders", "{\"orderId\":\"\",\"amount\":1}"],
      ["/orders", "{\"orderId\":\"1\",\"amount\":-1}"],
      ["/orders", "{\"orderId\":\"1\",\"amount\":1e999}"],
      ["/orders", "{\"orderId\":\"1\"}"],
      ["/images", "{\"url\":\"a\",\"width\":0.5}"],
      ["/reports", "{\"month\":\"2026-13\"}"],
      ["/load?n=0", ""],
      ["/load?n=100001", ""],
      ["/load?n=many", ""]
    ]
    for (const [path, body] of wrong) {
      const answer = await call(`${base}${path}`, { method: "POST", body })
      expect(answer.status, `${path} ${body}`).toBe(400)
      expect(answer.body).toEqual({ _tag: "BadRequest", message: expect.any(String) })
    }
    expect((await call(`${base}/tasks/metrics`)).body.total).toBe(0)

    expect(await post(`${base}/load?n=250`)).toMatchObject({ status: 202, body: { enqueued: 250 } })
    const { body } = await call(`${base}/tasks?limit=200`)
    expect(body.items).toHaveLength(200)
    expect(new Set(body.items.map(({ taskName }: any) => taskName)).size).toBe(5)
    expect((await call(`${base}/tasks/metrics`)).body.total).toBe(250)
    child.kill("SIGINT")
    expect((await exited).code).toBe(0)
  })

  it("asks for TASKFLOW_AUTH on every task route, and may then listen beyond loopback", async () => {
    const { base, child, exited, output } = await startListening({ HOST: "0.0.0.0", TASKFLOW_AUTH: "ada:pässwörd" })
    expect(output()).not.toContain("OPEN")
    expect(output()).not.toContain("pässwörd")
    const here = base.replace("0.0.0.0", "127.0.0.1")
    for (const path of ["/tasks", "/tasks/metrics", "/tasks/openapi.json"]) {
      const refused = await call(`${here}${path}`)
      expect([refused.status, refused.body._tag], path).toEqual([401, "Unauthorized"])
      const authorization = `Basic ${Buffer.from("ada:pässwörd").toString("base64")}`
      expect((await call(`${here}${path}`, { headers: { authorization } })).status, path).toBe(200)
    }
    expect((await call(`${here}/health`)).status).toBe(200)
    child.kill("SIGTERM")
    expect((await exited).code).toBe(0)
  })

  it("ends with code 1 and says why when it is open and could be reached from other machines", async () => {
    const { code, output } = await start({ HOST: "0.0.0.0" }).exited
    expect(code).toBe(1)
    expect(output).toContain("0.0.0.0 can be reached from other machines: set TASKFLOW_AUTH=user:password first")
    expect(output).not.toContain("/tasks\n")
  })
})

/** With a database of its own on this server, for a service that has the default prefix. */
const onFresh = (
  open: Effect.Effect<SqlClient, unknown, Reactivity.Reactivity | Scope.Scope>,
  body: (name: string) => Promise<void>
) => {
  const name = `taskflow_${randomBytes(6).toString("hex")}`
  const command = (text: string) =>
    Effect.scoped(Effect.flatMap(open, (client) => client.unsafe(text))).pipe(
      Effect.provide(Reactivity.layer),
      Effect.orDie
    )
  return Effect.runPromise(
    Effect.acquireUseRelease(
      command(`CREATE DATABASE ${name}`),
      () => Effect.promise(() => body(name)),
      () => command(`DROP DATABASE ${name}`)
    )
  )
}

describe("the order service on a database", { timeout: 120_000 }, () => {
  const survives = async (TASKFLOW_DATABASE: string, backend: string) => {
    const { base, child, exited } = await startListening({ TASKFLOW_DATABASE })
    expect((await call(`${base}/health`)).body).toMatchObject({ backend })
    await withoutNights(base)

    const mail = await post(`${base}/signup`, { email: "ada@example.com" })
    const sent = await until(`${base}/tasks/${mail.body.taskId}`, ({ status }) => status === "success")
    const report = await post(`${base}/reports`, { month: "2026-01" })
    await until(`${base}/tasks/${report.body.taskId}`, ({ progress }) => progress !== null)

    // Killed between two answers: what was answered counts, whatever became of the rest.
    const accepted = new Map<string, string>()
    const producing = async (first: number) => {
      for (let i = first;; i += 4) {
        const path = i % 3 === 0 ? "/orders" : "/images"
        const body = i % 3 === 0 ? { orderId: `o-${i}`, amount: 25 } : { url: `${i}.png`, width: 320 }
        const answer = await post(`${base}${path}`, body).catch(() => null)
        if (answer === null) return
        accepted.set(answer.body.taskId, path)
        if (accepted.size === 40) child.kill("SIGKILL")
      }
    }
    await Promise.all([0, 1, 2, 3].map(producing))
    await exited
    expect(accepted.size).toBeGreaterThanOrEqual(40)

    const second = await startListening({ TASKFLOW_DATABASE })
    expect((await call(`${second.base}/tasks/${mail.body.taskId}`)).body).toEqual(sent)
    const again = await until(
      `${second.base}/tasks/${report.body.taskId}`,
      ({ attempts, status }) => attempts === 2 && status === "running"
    )
    expect(again).toMatchObject({ payload: { month: "2026-01" } })
    for (const [taskId, path] of accepted) {
      const ended = await until(`${second.base}/tasks/${taskId}`, ({ endedAt }) => endedAt !== null)
      const good = path === "/images" ? ["success"] : ["success", "failed"]
      expect(good, JSON.stringify(ended)).toContain(ended.status)
    }
    expect((await post(`${second.base}/tasks/${report.body.taskId}/cancel`)).status).toBe(202)
    await until(`${second.base}/tasks/${report.body.taskId}`, ({ status }) => status === "cancelled")
    const { body: counted } = await call(`${second.base}/tasks/metrics`)
    expect(counted).toMatchObject({ pending: 0, running: 0, cancelled: 1 })
    second.child.kill("SIGTERM")
    expect((await second.exited).code).toBe(0)

    const third = await startListening({ TASKFLOW_DATABASE })
    expect((await call(`${third.base}/tasks/${mail.body.taskId}`)).body).toEqual(sent)
    expect((await call(`${third.base}/tasks/metrics`)).body).toMatchObject({ total: counted.total, cancelled: 1 })
    third.child.kill("SIGTERM")
    expect((await third.exited).code).toBe(0)
  }

  const promise = "loses no accepted task when it is killed, and runs again what may run twice, on"

  it(`${promise} SQLite`, () => survives(`sqlite:${path.join(folder, "tasks.db")}`, "sqlite"))

  it.skipIf(!withPostgres)(`${promise} PostgreSQL`, async () => {
    const { host, port, username } = postgres
    const client = PgClient.make({ ...postgres, maxConnections: 1 })
    await onFresh(client, (name) => survives(`postgres://${username}@${host}:${port}/${name}`, "postgres"))
  })

  it.skipIf(!withMysql)(`${promise} MySQL or MariaDB`, async () => {
    const { host, password, port, username } = mysql
    const login = `${username}:${encodeURIComponent(Redacted.value(password))}`
    const client = MysqlClient.make({ ...mysql, maxConnections: 1 })
    await onFresh(client, (name) => survives(`mysql://${login}@${host}:${port}/${name}`, "mysql"))
  })

  it.skipIf(!hasRedisServer())(`${promise} Redis`, () =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(
      redisServer("--appendonly", "yes"),
      ({ where: { host, port } }) => Effect.promise(() => survives(`redis://${host}:${port}`, "redis"))
    ))))

  it.each([
    ["sqlite:/no/such/folder/tasks.db", "the task backend failed in open"],
    ["postgres://ada:hunter2@127.0.0.1:1/tasks", "the task backend failed in connect"],
    ["mysql://ada:hunter2@127.0.0.1:1/tasks", "the task backend failed in connect"],
    ["redis://ada:hunter2@127.0.0.1:1/0", "the task backend failed in connect"]
  ])("ends with code 1 and the reason, never the password, when it cannot reach %s", async (url, message) => {
    const { code, output } = await start({ TASKFLOW_DATABASE: url }).exited
    expect(code).toBe(1)
    expect(output).toContain(message)
    expect(output).not.toContain("hunter2")
  })
})

describe("its settings", () => {
  const load = (environment: Record<string, string>) =>
    Effect.runSync(
      Effect.either(Effect.withConfigProvider(settings, ConfigProvider.fromMap(new Map(Object.entries(environment)))))
    )

  it.each([
    [{ HOST: "192.168.1.7" }, "192.168.1.7 can be reached"],
    [{ HOST: "127.0.0.1.example.com" }, "can be reached from other machines"],
    [{ HOST: "" }, "can be reached from other machines"],
    [{ TASKFLOW_AUTH: "hunter2" }, "user:password is expected"],
    [{ TASKFLOW_AUTH: "" }, "user:password is expected"],
    [{ TASKFLOW_AUTH: "hunter2:" }, "user:password is expected"],
    [{ TASKFLOW_AUTH: ":hunter2" }, "user:password is expected"],
    [{ TASKFLOW_DATABASE: "" }, "expected is memory:, sqlite:FILE, postgres://"],
    [{ TASKFLOW_DATABASE: "memory" }, "expected is memory:"],
    [{ TASKFLOW_DATABASE: "sqlite:" }, "expected is memory:"],
    [{ TASKFLOW_DATABASE: "redis://u:hunter2@db/tasks" }, "expected is memory:"],
    [{ TASKFLOW_DATABASE: "postgres://u:hunter2@db" }, "expected is memory:"],
    [{ TASKFLOW_DATABASE: "mysql://u:hunter2@:3306/tasks" }, "expected is memory:"],
    [{ PORT: "70000" }, "0 to 65535 is expected"],
    [{ PORT: "http" }, "PORT"]
  ])("are refused with the reason and without the value of a secret: %o", (environment, message) => {
    const result = load(environment as Record<string, string>)
    expect(Either.isLeft(result) && String(result.left)).toContain(message)
    expect(String(result)).not.toContain("hunter2")
  })

  it("have defaults that only this machine can reach", () => {
    expect(Either.getOrThrow(load({}))).toMatchObject({ host: "127.0.0.1", port: 3000, open: true })
    for (const HOST of ["localhost", "::1", "127.1.2.3"]) expect(Either.isRight(load({ HOST })), HOST).toBe(true)
    expect(Either.getOrThrow(load({})).database.place).toBe("SQLite in tasks.db")
    const guarded = load({ HOST: "::", TASKFLOW_AUTH: "ada:pass:word" })
    expect(Either.getOrThrow(guarded)).toMatchObject({ host: "::", open: false })
  })

  it.each([
    ["memory:", "memory, gone with the process"],
    ["sqlite:/var/lib/orders/tasks.db", "SQLite in /var/lib/orders/tasks.db"],
    ["sqlite::memory:", "SQLite in memory, gone with the process"],
    ["postgresql://ada:hunter2@db:5433/tasks?sslmode=require", "PostgreSQL at db:5433/tasks"],
    ["mariadb://ada:hunter2@db/tasks", "MySQL at db/tasks"],
    ["rediss://ada:hunter2@db:6380/1", "Redis at db:6380/1"]
  ])("say where tasks are kept, without the password: %s", (url, place) => {
    expect(Either.getOrThrow(load({ TASKFLOW_DATABASE: url })).database.place).toBe(place)
  })
})
