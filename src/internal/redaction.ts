/**
 * Where a schema holds secrets, and how to keep them out of what people see. Pure.
 *
 * A place is secret when its schema is `Schema.Redacted(…)`. A pattern is a list of steps: a key, `[]` for any index, `*`
 * for any key, `**` for everything below.
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** A path in which `[]`, `*` and `**` stand for many. */
export type Pattern = ReadonlyArray<string>

/** What is shown in place of a secret. */
export const placeholder = "<redacted>"

const isRedacted = (ast: AST.AST): boolean =>
  Option.exists(
    AST.getAnnotation<{ readonly _tag?: unknown }>(AST.TypeConstructorAnnotationId)(ast),
    (constructor) => constructor._tag === "effect/Redacted"
  )

const holdsSecret = (ast: AST.AST, seen: Set<AST.AST>): boolean => {
  if (isRedacted(ast)) return true
  if (seen.has(ast)) return false
  seen.add(ast)
  const inside = (inner: AST.AST) => holdsSecret(inner, seen)
  switch (ast._tag) {
    case "Transformation":
      return inside(ast.from) || inside(ast.to)
    case "Refinement":
      return inside(ast.from)
    case "Declaration":
      return ast.typeParameters.some(inside)
    case "Union":
      return ast.types.some(inside)
    case "TupleType":
      return [...ast.elements, ...ast.rest].some(({ type }) => inside(type))
    case "TypeLiteral":
      return [...ast.propertySignatures, ...ast.indexSignatures].some(({ type }) => inside(type))
    case "Suspend":
      return inside(ast.f())
    default:
      return false
  }
}

const walk = (ast: AST.AST, path: Pattern, open: ReadonlyArray<AST.AST>, found: Array<Pattern>): void => {
  if (isRedacted(ast)) {
    found.push(path)
    return
  }
  switch (ast._tag) {
    case "Transformation":
      if (isRedacted(AST.typeAST(ast.to))) found.push(path)
      else walk(ast.from, path, open, found)
      return
    case "Refinement":
      return walk(ast.from, path, open, found)
    case "Declaration":
      return ast.typeParameters.forEach((inner) => walk(inner, [...path, "**"], open, found))
    case "Union":
      return ast.types.forEach((member) => walk(member, path, open, found))
    case "TupleType":
      return [...ast.elements, ...ast.rest].forEach(({ type }) => walk(type, [...path, "[]"], open, found))
    case "TypeLiteral":
      ast.propertySignatures.forEach(({ name, type }) => walk(type, [...path, String(name)], open, found))
      return ast.indexSignatures.forEach(({ type }) => walk(type, [...path, "*"], open, found))
    case "Suspend": {
      const inner = ast.f()
      if (!open.includes(inner)) return walk(inner, path, [...open, inner], found)
      // A schema inside itself: if it holds a secret at all, it does so at every depth.
      if (holdsSecret(inner, new Set())) found.push([...path, "**"])
      return
    }
    default:
      return
  }
}

/** The places of the encoded form that hold secrets. */
export const patternsOf = (schema: Schema.Schema.All): ReadonlyArray<Pattern> => {
  const found: Array<Pattern> = []
  walk(schema.ast, [], [], found)
  return found
}

const stepMatches = (step: string, key: PropertyKey): boolean =>
  step === "*" || (step === "[]" ? typeof key === "number" || /^\d+$/.test(String(key)) : step === String(key))

/** Whether the path lies at or below a secret place, or above one (so that showing it whole would show the secret). */
export const touches = (patterns: ReadonlyArray<Pattern>, path: ReadonlyArray<PropertyKey>): boolean =>
  patterns.some((pattern) => {
    for (let index = 0; index < pattern.length; index += 1) {
      if (pattern[index] === "**" || index >= path.length) return true
      if (!stepMatches(pattern[index]!, path[index]!)) return false
    }
    return true
  })

/** A copy of a JSON value with every secret place replaced by the placeholder. */
export const redact = (patterns: ReadonlyArray<Pattern>, value: unknown): unknown => {
  if (patterns.length === 0) return value
  if (patterns.some((pattern) => pattern.length === 0 || pattern[0] === "**")) return placeholder
  if (typeof value !== "object" || value === null) return value
  const below = (key: string | number) =>
    patterns.filter((pattern) => stepMatches(pattern[0]!, key)).map((pattern) => pattern.slice(1))
  return Array.isArray(value)
    ? value.map((inner, index) => redact(below(index), inner))
    : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redact(below(key), inner)]))
}
