/**
 * Makes the pages of the site that are not written by hand, into docs/site/generated: the reference from the docstrings, the
 * examples with their code, the home page with the code of README.md.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { Application } from "typedoc"
import { nameModules } from "./typedocModules.mjs"

const site = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(site, "../..")
const generated = path.join(site, "generated")

const read = (file) => readFileSync(path.join(root, file), "utf8")
const write = (file, text) => {
  const to = path.join(generated, file)
  mkdirSync(path.dirname(to), { recursive: true })
  writeFileSync(to, text)
}

rmSync(generated, { recursive: true, force: true })

// ── examples ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The header of a file, which says what it shows and how to run it, and the code behind it. */
const headerOf = (code) => {
  const header = /^\/\*\*\n([^]*?)\n \*\/\n/.exec(code)
  if (header === null) return { code, text: "" }
  return { code: code.slice(header[0].length), text: header[1].replace(/^ \* ?/gm, "").trim() }
}

const codeOf = (code) => `\`\`\`ts\n${code.trim()}\n\`\`\`\n`

const fileOf = (file) => {
  const { code, text } = headerOf(read(file))
  return `### ${path.basename(file)}\n\n${text}\n\n${codeOf(code)}`
}

const titles = new Map(
  [...read("docs/index.md").matchAll(/\[([^\]]+)\]\(\.\.\/examples\/(\d+-[\w-]+\.ts)\)/g)].map((
    [, text, file]
  ) => [file, text])
)

const files = readdirSync(path.join(root, "examples"))
for (const file of files.filter((name) => /^\d+-[\w-]+\.ts$/.test(name))) {
  const { code, text } = headerOf(read(`examples/${file}`))
  const name = file.replace(/\.ts$/, "")
  if (text === "") throw new Error(`examples/${file} has no header that says what it shows`)
  const [about, ...behind] = text.split("\n\n")
  const title = titles.get(file) ?? name
  const others = files.filter((other) => other.startsWith(`${name}.`) && other !== file)
  write(
    `examples/${name}.md`,
    `---
source: examples/${file}
aside: false
---

# ${title.charAt(0).toUpperCase()}${title.slice(1)}

${about.replaceAll("\n", " ")}

${behind.map((part) => /^(node|npm|npx|curl|[A-Z_]+=)/.test(part) ? `\`\`\`sh\n${part}\n\`\`\`` : part).join("\n\n")}

In a clone of the repository, \`examples/${file}\`:

${codeOf(code)}
${others.map((other) => fileOf(`examples/${other}`)).join("\n")}`
  )
}

const orders = readdirSync(path.join(root, "examples/orders")).filter((file) => file.endsWith(".ts"))
write(
  "examples/orders.md",
  `---
source: examples/README.md
---

${read("examples/README.md").trimEnd()}

## The order service

${orders.map((file) => fileOf(`examples/orders/${file}`)).join("\n")}`
)

// ── other pages ──────────────────────────────────────────────────────────────────────────────────────────────────────

for (const name of ["CONTRIBUTING", "SECURITY"]) {
  write(`${name.toLowerCase()}.md`, `---\nsource: ${name}.md\n---\n\n${read(`${name}.md`)}`)
}

const thirtySeconds = /^## Thirty seconds\n+(```ts\n[^]*?\n```)$/m.exec(read("README.md"))?.[1]
if (thirtySeconds === undefined) throw new Error("README.md has no code under \"Thirty seconds\"")
write(
  "index.md",
  readFileSync(path.join(site, "home.md"), "utf8").replace("<!-- thirty seconds -->", () => thirtySeconds)
)

cpSync(path.join(root, "src/dashboard/icon.svg"), path.join(generated, "public/icon.svg"))

// ── reference ────────────────────────────────────────────────────────────────────────────────────────────────────────

const app = await Application.bootstrapWithPlugins({ options: path.join(site, "typedoc.json") })
nameModules(app)
const project = await app.convert()
if (project === undefined) throw new Error("TypeDoc could not read the sources")
app.validate(project)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("TypeDoc complains, see above")

const subpaths = [...read("README.md").matchAll(/^\| `(effect-taskflow(?:\/(\w+))?)` \| ([^|]*) \|/gm)]
if (subpaths.length < 9) throw new Error("README.md has no table of subpaths")
write(
  "api/index.md",
  `# API reference

Made from the docstrings. A subpath of the package is a group; \`Task\`, \`TaskRecord\` and the like are namespaces, imported by
name and used as \`Task.make\`. What the words mean is in [the guide](../guide/getting-started.md).

| import | what is in it |
|---|---|
${
    subpaths.map(([, name, folder, what]) =>
      `| [\`${name}\`](${folder ?? "effect-taskflow"}/index.md) | ${what.trim()} |`
    ).join("\n")
  }

The endpoints of the HTTP API are in the [HTTP reference](../reference/http.md).
`
)
