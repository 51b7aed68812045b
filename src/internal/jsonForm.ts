/**
 * Whether a schema's encoded form, or one encoded value, survives being JSON text. Pure.
 *
 * A schema that type-checks can still lose data: a Map becomes `{}`, NaN becomes null, a Uint8Array an object of digits.
 * The form is looked at once per definition; what only a value can show (NaN, an `unknown` field) at each enqueue.
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** What is wrong, and where: `items[].price`. */
export interface Problem {
  readonly path: string
  readonly what: string
}

const describe = (ast: AST.AST): string => {
  const constructor = AST.getAnnotation<{ readonly _tag: string }>(AST.TypeConstructorAnnotationId)(ast)
  return AST.getIdentifierAnnotation(ast).pipe(
    Option.orElse(() => AST.getTitleAnnotation(ast)),
    Option.orElse(() => Option.map(constructor, ({ _tag }) => _tag)),
    Option.getOrElse(() => String(ast))
  )
}

const walk = (ast: AST.AST, path: string, inArray: boolean, seen: Set<AST.AST>): Problem | undefined => {
  const problem = (what: string): Problem => ({ path, what })
  const firstOf = <A>(items: Iterable<A>, check: (item: A) => Problem | undefined): Problem | undefined => {
    for (const item of items) {
      const found = check(item)
      if (found !== undefined) return found
    }
    return undefined
  }
  switch (ast._tag) {
    case "Declaration":
      return problem(`Declaration (${describe(ast)})`)
    case "BigIntKeyword":
      return problem("a bigint: use Schema.BigInt, which is stored as text")
    case "SymbolKeyword":
    case "UniqueSymbol":
      return problem("a symbol")
    case "Literal":
      return typeof ast.literal === "bigint" ? problem("a bigint literal") : undefined
    case "UndefinedKeyword":
    case "VoidKeyword":
      return inArray ? problem("undefined inside an array, which JSON turns into null") : undefined
    case "Refinement":
      return walk(ast.from, path, inArray, seen)
    case "Transformation":
      return walk(ast.from, path, inArray, seen)
    case "Suspend": {
      const inner = ast.f()
      if (seen.has(inner)) return undefined
      seen.add(inner)
      return walk(inner, path, inArray, seen)
    }
    case "Union":
      return firstOf(ast.types, (member) => walk(member, path, inArray, seen))
    case "TupleType":
      return firstOf([...ast.elements, ...ast.rest], (element) => walk(element.type, `${path}[]`, true, seen))
    case "TypeLiteral":
      return firstOf(ast.propertySignatures, ({ name, type }) =>
        typeof name === "symbol"
          ? problem(`a symbol as key (${String(name)})`)
          : walk(type, path === "" ? String(name) : `${path}.${String(name)}`, false, seen)) ??
        firstOf(ast.indexSignatures, ({ parameter, type }) => {
          const below = path === "" ? "*" : `${path}.*`
          return AST.encodedAST(parameter)._tag === "SymbolKeyword"
            ? { path: below, what: "a symbol as key" }
            : walk(type, below, false, seen)
        })
    default:
      return undefined
  }
}

/** The first part of the schema's encoded form that is not JSON, or undefined. */
export const problemOfSchema = (schema: Schema.Schema.All): Problem | undefined =>
  walk(schema.ast, "", false, new Set())

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** What is wrong, and the keys that lead there, innermost first. Almost nothing is wrong, so no path is made on the way. */
interface Found {
  readonly what: string
  readonly keys: Array<string | number>
}

const found = (what: string): Found => ({ what, keys: [] })

const within = (key: string | number, problem: Found): Found => {
  problem.keys.push(key)
  return problem
}

const find = (value: unknown, depth: number): Found | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined
    case "number":
      return Number.isFinite(value) ? undefined : found(`${value} is not a JSON number`)
    case "object":
      break
    default:
      return found(`a ${typeof value} is not JSON`)
  }
  if (value === null) return undefined
  if (depth > 512) return found("nested deeper than 512 levels, or circular")
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const problem = value[index] === undefined
        ? found("undefined inside an array is not JSON")
        : find(value[index], depth + 1)
      if (problem !== undefined) return within(index, problem)
    }
    return undefined
  }
  if (!isPlain(value)) return found(`a ${value.constructor?.name ?? "class instance"} is not JSON`)
  for (const key of Object.keys(value)) {
    // safe: a key of this very object
    const problem = find((value as Record<string, unknown>)[key], depth + 1)
    if (problem !== undefined) return within(key, problem)
  }
  return undefined
}

/** The first part of an encoded value that JSON would change, or undefined. */
export const problemOfValue = (value: unknown): Problem | undefined => {
  const problem = find(value, 0)
  if (problem === undefined) return undefined
  const path = problem.keys.reduceRight<string>(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`,
    ""
  )
  return { path, what: problem.what }
}
