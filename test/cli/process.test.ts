/** The command line as people run it: a real process, its streams, its signals, its exit code. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import { request } from "node:http"
import * as path from "node:path"
import { afterAll, describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { version } from "../../src/internal/version.js"
import { build } from "./built.js"
import { cli, ended, folder, jsonOf, Mail, sqlite, testOn, withApplication } from "./support.js"

const { file: command, remove } = await build()
afterAll(remove)
const test = testOn(sqlite)

interface Running {
  readonly child: ChildProcess
  readonly said: () => { readonly out: string; readonly note: string }
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly note: string }>
}

/** A process of this command line, killed when the scope ends. */
const start = (
  words: ReadonlyArray<string>,
  { env = {}, file = command }: {
    readonly env?: Record<string, string>
    readonly file?: string
  } = {}
) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const { TASKFLOW_AUTH: _auth, TASKFLOW_DATABASE: _database, ...inherited } = process.env
      const child = spawn(process.execPath, [file, ...words], { env: { ...inherited, ...env } })
      let [out, note] = ["", ""]
      child.stdout.on("data", (data: Buffer) => out += data.toString())
      child.stderr.on("data", (data: Buffer) => note += data.toString())
      const said = () => ({ out, note })
      return { child, said, ended: once(child, "close").then(([code]) => ({ code, ...said() })) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

const run = (words: ReadonlyArray<string>, options: Parameters<typeof start>[1] = {}) =>
  Effect.flatMap(start(words, options), ({ ended }) => Effect.promise(() => ended))

const until = <A>(look: () => A | undefined): Effect.Effect<A> =>
  Effect.suspend(() => {
    const found = look()
    return found === undefined ? Effect.zipRight(Effect.sleep("20 millis"), until(look)) : Effect.succeed(found)
  })

describe("the process", () => {
  test("says answers and notes apart, and ends with a code", ({ at, url }) =>
    Effect.gen(function*() {
      expect(yield* run(["--version"])).toEqual({ code: 0, out: `${version}\n`, note: "" })
      const nothing = yield* run(["list", ...at])
      expect(nothing).toMatchObject({ code: 1, out: "" })
      expect(nothing.note).toMatch(/^effect-taskflow: SQLite in .+: there is no file .+\n$/)
      expect((yield* run(["list"])).code).toBe(2)
      const up = yield* run(["migrate", "up"], { env: { TASKFLOW_DATABASE: url } })
      expect(up).toMatchObject({ code: 0, note: "" })
      expect((yield* run(["doctor", "--json"], { env: { TASKFLOW_DATABASE: url } })).code).toBe(0)
    }), 120_000)

  test("is content with a reader that has read enough", (place) =>
    Effect.gen(function*() {
      yield* cli(["migrate", "up", ...place.at])
      yield* cli(["pause", "--all", ...place.at])
      yield* withApplication(
        place,
        Mail.enqueueMany(Array.from({ length: 2_000 }, (_, index) => ({ to: `${index}`.padStart(200, "-") })))
      )
      const { child, ended } = yield* start(["list", ...place.at, "-n", "2000", "--json", "--arguments"])
      yield* Effect.promise(() => once(child.stdout!, "data"))
      child.stdout!.destroy()
      const { code, note } = yield* Effect.promise(() => ended)
      expect({ code, note }).toEqual({ code: 0, note: "" })
    }), 120_000)

  test("says in one line which packages are missing", () =>
    Effect.gen(function*() {
      const bare = yield* folder
      fs.mkdirSync(path.join(bare, "src/cli"), { recursive: true })
      for (const file of ["package.json", "src/cli.js", "src/cli/packages.js"]) {
        fs.copyFileSync(path.resolve(path.dirname(command), "..", file), path.join(bare, file))
      }
      const said = yield* run(["list"], { file: path.join(bare, "src/cli.js") })
      expect(said).toMatchObject({ code: 2, out: "" })
      expect(said.note).toMatch(
        /^effect-taskflow: the command line needs packages .+: npm install "@effect\/cli@[^\n]+\n$/
      )
    }), 120_000)
})

describe("the dashboard", () => {
  const serve = (words: ReadonlyArray<string>, env: Record<string, string> = {}) =>
    Effect.gen(function*() {
      const running = yield* start(["dashboard", ...words, "--port", "0"], { env })
      const url = yield* Effect.raceFirst(
        until(() => /^http:\S+/.exec(running.said().out)?.[0]),
        Effect.flatMap(Effect.promise(() => running.ended), ({ code, note }) =>
          Effect.die(new Error(`it ended with ${code}: ${note}`)))
      )
      return { ...running, url, api: url.replace(/\/dashboard$/, "") }
    })
  const ask = (url: string, init?: RequestInit) => Effect.promise(() => fetch(url, init))

  test("serves tasks of an application, runs none, and ends well on SIGTERM", (place) =>
    Effect.gen(function*() {
      const ids = yield* ended(place)
      const { api, child, ended: end, said, url } = yield* serve(place.at)
      yield* until(() => said().note.includes("OPEN") ? true : undefined)
      const page = yield* ask(url)
      expect(page.status).toBe(200)
      expect(yield* Effect.promise(() => page.text())).toContain("<title>")
      const list: any = yield* Effect.promise(() => fetch(api).then((answer) => answer.json()))
      expect(list.items.map(({ taskId }: any) => taskId)).toEqual([ids.charge, ids.mail])
      child.kill("SIGTERM")
      expect((yield* Effect.promise(() => end)).code).toBe(0)
      // It went, and took nothing over.
      expect(jsonOf(yield* cli(["doctor", ...place.at, "--json"])).findings).toEqual([])
    }), 120_000)

  test(
    "asks for the password it was given, and lets nobody change what is only to be read",
    (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const { api, said } = yield* serve([...place.at, "--read-only"], { TASKFLOW_AUTH: "ada:hush-17" })
        expect(said().note).not.toContain("OPEN")
        expect(said().note + said().out).not.toContain("hush")
        const as = (password: string) => ({ headers: { authorization: `Basic ${btoa(`ada:${password}`)}` } })
        expect((yield* ask(api)).status).toBe(401)
        expect((yield* ask(api, as("wrong"))).status).toBe(401)
        expect((yield* ask(api, as("hush-17"))).status).toBe(200)
        const retry = yield* ask(`${api}/${ids.charge}/retry`, { method: "POST", ...as("hush-17") })
        expect(retry.status).toBe(403)
      }),
    120_000
  )

  test(
    "that is open answers to no name of another site, whether it may change anything or not",
    (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const { api } = yield* serve([...place.at, "--read-only"])
        const statusAs = (host: string) =>
          Effect.async<number | undefined>((resume) => {
            request(api, { headers: { host } }, (answer) => {
              answer.resume()
              resume(Effect.succeed(answer.statusCode))
            }).end()
          })
        expect(yield* statusAs(new URL(api).host)).toBe(200)
        expect(yield* statusAs(`other.example:${new URL(api).port}`)).toBe(403)
        expect((yield* ask(`${api}/${ids.charge}/retry`, { method: "POST" })).status).toBe(403)
      }),
    120_000
  )

  test("says that its port is taken", (place) =>
    Effect.gen(function*() {
      yield* ended(place)
      const { url } = yield* serve(place.at)
      const second = yield* run(["dashboard", ...place.at, "--port", new URL(url).port])
      expect(second).toMatchObject({ code: 1, out: "" })
      expect(second.note).toContain("is taken")
    }), 120_000)
})
