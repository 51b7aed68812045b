/**
 * Keeps the documentation true: README.md and every page under docs/, without docs/site.
 *
 * Every ```ts block is compiled, each as a module of its own, all in one program. How to write one:
 *
 * - An HTML comment `<!-- prelude … -->` holds code that the later blocks of the page may use without showing it. It is
 *   put before each of them, without the names that the block imports or declares itself.
 * - A block that begins with the line `// name.ts` can be imported by the other blocks of its page as "./name.js".
 * - A block with a `yield*` at the left margin is the body of an `Effect.gen`; it has no imports of its own.
 * - BullMQ and pg-boss are those of test/bench/peers where they are installed, else what test/support/peers says of them.
 * - A block that opens with ```ts fails must not compile, and for each of its lines `// error: …` the compiler must give a
 *   message with that text.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { setImmediate } from "node:timers/promises"
import { OpenApi } from "@effect/platform"
import { TaskApi } from "effect-taskflow/http"
import ts from "typescript"
import { describe, expect, it } from "vitest"
import { slugOf } from "../docs/site/links.js"

const root = path.resolve(import.meta.dirname, "..")
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

const pages = [
  "README.md",
  ...fs.readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" })
    .map((name) => `docs/${name.split(path.sep).join("/")}`)
    // What the site is built with and from is not written by hand.
    .filter((file) => file.endsWith(".md") && !file.startsWith("docs/site/"))
    .sort()
]

// ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Block {
  readonly page: string
  /** Of the first line of code, counted from 1. */
  readonly line: number
  readonly code: string
  readonly fails: boolean
  readonly prelude: string
}

const blocksOf = (page: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  const lines = read(page).split("\n")
  let prelude = ""
  for (let index = 0; index < lines.length; index += 1) {
    const take = (end: string): string => {
      const from = index + 1
      do index += 1
      while (index < lines.length && lines[index] !== end)
      if (index === lines.length) throw new Error(`${page}:${from}: no line ${JSON.stringify(end)} follows`)
      return lines.slice(from, index).join("\n")
    }
    if (lines[index] === "<!-- prelude") prelude += `${take("-->")}\n`
    const fence = /^```(\w+)(.*)$/.exec(lines[index]!)
    if (fence === null) continue
    const line = index + 2
    const code = take("```")
    if (fence[1] === "ts") blocks.push({ page, line, code, fails: fence[2]!.trim() === "fails", prelude })
  }
  return blocks
}

const parse = (code: string): ts.SourceFile =>
  ts.createSourceFile("block.ts", code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS)

const namesOf = (statement: ts.Statement): ReadonlyArray<string> => {
  if (ts.isImportDeclaration(statement)) {
    const { name, namedBindings } = statement.importClause ?? {}
    const named = namedBindings === undefined
      ? []
      : ts.isNamespaceImport(namedBindings)
      ? [namedBindings.name.text]
      : namedBindings.elements.map((element) => element.name.text)
    return name === undefined ? named : [name.text, ...named]
  }
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => ts.isIdentifier(name) ? [name.text] : [])
  }
  return ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    ? statement.name === undefined ? [] : [statement.name.text]
    : []
}

/** The statement without the names that are taken; empty when none is left. */
const without = (statement: ts.Statement, taken: ReadonlySet<string>): string => {
  const text = statement.getText()
  const names = namesOf(statement)
  if (!names.some((name) => taken.has(name))) return text
  const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined
  if (bindings === undefined || !ts.isNamedImports(bindings)) return ""
  const kept = bindings.elements.filter(({ name }) => !taken.has(name.text)).map((element) => element.getText())
  return kept.length === 0 ? "" : text.replace(bindings.getText(), `{ ${kept.join(", ")} }`)
}

interface Module {
  readonly block: Block
  readonly file: string
  readonly text: string
  /** Lines before the block's first. */
  readonly offset: number
}

const moduleOf = (block: Block, index: number): Module => {
  const name = /^\/\/ ([\w-]+)\.ts$/.exec(block.code.split("\n")[0]!)?.[1] ?? `block-${index}`
  const body = /^(const .* = |return )?yield\*/m.test(block.code)
  const taken = new Set(parse(block.code).statements.flatMap(namesOf))
  const before = parse(block.prelude).statements.map((statement) => without(statement, taken))
  if (body) before.push("export const program = Effect.gen(function*() {")
  const head = before.filter((text) => text !== "").map((text) => `${text}\n`).join("")
  return {
    block,
    file: path.join(root, "docs-blocks", block.page, `${name}.ts`),
    text: `${head}${block.code}\n${body ? "})\n" : ""}`,
    offset: head.split("\n").length - 1
  }
}

const modules = pages.flatMap((page) => blocksOf(page).map(moduleOf))

interface Problem {
  readonly module: Module
  readonly at: string
  readonly message: string
}

const peer = (name: string, types: string): Array<string> => [
  path.join(root, "test/bench/peers/node_modules", name, types),
  path.join(root, "test/support/peers", `${name}.d.ts`)
]

const compile = async (): Promise<ReadonlyArray<Problem>> => {
  const config = ts.readConfigFile(path.join(root, "tsconfig.json"), (file) => fs.readFileSync(file, "utf8"))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const compilerOptions: ts.CompilerOptions = {
    ...options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: {
      bullmq: peer("bullmq", "dist/esm/index.d.ts"),
      "pg-boss": peer("pg-boss", "dist/index.d.ts")
    }
  }
  const host = ts.createCompilerHost(compilerOptions)
  const virtual = new Map(modules.map((module) => [module.file, module]))
  const { directoryExists, fileExists, getSourceFile, readFile } = host
  host.fileExists = (file) => virtual.has(file) || fileExists(file)
  host.readFile = (file) => virtual.get(file)?.text ?? readFile(file)
  host.directoryExists = (folder) => folder.startsWith(path.join(root, "docs-blocks")) || directoryExists!(folder)
  host.getSourceFile = (file, languageVersion, ...rest) => {
    const module = virtual.get(file)
    return module === undefined
      ? getSourceFile(file, languageVersion, ...rest)
      : ts.createSourceFile(file, module.text, languageVersion, true)
  }
  const program = ts.createProgram({ rootNames: [...virtual.keys()], options: compilerOptions, host })
  const problems: Array<Problem> = []
  for (const module of modules) {
    // The runner takes a thread for dead that does not answer for a minute.
    await setImmediate()
    const source = program.getSourceFile(module.file)!
    for (const diagnostic of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
      const line = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line - module.offset
      const where = `${module.block.page}:${module.block.line + line}`
      problems.push({
        module,
        at: line < 0 ? `${module.block.page}:${module.block.line} (its prelude)` : where,
        message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")
      })
    }
  }
  return problems
}

describe("code", () => {
  it("of every block compiles, and what must not compile says what the page says", { timeout: 300_000 }, async () => {
    expect(modules.length).toBeGreaterThan(60)
    expect(new Set(modules.map(({ file }) => file)).size).toBe(modules.length)
    const problems = await compile()
    const wrong = problems.filter(({ module }) => !module.block.fails).map(({ at, message }) => `${at}: ${message}`)
    for (const { block } of modules.filter(({ block }) => block.fails)) {
      const messages = problems.filter(({ module }) => module.block === block).map(({ message }) => message).join("\n")
      const expected = [...block.code.matchAll(/^\s*\/\/ error: (.*)$/gm)].map(([, text]) => text!)
      if (messages === "") wrong.push(`${block.page}:${block.line}: it compiles, but it must not`)
      if (expected.length === 0) wrong.push(`${block.page}:${block.line}: no line says // error: …`)
      for (const text of expected) {
        if (!messages.includes(text)) {
          wrong.push(`${block.page}:${block.line}: the compiler does not say ${text}\nbut\n${messages}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })
})

// ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const proseOf = (page: string): string =>
  read(page).replace(/^```[^]*?^```$/gm, "").replace(/^<!-- prelude[^]*?^-->$/gm, "")

const anchorsOf = (page: string): ReadonlyArray<string> =>
  [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slugOf(heading!))

describe("links", () => {
  const links = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ page, target: target! }))
  )

  it("that are relative lead to a file, and to a heading in it", () => {
    const relative = links.filter(({ target }) => !/^[a-z]+:/.test(target))
    expect(relative.length).toBeGreaterThan(30)
    const broken = relative.filter(({ page, target }) => {
      const [file = "", anchor] = target.split("#")
      const to = file === "" ? page : path.posix.join(path.posix.dirname(page), file)
      if (!fs.existsSync(path.join(root, to))) return true
      return anchor !== undefined && !anchorsOf(to).includes(anchor)
    })
    expect(broken.map(({ page, target }) => `${page}: ${target}`)).toEqual([])
  })

  it("of the index reach every page", () => {
    const reached = links.filter(({ page }) => page === "docs/index.md").map(({ target }) =>
      path.posix.join("docs", target.split("#")[0]!)
    )
    expect(pages.filter((page) => page.startsWith("docs/") && page !== "docs/index.md" && !reached.includes(page)))
      .toEqual([])
  })

  it("in code spans name files that are there", () => {
    const missing = pages.flatMap((page) =>
      [...proseOf(page).matchAll(/`((?:src|test|docs|examples)\/[\w./-]+)`/g)]
        .filter(([, file]) => !fs.existsSync(path.join(root, file!)))
        .map(([, file]) => `${page}: ${file}`)
    )
    expect(missing).toEqual([])
  })
})

describe("README.md", () => {
  it("has under 200 lines and names the two commands", () => {
    const lines = read("README.md").split("\n")
    expect(lines.length).toBeLessThan(200)
    expect(lines).toContain("npm ci && npm start")
    expect(lines.some((line) => /^[$ ]*npm (run )?test\b/.test(line))).toBe(true)
  })
})

describe("what the code says and a page repeats", () => {
  /** The property names of an interface; `logs.level` for those of an object inside. */
  const propertiesOf = (file: string, name: string): ReadonlyArray<string> => {
    const found = parse(read(file)).statements.find((statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name
    )
    const namesIn = (members: ReadonlyArray<ts.TypeElement>, before: string): ReadonlyArray<string> =>
      members.filter(ts.isPropertySignature).flatMap(({ name, type }) => {
        const types: ReadonlyArray<ts.TypeNode> = type !== undefined && ts.isUnionTypeNode(type) ? type.types : []
        const inner = types.find(ts.isTypeLiteralNode)
        const own = `${before}${name.getText()}`
        return inner === undefined ? [own] : namesIn(inner.members, `${own}.`)
      })
    return namesIn(found?.members ?? [], "")
  }

  it.each([
    ["docs/guide/define.md", "src/Task.ts", "Options"],
    ["docs/guide/enqueue.md", "src/internal/prepare.ts", "EnqueueOptions"],
    ["docs/guide/retry.md", "src/RetryPolicy.ts", "RetryOptions"],
    ["docs/guide/context-and-logs.md", "src/TaskContext.ts", "Current"],
    ["docs/guide/running.md", "src/TaskflowConfig.ts", "TaskflowOptions"],
    ["docs/guide/running.md", "src/backend/MemoryBackend.ts", "MemoryBackendOptions"],
    ["docs/guide/cpu-bound.md", "src/TaskflowConfig.ts", "PoolOptions"],
    ["docs/guide/observing.md", "src/TaskObserver.ts", "ObserverOptions"],
    ["docs/guide/schedules.md", "src/internal/scheduleOptions.ts", "Ways"],
    ["docs/guide/observing.md", "src/observer/FileObserver.ts", "FileObserverOptions"],
    ["docs/guide/observing.md", "src/observer/ConsoleObserver.ts", "ConsoleObserverOptions"],
    ["docs/guide/http.md", "src/http/TaskHttp.ts", "TaskHttpOptions"],
    ["docs/guide/auth.md", "src/http/auth/GuardOptions.ts", "GuardOptions"],
    ["docs/backends/sqlite.md", "src/backend/SqliteBackend.ts", "SqliteBackendOptions"],
    ["docs/backends/sqlite.md", "src/backend/SqlBackend.ts", "SqlBackendOptions"],
    ["docs/backends/postgres.md", "src/backend/SqlBackend.ts", "SqlBackendOptions"],
    ["docs/backends/mysql.md", "src/backend/SqlBackend.ts", "SqlBackendOptions"],
    ["docs/backends/redis.md", "src/backend/redis/options.ts", "RedisBackendOptions"],
    ["docs/backends/sql.md", "src/backend/SqlBackend.ts", "SqlBackendOptions"]
  ])("%s: every property of %s %s", (page, file, name) => {
    const properties = propertiesOf(file, name)
    expect(properties.length).toBeGreaterThan(0)
    expect(properties.filter((property) => !read(page).includes(`| \`${property}\` |`))).toEqual([])
  })

  it("docs/backends/writing-a-backend.md: every method of the port", () => {
    const page = read("docs/backends/writing-a-backend.md")
    const members = [...read("src/TaskBackend.ts").split("class TaskBackend ")[1]!.matchAll(/^ {2}readonly (\w+):/gm)]
    expect(members.length).toBeGreaterThan(10)
    expect(members.map(([, name]) => name!).filter((name) => !new RegExp(`^\\| \`${name}\\b`, "m").test(page))).toEqual(
      []
    )
  })

  // Parameters and shapes are in the reference, which is made from the API.
  it("docs/guide/http.md: every endpoint, and every error", () => {
    const page = read("docs/guide/http.md")
    const { components, paths } = OpenApi.fromApi(TaskApi.make("/tasks"))
    const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `| \`${method.toUpperCase()} ${path.slice("/tasks".length) || "/"}\` |`)
    )
    expect(endpoints.length).toBeGreaterThan(30)
    const errors = Object.entries(components.schemas).flatMap(([name, schema]) =>
      "properties" in schema && "_tag" in schema.properties && "message" in schema.properties && name !== "Issue"
        ? [`\`${name}\``]
        : []
    )
    expect(errors.length).toBeGreaterThan(20)
    const missing = [...endpoints, ...errors].filter((text) => !page.includes(text))
    expect(missing).toEqual([])
  })
})
