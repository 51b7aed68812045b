/** The short form of `npm run chaos`: real processes that are killed, stopped and busy, and a judge. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const script = fileURLToPath(new URL("chaos/run.mjs", import.meta.url))
const options = ["--seconds", "20", "--lease", "3", "--faults", "kill,freeze,block", "--seed", "7"]

it("a fleet that is killed, stopped and stalled keeps the contract", async () => {
  const ended = await new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((
    resolve
  ) =>
    execFile(
      process.execPath,
      [script, "chaos", ...options],
      { maxBuffer: 64 * 1_048_576 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    )
  )
  expect(ended.code, ended.stderr).toBe(0)
  expect(JSON.parse(ended.stdout)).toMatchObject({
    backend: "sqlite",
    seed: 7,
    violations: []
  })
}, 300_000)
