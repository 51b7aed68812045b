/** The short form of `npm run chaos:schedule`: processes that are killed, stopped and stalled, and a judge. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const script = fileURLToPath(new URL("chaos/run.mjs", import.meta.url))
const options = ["--seconds", "4", "--every", "100", "--lease", "1", "--stall", "1", "--seed", "7"]

it("a schedule in a fleet that is killed, stopped and stalled fires each slot once", async () => {
  const ended = await new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((
    resolve
  ) =>
    execFile(
      process.execPath,
      [script, "schedule", ...options],
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    )
  )
  expect(ended.code, ended.stderr).toBe(0)
  expect(JSON.parse(ended.stdout)).toMatchObject({ backend: "sqlite", misfire: "all", twice: 0, missing: 0 })
}, 90_000)
