/**
 * Does what the Dockerfile of the order service says, without a container engine: each stage in a folder of its own, with the files that
 * COPY takes and nothing else. Then starts what came out as an ordinary user, asks for its health, and stops it.
 *
 * npm run try:image
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import {
  commandOf,
  copyOf,
  ignoredBy,
  type Instruction,
  parseDockerfile,
  type Stage,
  variablesOf
} from "./dockerfile.js"

const root = path.resolve(import.meta.dirname, "../..")
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8")
const stages = parseDockerfile(read("examples/orders/Dockerfile"))
const isIgnored = ignoredBy(read(".dockerignore"))
// Of the user `node` in the image.
const user = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {}
const port = "3999"

const work = fs.mkdtempSync(path.join(os.tmpdir(), "taskflow-image-"))
fs.chmodSync(work, 0o755)

/** Where a path of a stage's file system is here. */
const inStage = (name: string, file: string) => path.join(work, name, file)
const nameOf = (stage: Stage) => stage.name ?? "image"

const copy = (stage: Stage, workdir: string, instruction: Instruction) => {
  const { from, sources, to } = copyOf(instruction)
  for (const source of sources) {
    const at = from === null ? path.join(root, source) : inStage(from, source)
    const target = inStage(nameOf(stage), path.resolve(workdir, to))
    // A folder gives what is in it; several sources, or a target that ends with a slash, mean a folder to put them in.
    const isFolder = fs.statSync(at).isDirectory()
    const into = !isFolder && (to.endsWith("/") || sources.length > 1)
      ? path.join(target, path.basename(source))
      : target
    const wanted = (file: string) => from !== null || !isIgnored(path.relative(root, file))
    fs.cpSync(at, into, { recursive: true, filter: wanted, verbatimSymlinks: true })
  }
}

/** The variables and the command of the last stage, once everything is where it belongs. */
const make = (stage: Stage) => {
  let workdir = "/"
  let environment: Record<string, string> = {}
  const commands: Record<string, ReadonlyArray<string>> = {}
  for (const instruction of stage.instructions) {
    const { name, text } = instruction
    const from = Date.now()
    switch (name) {
      case "WORKDIR":
        workdir = text
        fs.mkdirSync(inStage(nameOf(stage), workdir), { recursive: true })
        break
      case "ENV":
        environment = { ...environment, ...variablesOf(instruction) }
        break
      case "COPY":
        copy(stage, workdir, instruction)
        break
      case "RUN":
        // The one that makes the place of the volume: its paths, and its user, are not of this machine.
        if (/^mkdir (\/\S+) && chown node:node \1$/.test(text)) {
          const place = inStage(nameOf(stage), text.split(" ")[1]!)
          fs.mkdirSync(place)
          if (user.uid !== undefined) fs.chownSync(place, user.uid, user.gid)
        } else {
          execFileSync("/bin/sh", ["-c", text], {
            cwd: inStage(nameOf(stage), workdir),
            env: { ...process.env, ...environment },
            stdio: ["ignore", "inherit", "inherit"]
          })
        }
        break
      case "HEALTHCHECK":
      case "CMD":
        commands[name] = commandOf(instruction)
        break
      case "USER":
      case "EXPOSE":
      case "VOLUME":
        break
      default:
        throw new Error(`scripts/image/try.ts does not know ${name}`)
    }
    console.log(`${nameOf(stage)}: ${name} ${text} (${((Date.now() - from) / 1000).toFixed(1)} s)`)
  }
  return { commands, environment, workdir }
}

const sizeOf = (folder: string): number =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0)

const healthy = async (service: ChildProcess, [command, ...args]: ReadonlyArray<string>, env: NodeJS.ProcessEnv) => {
  for (let tries = 0; tries < 100 && service.exitCode === null; tries += 1) {
    if (spawnSync(command!, args, { env }).status === 0) return
    await sleep(200)
  }
  throw new Error("the service does not become healthy")
}

let service: ChildProcess | undefined
try {
  const { commands, environment, workdir } = stages.map(make).at(-1)!
  const variables = Object.entries({ ...environment, PORT: port, HOST: "127.0.0.1", TASKFLOW_AUTH: "ada:secret" })
  // Nothing of this machine's environment, and the paths of the image are those of its folder.
  const env = Object.fromEntries(
    variables.map(([name, value]) => [name, value.replace(/^sqlite:\//, `sqlite:${inStage("image", "/")}`)])
  )
  const path_ = { PATH: process.env["PATH"] }
  const [command, ...args] = commands["CMD"]!
  service = spawn(command!, args, {
    cwd: inStage("image", workdir),
    env: { ...path_, ...env },
    stdio: ["ignore", "inherit", "inherit"],
    ...user
  })
  const exited = once(service, "exit")
  await healthy(service, commands["HEALTHCHECK"]!, { ...path_, ...env })
  const page = await fetch(`http://127.0.0.1:${port}/tasks/dashboard/runs`, {
    headers: { authorization: `Basic ${btoa("ada:secret")}` }
  })
  const forecast = await fetch(`http://127.0.0.1:${port}/forecasts`, {
    method: "POST",
    body: "{\"month\":\"2026-01\"}"
  })
  if (page.status !== 200 || forecast.status !== 202) throw new Error(`answers ${page.status} and ${forecast.status}`)
  const { taskId } = await forecast.json() as { readonly taskId: string }
  for (let status = ""; status !== "success"; await sleep(200)) {
    const task = await fetch(`http://127.0.0.1:${port}/tasks/${taskId}`, {
      headers: { authorization: `Basic ${btoa("ada:secret")}` }
    })
    status = (await task.json() as { readonly status: string }).status
    if (status === "failed") throw new Error("the thread did not do its work")
  }
  service.kill("SIGTERM")
  const [code] = await exited
  if (code !== 0) throw new Error(`SIGTERM ended it with ${code}`)
  console.log(
    `healthy, stopped by SIGTERM; what is in the image beside Node.js: ${
      (sizeOf(inStage("image", "/")) / 1_000_000).toFixed(0)
    } MB`
  )
} finally {
  service?.kill("SIGKILL")
  fs.rmSync(work, { recursive: true, force: true })
}
