// An empty project of a stranger that installs the packed package: once, with everything. For each trial what that trial may not
// have is moved aside, so the rest is what npm would have installed, and nothing is installed twice.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"

export const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

/** Without scripts: a native addon would be compiled each time. The trial of SQLite uses one that is built already. */
export const install = (project, tarball, packages) => {
  mkdirSync(project)
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  const options = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  run("npm", ["install", ...options, tarball, ...packages], project)
  const { packages: installed } = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"))
  return { project, installed }
}

const requiredPeers = ({ peerDependencies = {}, peerDependenciesMeta = {} }) =>
  Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)

/** Where `name` is for the package at `from`: nearest first, as Node.js looks. */
const locate = (installed, from, name) => {
  for (let at = from; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (`${at}/node_modules/${name}` in installed) return `${at}/node_modules/${name}`
  }
  return `node_modules/${name}`
}

/** What an install of these names brings: their dependencies, and the peers that they require. */
export const closureOf = (installed, names) => {
  const reached = new Set(names.map((name) => `node_modules/${name}`))
  for (const path of reached) {
    const found = installed[path]
    assert(found !== undefined, `${path} is not installed`)
    const { dependencies = {}, optionalDependencies = {} } = found
    for (const name of [...Object.keys(dependencies), ...requiredPeers(found)]) {
      const at = locate(installed, path, name)
      // Those for other platforms are listed as dependencies too.
      if (at in installed || !(name in optionalDependencies)) reached.add(at)
    }
    for (const name of Object.keys(optionalDependencies)) {
      const at = locate(installed, path, name)
      if (at in installed) reached.add(at)
    }
  }
  return reached
}

const move = (from, to) => {
  if (!existsSync(from)) return
  mkdirSync(dirname(to), { recursive: true })
  renameSync(from, to)
}

/** Runs `use` while only these names, and what they bring, are there. */
export const withOnly = ({ installed, project }, names, use) => {
  const kept = closureOf(installed, names)
  const others = Object.keys(installed).filter((path) => !kept.has(path) && path.lastIndexOf("node_modules/") === 0)
  const aside = `${project}-aside`
  for (const path of others) move(join(project, path), join(aside, path))
  try {
    return use(kept)
  } finally {
    for (const path of others) move(join(aside, path), join(project, path))
  }
}

/** A program in the project; what it prints. */
export const runProgram = (project, file, code, args = []) => {
  writeFileSync(join(project, file), code)
  return run(process.execPath, [file, ...args], project)
}
