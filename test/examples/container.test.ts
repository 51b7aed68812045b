/**
 * The files that put the order service into a container, as far as they can be checked without one: what they name is there, and
 * fits what the service reads. `npm run try:image` does what the Dockerfile says.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { ConfigProvider, Effect, Either } from "effect"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { settings } from "../../examples/orders/settings.js"
import { commandOf, copyOf, ignoredBy, parseDockerfile, variablesOf } from "../../scripts/image/dockerfile.js"

const root = path.resolve(import.meta.dirname, "../..")
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

const dockerfile = "examples/orders/Dockerfile"
const stages = parseDockerfile(read(dockerfile))
const image = stages.at(-1)!.instructions
const only = (name: string) => {
  const found = image.filter((instruction) => instruction.name === name)
  expect(found.length, name).toBe(1)
  return found[0]!
}
const environment = variablesOf(only("ENV"))

const service = fs.readdirSync(path.join(root, "examples/orders")).filter((file) => file.endsWith(".ts"))
  .map((file) => read(`examples/orders/${file}`)).join("\n")
/** What the service reads, and what Node.js and its packages do. */
const known = [...service.matchAll(/Config\.\w+\("([A-Z_]+)"\)/g)].map(([, name]) => name!).concat("NODE_ENV")

const settingsOf = (variables: Readonly<Record<string, string>>) =>
  Effect.runSync(
    Effect.either(Effect.withConfigProvider(settings, ConfigProvider.fromMap(new Map(Object.entries(variables)))))
  )

describe("the Dockerfile", () => {
  it("copies what is there, and what .dockerignore lets through", () => {
    const isIgnored = ignoredBy(read(".dockerignore"))
    const sources = stages.flatMap(({ instructions }) => instructions).filter(({ name }) => name === "COPY").map(copyOf)
      .flatMap(({ from, sources }) => from === null ? sources : [])
    expect(sources.length).toBeGreaterThan(5)
    expect(sources.filter((source) => !fs.existsSync(path.join(root, source)))).toEqual([])
    expect(sources.filter(isIgnored)).toEqual([])
    // And inside them.
    expect(["src/index.ts", "src/dashboard/main.tsx", "examples/orders/main.ts"].filter(isIgnored)).toEqual([])
    expect(
      [
        "node_modules/effect/package.json",
        ".git/config",
        ".env",
        "tasks.db",
        "dist/index.js",
        "examples/01-first-task.ts"
      ]
        .filter((file) => !isIgnored(file))
    ).toEqual([])
  })

  it("copies between stages that are there", () => {
    const names = stages.map(({ name }) => name)
    const from = image.filter(({ name }) => name === "COPY").map((instruction) => copyOf(instruction).from)
    expect(from.length).toBeGreaterThan(2)
    expect(from.filter((name) => name === null || !names.includes(name))).toEqual([])
  })

  it("builds on the Node.js it runs, which the library supports", () => {
    const versions = stages.map(({ image }) => /^node:(\d+)(-slim)?$/.exec(image)![1])
    expect(new Set(versions)).toEqual(new Set(["20"]))
    expect(JSON.parse(read("package.json")).engines.node).toMatch(/^>=20\./)
  })

  it("runs as a user that is not root, who owns the place of the database", () => {
    const order = image.map(({ name }) => name)
    expect(only("USER").text).toBe("node")
    expect(order.lastIndexOf("RUN")).toBeLessThan(order.indexOf("USER"))
    const volume = only("VOLUME").text
    expect(only("RUN").text).toBe(`mkdir ${volume} && chown node:node ${volume}`)
    expect(order.indexOf("RUN")).toBeLessThan(order.indexOf("VOLUME"))
    expect(environment["TASKFLOW_DATABASE"]).toBe(`sqlite:${volume}/tasks.db`)
  })

  it("sets what the service reads, and listens where the health check asks", () => {
    expect(known).toEqual(expect.arrayContaining(["PORT", "HOST", "TASKFLOW_AUTH", "TASKFLOW_DATABASE"]))
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([])
    expect(only("EXPOSE").text).toBe(environment["PORT"])
    const [node, flag, code] = commandOf(only("HEALTHCHECK"))
    expect([node, flag]).toEqual(["node", "-e"])
    expect(code).toContain("fetch(`http://127.0.0.1:${process.env.PORT}/health`)")
    expect(service).toContain("\"/health\"")
    expect(commandOf(only("CMD"))).toEqual(["node", "examples/orders/main.js"])
  })

  it("starts with a password, and not without", () => {
    expect(settingsOf({ ...environment, TASKFLOW_AUTH: "ada:secret" })).toMatchObject({
      _tag: "Right",
      right: { host: "0.0.0.0", port: 3000, open: false, database: { place: "SQLite in /data/tasks.db" } }
    })
    expect(String(Either.getLeft(settingsOf(environment)))).toContain("set TASKFLOW_AUTH=user:password first")
  })

  it("keeps of the packages what the service loads, in the versions of the lock file", () => {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), "taskflow-production-"))
    try {
      fs.copyFileSync(path.join(root, "package.json"), path.join(place, "package.json"))
      execFileSync(process.execPath, [path.join(root, "examples/orders/production.mjs")], { cwd: place })
      const before = JSON.parse(read("package.json"))
      const after = JSON.parse(fs.readFileSync(path.join(place, "package.json"), "utf8"))
      expect(after.devDependencies).toBeUndefined()
      expect(after.exports).toEqual(before.exports)
      const imported = [...service.matchAll(/from "(@?[^"./][^"/]*(?:\/[^"/]+)?)/g)].map(([, name]) => name!)
        .filter((name) => !name.startsWith("node:") && !name.startsWith(before.name))
        .map((name) => name.startsWith("@") ? name : name.split("/")[0]!)
      expect(imported).toContain("@effect/platform-node")
      // All databases are one variable away, so the peers of each are needed.
      const databases = /^(@effect\/(sql|experimental)|ioredis)/
      const needed = [...imported, ...Object.keys(before.peerDependencies).filter((name) => databases.test(name))]
      expect(needed.filter((name) => after.dependencies[name] !== before.devDependencies[name])).toEqual([])
      expect(Object.values(after.dependencies).filter((version) => typeof version !== "string")).toEqual([])
    } finally {
      fs.rmSync(place, { recursive: true, force: true })
    }
  })
})

describe("compose.yaml", () => {
  /** What is set when nothing is said but what has to be. */
  const text = read("examples/orders/compose.yaml")
    .replace(/\$\{\w+:-([^}]*)\}/g, "$1")
    .replace(/\$\{TASKFLOW_AUTH:\?[^}]*\}/g, "ada:secret")
  const { services, volumes } = parse(text)
  const { db, orders } = services

  it("leaves no variable open but the password", () => {
    expect(text).not.toContain("${")
  })

  it("builds the Dockerfile from the top of the repository", () => {
    const context = path.resolve(root, "examples/orders", orders.build.context)
    expect(context).toBe(root)
    expect(orders.build.dockerfile).toBe(dockerfile)
  })

  it("hands the service what it reads: the database beside it, as the user of that", () => {
    expect(Object.keys(orders.environment).filter((name) => !known.includes(name))).toEqual([])
    const url = new URL(orders.environment.TASKFLOW_DATABASE)
    expect([url.username, url.password, url.pathname]).toEqual([
      db.environment.POSTGRES_USER,
      db.environment.POSTGRES_PASSWORD,
      `/${db.environment.POSTGRES_DB}`
    ])
    expect(url.hostname in services).toBe(true)
    expect(settingsOf({ ...environment, ...orders.environment })).toMatchObject({
      _tag: "Right",
      right: { open: false, database: { place: "PostgreSQL at db:5432/orders" } }
    })
  })

  it("starts the service when the database is healthy, which is asked of that user and database", () => {
    expect(orders.depends_on).toEqual({ db: { condition: "service_healthy" } })
    expect(db.healthcheck.test).toEqual(expect.arrayContaining(["pg_isready", "--username=orders", "--dbname=orders"]))
  })

  it("shows this machine alone the port that the image listens at, and the database to nobody", () => {
    expect(orders.ports).toEqual([`127.0.0.1:3000:${environment["PORT"]}`])
    expect(db.ports).toBeUndefined()
  })

  it("gives running tasks the time that the service gives them, and keeps the database", () => {
    const [, shutdown] = /shutdownTimeout: "(\d+) seconds"/.exec(service)!
    expect(Number.parseInt(orders.stop_grace_period)).toBeGreaterThanOrEqual(Number(shutdown) + 5)
    const [volume, place] = db.volumes[0].split(":")
    expect(place).toBe("/var/lib/postgresql/data")
    expect(Object.keys(volumes)).toContain(volume)
  })
})
