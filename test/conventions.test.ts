import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = path.resolve(import.meta.dirname, "..")
const vocabulary = new Set(["TaskId", "TaskStatus", "TaskEvent", "TaskRecord", "TaskError", "RetryPolicy"])
const adapterFolders = ["backend", "http", "observer", "executor"]
const forbiddenFromIndex =
  /^(@effect\/sql([-/]|$)|(ioredis|pg|mysql2|better-sqlite3|@effect\/experimental|@effect\/platform-node|vitest|@effect\/vitest)(\/|$))/
// What only some subpaths need, so that nobody else has to install it.
const ofDatabases = /^(@effect\/(sql([-/]|$)|experimental(\/|$))|(pg|mysql2|better-sqlite3|ioredis)(\/|$))/
/** What only the command line needs; it loads the last two through the first. */
const ofCommandLine = ["@effect/cli", "@effect/platform-node", "@effect/printer", "@effect/printer-ansi"]
const loadedByOthers = ["@effect/printer", "@effect/printer-ansi"]
// These have no modules to name.
const ofOneModule = new Set(["ioredis"])
/** What each subpath may load beyond what every user has. */
const neededBy: Readonly<Record<string, ReadonlyArray<string>>> = {
  index: [],
  http: [],
  observers: [],
  testing: [],
  sql: ["@effect/sql"],
  sqlite: ["@effect/experimental", "@effect/sql", "@effect/sql-sqlite-node"],
  postgres: ["@effect/experimental", "@effect/sql", "@effect/sql-pg"],
  mysql: ["@effect/experimental", "@effect/sql", "@effect/sql-mysql2"],
  redis: ["ioredis"]
}

interface Source {
  /** Path from the repository root, with forward slashes. */
  readonly file: string
  readonly lines: number
  readonly tree: ts.SourceFile
  /** Every module specifier: static, dynamic, `import type` and `import("…").T`, since declarations load those too. */
  readonly specifiers: ReadonlyArray<string>
}

const sources = new Map(
  fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name.split(path.sep).join("/")}`)
    .filter((file) => /\.tsx?$/.test(file))
    .sort()
    .map((file) => [file, parse(file)])
)
const files = Array.from(sources.values())

function parse(file: string): Source {
  const text = fs.readFileSync(path.join(root, file), "utf8")
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const specifiers: Array<string> = []
  walk(tree, (node) => {
    const specifier = specifierOf(node)
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) specifiers.push(specifier.text)
  })
  return { file, lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0), tree, specifiers }
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
  if (ts.isExternalModuleReference(node)) return node.expression
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0]
  return undefined
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

const isRelative = (specifier: string) => specifier.startsWith(".")

/** The source file a relative specifier of `from` names; "./X.js" is written for X.ts, or for X.tsx in the dashboard. */
const resolve = (from: string, specifier: string) => {
  const file = path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, ".ts")
  return sources.has(file) || !sources.has(`${file}x`) ? file : `${file}x`
}

const relativeImports = (source: Source) =>
  source.specifiers.filter(isRelative).map((specifier) => resolve(source.file, specifier))

/** "@effect/sql/SqlClient" is of "@effect/sql"; null for what comes with Node.js. */
const packageOf = (specifier: string): string | null =>
  specifier.startsWith("node:") ? null : /^(@[^/]+\/)?[^/]+/.exec(specifier)![0]

const packagesOf = (source: Source) =>
  source.specifiers.filter((specifier) => !isRelative(specifier)).flatMap((specifier) => packageOf(specifier) ?? [])

/** The web app: bundled for browsers, and no part of what Node.js loads. */
const isDashboard = (file: string) => file.startsWith("src/dashboard/")
const ofNode = files.filter(({ file }) => !isDashboard(file))
const ofBrowser = files.filter(({ file }) => isDashboard(file))
/** The one file that reads the clock of the browser. */
const browserClock = "src/dashboard/clock.ts"

const folderOf = (file: string) => /^src\/([^/]+)\//.exec(file)?.[1]
const stemOf = (file: string) => /^src\/([^/]+)\.ts$/.exec(file)?.[1]

/** Files reachable from `entry`, each with the chain of files that leads to it. */
const reachableFrom = (entry: string) => {
  const chains = new Map([[entry, [entry]]])
  for (const [file, chain] of chains) {
    const source = sources.get(file)
    for (const next of source === undefined ? [] : relativeImports(source)) {
      if (!chains.has(next)) chains.set(next, [...chain, next])
    }
  }
  return chains
}

describe("source tree", () => {
  it("is there", () => {
    expect(files.length).toBeGreaterThanOrEqual(10)
    expect(sources.has("src/index.ts")).toBe(true)
  })

  it("has no file over 300 lines", () => {
    expect(files.filter(({ lines }) => lines > 300).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([])
  })

  it("reads no wall clock and writes to no console", () => {
    const found: Array<string> = []
    for (const { file, tree } of files) {
      walk(tree, (node) => {
        const wallClock = (ts.isCallExpression(node) && node.expression.getText(tree) === "Date.now")
          || (ts.isNewExpression(node) && node.expression.getText(tree) === "Date" && !node.arguments?.length)
        const console = ts.isPropertyAccessExpression(node) && node.expression.getText(tree) === "console"
        if (wallClock && file !== browserClock || console) {
          const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree))
          found.push(`${file}:${line + 1}: ${node.getText(tree)}`)
        }
      })
    }
    expect(found).toEqual([])
  })
})

describe("imports", () => {
  it("that are relative end with .js and name a source file", () => {
    const broken = files.flatMap(({ file, specifiers }) =>
      specifiers
        .filter((specifier) => isRelative(specifier) && !(isDashboard(file) && specifier.endsWith(".css")))
        .filter((specifier) => !specifier.endsWith(".js") || !sources.has(resolve(file, specifier)))
        .map((specifier) => `${file}: ${specifier}`)
    )
    expect(broken).toEqual([])
  })

  it("reachable from index.ts load no driver, no platform and no test runner", () => {
    const chains = reachableFrom("src/index.ts")
    expect(chains.size).toBeGreaterThanOrEqual(10)
    const found = Array.from(chains).flatMap(([file, chain]) =>
      (sources.get(file)?.specifiers ?? [])
        .filter((specifier) => forbiddenFromIndex.test(specifier))
        .map((specifier) => [...chain, specifier].join(" -> "))
    )
    expect(found).toEqual([])
  })

  it("of a database's packages are in src/backend alone, and name the module, not the package", () => {
    const found = files.flatMap(({ file, specifiers }) =>
      specifiers
        .filter((specifier) => ofDatabases.test(specifier))
        .filter((specifier) =>
          folderOf(file) !== "backend" || packageOf(specifier) === specifier && !ofOneModule.has(specifier)
        )
        .map((specifier) => `${file}: ${specifier}`)
    )
    expect(found).toEqual([])
  })

  it("of the command line's packages are in src/cli alone", () => {
    const found = files.flatMap((source) =>
      packagesOf(source)
        .filter((name) => ofCommandLine.includes(name) && folderOf(source.file) !== "cli")
        .map((name) => `${source.file}: ${name}`)
    )
    expect(found).toEqual([])
  })

  it("of what starts before its packages were looked for are Node.js and our own", () => {
    const loaded = [...sources.get("src/cli.ts")!.specifiers.filter((specifier) => specifier !== "./cli/main.js")]
    expect(loaded).toEqual(["./cli/packages.js"])
    expect(packagesOf(sources.get("src/cli/packages.ts")!)).toEqual([])
  })

  const readme = fs.readFileSync(path.join(root, "README.md"), "utf8")

  it("of each subpath load only the packages that README.md says it needs", () => {
    for (const [barrel, needed] of Object.entries(neededBy)) {
      const loaded = [...reachableFrom(`src/${barrel}.ts`).keys()].flatMap((file) => {
        const source = sources.get(file)
        return source === undefined ? [] : packagesOf(source).filter((name) => ofDatabases.test(name))
      })
      expect([...new Set(loaded)].sort(), barrel).toEqual(needed)
      const subpath = barrel === "index" ? "effect-taskflow" : `effect-taskflow/${barrel}`
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${subpath}\` |`))
      const installed = [...(row ?? "").matchAll(/((?:@[\w-]+\/)?[\w-]+)@\d/g)].map(([, name]) => name!)
      expect(installed.sort(), `README.md: ${subpath}`).toEqual(needed)
    }
  })

  it("of the vocabulary are vocabulary or internal", () => {
    const isVocabulary = (file: string) => vocabulary.has(stemOf(file) ?? "")
    const words = files.filter(({ file }) => isVocabulary(file))
    expect(words.map(({ file }) => stemOf(file)).sort()).toEqual(Array.from(vocabulary).sort())
    const found = words.flatMap((source) =>
      relativeImports(source)
        .filter((target) => !isVocabulary(target) && folderOf(target) !== "internal")
        .map((target) => `${source.file} -> ${target}`)
    )
    expect(found).toEqual([])
  })

  it("of an adapter never name another kind of adapter", () => {
    const isAdapter = (file: string) => adapterFolders.includes(folderOf(file) ?? "")
    const found = files.filter(({ file }) => isAdapter(file)).flatMap((source) =>
      relativeImports(source)
        .filter((target) => isAdapter(target) && folderOf(target) !== folderOf(source.file))
        .map((target) => `${source.file} -> ${target}`)
    )
    expect(found).toEqual([])
  })
})

describe("the dashboard", () => {
  const packages = /^(preact|@preact\/signals|@tanstack\/virtual-core|uplot)$/
  // Parts of the server that load nothing, and were written for browsers too.
  const shared = /^src\/http\/(filter|stream)\//
  const loads = (source: Source): ReadonlyArray<string> => {
    const specifiers: Array<string> = []
    walk(source.tree, (node) => {
      const isType = (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly === true)
        || (ts.isExportDeclaration(node) && node.isTypeOnly)
      const specifier = ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ? node.moduleSpecifier : undefined
      if (!isType && specifier !== undefined && ts.isStringLiteralLike(specifier)) specifiers.push(specifier.text)
    })
    return specifiers
  }

  it("is loaded by nothing else", () => {
    const found = ofNode.flatMap((source) =>
      relativeImports(source).filter(isDashboard).map((target) => `${source.file} -> ${target}`)
    )
    expect(found).toEqual([])
  })

  it("bundles four packages, and of the server what loads nothing; the rest are types", () => {
    const found = ofBrowser.flatMap((source) =>
      loads(source)
        .filter((specifier) =>
          isRelative(specifier)
            ? !isDashboard(resolve(source.file, specifier)) && !shared.test(resolve(source.file, specifier))
            : !packages.test(packageOf(specifier) ?? "")
        )
        .map((specifier) => `${source.file}: ${specifier}`)
    )
    expect(found).toEqual([])
    const pulled = [...reachableAtRunTime("src/dashboard/main.tsx")].filter((file) => !isDashboard(file))
    expect(pulled.filter((file) => !shared.test(file))).toEqual([])
    expect(pulled.flatMap((file) => loads(sources.get(file)!).filter((specifier) => !isRelative(specifier)))).toEqual(
      []
    )
  })

  function reachableAtRunTime(entry: string): ReadonlySet<string> {
    const reached = new Set([entry])
    for (const file of reached) {
      const source = sources.get(file)
      for (const specifier of source === undefined ? [] : loads(source).filter(isRelative)) {
        if (specifier.endsWith(".js")) reached.add(resolve(file, specifier))
      }
    }
    return reached
  }
})

describe("package.json", () => {
  type Target = null | string | Readonly<Record<string, string>>
  type Versions = Readonly<Record<string, string>>
  const { bin, dependencies, devDependencies, exports, files: published, peerDependencies, peerDependenciesMeta }: {
    readonly bin: Versions
    readonly dependencies: Versions
    readonly devDependencies: Versions
    readonly exports: Readonly<Record<string, Target>>
    readonly files: ReadonlyArray<string>
    readonly peerDependencies: Versions
    readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
  } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))

  // A lower-case file directly under src/ is a barrel, or a command; modules are PascalCase.
  const commands = Object.values(bin).map((file) => /^\.\/dist\/([a-z]+)\.js$/.exec(file)?.[1])
  const barrels = files.map(({ file }) => stemOf(file)).filter((stem) =>
    stem !== undefined && /^[a-z]/.test(stem) && !commands.includes(stem)
  )

  it("has one command, which Node.js runs", () => {
    expect(Object.keys(bin)).toEqual(["effect-taskflow"])
    expect(sources.get("src/cli.ts")?.tree.text).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it("exports exactly the barrels", () => {
    expect(barrels).toContain("index")
    const expected: Record<string, Target> = { "./internal/*": null, "./package.json": "./package.json" }
    for (const barrel of barrels) {
      expected[barrel === "index" ? "." : `./${barrel}`] = {
        "@effect-taskflow/source": `./src/${barrel}.ts`,
        types: `./dist/${barrel}.d.ts`,
        default: `./dist/${barrel}.js`
      }
    }
    expect(exports).toEqual(expected)
  })

  it("says of every subpath what it needs", () => {
    expect(Object.keys(neededBy).sort()).toEqual([...barrels].sort())
  })

  it("names every package that src loads, and as optional those that only a database or the command line needs", () => {
    const loaded = [...new Set([...ofNode.flatMap(packagesOf), ...loadedByOthers])].sort()
    // What the dashboard loads is in its bundle.
    expect(ofBrowser.flatMap(packagesOf).filter((name) => !(name in devDependencies))).toEqual([])
    expect(loaded).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort())
    const optional = Object.keys(peerDependenciesMeta).filter((name) => peerDependenciesMeta[name]!.optional).sort()
    expect(optional).toEqual(loaded.filter((name) => ofDatabases.test(name) || ofCommandLine.includes(name)))
    const ofSubpaths = [...new Set(Object.values(neededBy).flat())].sort()
    expect(ofSubpaths).toEqual(optional.filter((name) => !ofCommandLine.includes(name)))
  })

  it("is tested with the oldest version of each peer that it allows", () => {
    const oldest = Object.entries(peerDependencies).map(([name, range]) => [name, range.replace(/^\^/, "")])
    expect(Object.fromEntries(oldest)).toEqual(
      Object.fromEntries(Object.keys(peerDependencies).map((name) => [name, devDependencies[name]]))
    )
  })

  it("lists the conditions of an export in the order they must be tried", () => {
    const orders = Object.values(exports).flatMap((target) =>
      target !== null && typeof target === "object" ? [Object.keys(target).join(", ")] : []
    )
    expect(new Set(orders)).toEqual(new Set(["@effect-taskflow/source, types, default"]))
  })

  it("publishes the build and the sources its maps point to", () => {
    expect(published).toEqual(["dist", "src", "!src/dashboard"])
  })

  it("exports barrels that only re-export", () => {
    const found = files.filter(({ file }) => barrels.includes(stemOf(file))).flatMap(({ file, tree }) =>
      tree.statements.filter((statement) =>
        !ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined
      )
        .map((statement) => `${file}: ${statement.getText(tree).split("\n")[0]}`)
    )
    expect(found).toEqual([])
  })
})
