/**
 * What the package exports, as the compiler sees it: by subpath and name, with the documentation that an editor shows.
 */
import * as path from "node:path"
import ts from "typescript"

const root = path.resolve(import.meta.dirname, "../..")

/** Its place, as `effect-taskflow/http TaskHttp.layer`, or with a member, `TaskHttp.TaskHttpOptions.prefix`. */
export interface Documented {
  readonly name: string
  readonly text: string
  readonly optional: boolean
}

const barrels = ["index", "sqlite", "postgres", "mysql", "redis", "sql", "http", "observers", "testing"]

// Those whose members people write down or call: options, and the services and handles of the package.
const isLookedInto = (name: string): boolean =>
  /(Options|Settings|Ways|When|Query)$/.test(name) ||
  ["TaskManager", "BackgroundTasks", "TaskSchedules", "TaskHost", "TaskAuth", "PasswordAuth", "Task", "Current"]
    .includes(name)

export interface PublicApi {
  readonly exports: ReadonlyArray<Documented>
  readonly members: ReadonlyArray<Documented>
}

/** What every subpath exports. */
export const files: ReadonlyArray<string> = barrels.map((name) => path.join(root, `src/${name}.ts`))

/** Reads them in a program that has these files. */
export const read = (program: ts.Program): PublicApi => {
  const checker = program.getTypeChecker()
  const exported: Array<Documented> = []
  const members: Array<Documented> = []
  const seen = new Set<ts.Symbol>()

  const textOf = (symbol: ts.Symbol): string => ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const isOurs = (symbol: ts.Symbol): boolean =>
    (symbol.declarations ?? []).some((one) => one.getSourceFile().fileName.startsWith(`${root}/src/`))
  const isOptional = (symbol: ts.Symbol): boolean => (symbol.flags & ts.SymbolFlags.Optional) !== 0
  const resolved = (symbol: ts.Symbol): ts.Symbol =>
    (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol

  // Members that are written as a literal in their place are looked into as well.
  const literalOf = (symbol: ts.Symbol): ts.Type | undefined => {
    const declaration = symbol.declarations?.[0]
    if (declaration === undefined || !ts.isPropertySignature(declaration) || declaration.type === undefined) {
      return undefined
    }
    const nodes = ts.isUnionTypeNode(declaration.type) ? declaration.type.types : [declaration.type]
    const literal = nodes.find(ts.isTypeLiteralNode)
    return literal === undefined ? undefined : checker.getTypeFromTypeNode(literal)
  }
  const membersOf = (name: string, type: ts.Type): void => {
    for (const one of type.isUnion() ? type.types : [type]) {
      for (const member of one.getProperties().filter(isOurs)) {
        // Of what a symbol names the compiler makes `__@TypeId@109`.
        const at = `${name}.${member.name.replace(/^__@(\w+)@\d+$/, "[$1]")}`
        const known = members.find((other) => other.name === at)
        // Of alternatives, one says what it is.
        if (known === undefined) members.push({ name: at, text: textOf(member), optional: isOptional(member) })
        else if (known.text === "") members[members.indexOf(known)] = { ...known, text: textOf(member) }
        const literal = literalOf(member)
        if (literal !== undefined) membersOf(at, literal)
      }
    }
  }
  const shapeOf = (symbol: ts.Symbol): ts.Type => {
    // The service behind a tag is what its class extends.
    const declaration = symbol.declarations?.find(ts.isClassDeclaration)
    if (declaration !== undefined) {
      const service = checker.getTypeOfSymbol(symbol).getProperty("Service") ??
        checker.getTypeOfSymbol(symbol).getProperty("Type")
      if (service !== undefined) return checker.getTypeOfSymbol(service)
    }
    return checker.getDeclaredTypeOfSymbol(symbol)
  }

  const walk = (at: string, symbol: ts.Symbol): void => {
    for (const one of checker.getExportsOfModule(symbol)) {
      const name = `${at}${one.name}`
      const target = resolved(one)
      if ((target.flags & ts.SymbolFlags.ValueModule) !== 0) {
        walk(`${name}.`, target)
        continue
      }
      if (!isOurs(target)) continue
      exported.push({ name, text: textOf(one) || textOf(target), optional: false })
      if (seen.has(target) || !isLookedInto(one.name)) continue
      seen.add(target)
      const kinds = ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class
      if ((target.flags & kinds) !== 0) membersOf(name, shapeOf(target))
    }
  }

  for (const [index, file] of files.entries()) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)
    if (module === undefined) throw new Error(`${file} exports nothing`)
    walk(`${barrels[index] === "index" ? "" : `${barrels[index]}: `}`, module)
  }
  return { exports: exported, members }
}
