// The public API of each subpath as text, made from the declarations in dist: what is exported, by module and by name, without comments;
// then what is not exported and yet seen, because a type of the former names it. The same declarations give the same text, and a
// change of one is a change of its own lines.
import { join, relative } from "node:path"
import ts from "typescript"

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed })
const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

/** One program for all subpaths: `entries` are files of declarations. What types come to is not asked, so it needs no library. */
export const programOf = (entries) =>
  ts.createProgram({
    rootNames: entries,
    options: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      noEmit: true,
      noLib: true,
      types: []
    }
  })

/** What a symbol stands for, behind imports and re-exports. */
const resolved = (checker, symbol) =>
  (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)

const isModule = (symbol) => symbol.declarations?.some(ts.isSourceFile) ?? false

/** Every symbol that somebody can name, of all subpaths. */
export const publicSymbols = (program, entries) => {
  const checker = program.getTypeChecker()
  const found = new Set()
  const visit = (module) => {
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = resolved(checker, exported)
      if (found.has(symbol)) continue
      found.add(symbol)
      if (isModule(symbol)) visit(symbol)
    }
  }
  for (const entry of entries) visit(checker.getSymbolAtLocation(program.getSourceFile(entry)))
  return found
}

/** `@deprecated` is the one comment that belongs to a report. */
const deprecation = (node) => {
  const tag = ts.getJSDocDeprecatedTag(node)
  const said = tag === undefined ? "" : ts.getTextOfJSDocComment(tag.comment) ?? ""
  return tag === undefined ? "" : `/** @deprecated ${said.replace(/\s+/g, " ")} */\n`
}

/** A variable with the words around it: `export declare const`. */
const statementOf = (node) => ts.isVariableDeclaration(node) ? node.parent.parent : node

const textOf = (node) => {
  const statement = statementOf(node)
  const text = printer.printNode(ts.EmitHint.Unspecified, statement, node.getSourceFile())
  return deprecation(statement) + text.replace(/^export /, "").replace(/^(default )?declare /, "$1")
}

/** The report of one subpath. `root` is where its paths are seen from, `known` what `publicSymbols` found. */
export const reportOf = (program, entry, title, root, known) => {
  const checker = program.getTypeChecker()
  const own = join(root, "dist/")
  const isOurs = (symbol) => symbol.declarations?.some((node) => node.getSourceFile().fileName.startsWith(own)) ?? false
  const behind = new Map()

  // What a declaration names of ours and nobody can import. A name is what it is behind all aliases.
  const collect = (node) => {
    ts.forEachChild(node, function visit(child) {
      if (ts.isIdentifier(child)) {
        const at = checker.getSymbolAtLocation(child)
        const symbol = at === undefined ? undefined : resolved(checker, at)
        const isDeclared = symbol?.declarations?.some((one) =>
          statementOf(one).parent?.kind === ts.SyntaxKind.SourceFile
        )
        if (isDeclared && isOurs(symbol) && !isModule(symbol) && !known.has(symbol) && !behind.has(symbol)) {
          behind.set(symbol, null)
          for (const one of symbol.declarations) collect(statementOf(one))
        }
      }
      ts.forEachChild(child, visit)
    })
  }

  const blockOf = (symbol) => {
    const nodes = [...new Set((symbol.declarations ?? []).map(statementOf))]
    return nodes.map(textOf).join("\n")
  }

  const sections = []
  const visit = (module, heading, isFirst) => {
    const exported = checker.getExportsOfModule(module).sort((a, b) => byName(a.name, b.name))
    const lines = []
    const inner = []
    for (const one of exported) {
      const symbol = resolved(checker, one)
      if (isModule(symbol)) {
        inner.push([symbol, one.name])
        continue
      }
      for (const node of symbol.declarations ?? []) collect(statementOf(node))
      lines.push(one.name === symbol.name ? blockOf(symbol) : `// as ${one.name}\n${blockOf(symbol)}`)
    }
    if (lines.length > 0) sections.push(`${isFirst ? "" : `## ${heading}\n\n`}\`\`\`ts\n${lines.join("\n\n")}\n\`\`\``)
    for (const [symbol, name] of inner) visit(symbol, isFirst ? name : `${heading}.${name}`, false)
  }
  visit(checker.getSymbolAtLocation(program.getSourceFile(entry)), title, true)

  const files = new Map()
  for (const symbol of behind.keys()) {
    const file = relative(own, symbol.declarations[0].getSourceFile().fileName).replace(/\.d\.ts$/, "")
    files.set(file, [...(files.get(file) ?? []), symbol])
  }
  const unnamed = [...files].sort(([a], [b]) => byName(a, b)).map(([file, symbols]) => {
    const blocks = symbols.sort((a, b) => byName(a.name, b.name)).map(blockOf)
    return `### ${file}\n\n\`\`\`ts\n${blocks.join("\n\n")}\n\`\`\``
  })
  const rest = unnamed.length === 0 ? [] : ["## Not exported, and seen in the above", ...unnamed]
  return `# ${title}\n\nMade by \`npm run api\`.\n\n${[...sections, ...rest].join("\n\n")}\n`
}
