/** The sources as JavaScript, file by file, so that a process starts in a second: compiled anew for a file of tests. */
import * as fs from "node:fs"
import * as path from "node:path"
import { transform } from "esbuild"

const root = path.resolve(import.meta.dirname, "../..")

/** Compiles them into a folder of this process; answers where the command is, and how to remove it all. */
export const build = async (): Promise<{ readonly file: string; readonly remove: () => void }> => {
  // Below the repository, where its packages are found.
  const folder = path.join(import.meta.dirname, `dist/${process.pid}`)
  fs.mkdirSync(folder, { recursive: true })
  const sources = fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("dashboard"))
  await Promise.all(sources.map(async (name) => {
    const { code } = await transform(fs.readFileSync(path.join(root, "src", name), "utf8"), {
      loader: "ts",
      format: "esm",
      target: "es2022"
    })
    const file = path.join(folder, "src", name.replace(/\.ts$/, ".js"))
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, code)
  }))
  fs.copyFileSync(path.join(root, "package.json"), path.join(folder, "package.json"))
  // Where the server looks for the dashboard that was built.
  fs.symlinkSync(path.join(root, "dist"), path.join(folder, "dist"), "dir")
  return {
    file: path.join(folder, "src/cli.js"),
    remove: () => fs.rmSync(folder, { recursive: true, force: true })
  }
}
