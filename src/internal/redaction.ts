/**
 * Where a schema holds secrets, and how to keep them out of what people see. Pure.
 *
 * A place is secret when its schema is `Schema.Redacted(…)`. A pattern is a list of steps: a key, `[]` for any index, `*`
 * for any key, `**` for everything below.
 */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
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

const partsOf = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  switch (ast._tag) {
    case "Transformation":
      return [ast.from, ast.to]
    case "Refinement":
      return [ast.from]
    case "Declaration":
      return ast.typeParameters
    case "Union":
      return ast.types
    case "TupleType":
      return [...ast.elements, ...ast.rest].map(({ type }) => type)
    case "TypeLiteral":
      return [...ast.propertySignatures, ...ast.indexSignatures].map(({ type }) => type)
    case "Suspend":
      return [ast.f()]
    default:
      return []
  }
}

// The decoded side of a schema inside itself is made anew at every level, so it is not known again when it comes back.
// Breadth first, all that it is made of comes early.
const maxParts = 2_000

const holdsSecret = (ast: AST.AST): boolean => {
  const parts = new Set([ast])
  for (const part of parts) {
    if (isRedacted(part)) return true
    if (parts.size < maxParts) { for (const inner of partsOf(part)) parts.add(inner) }
  }
  return false
}

const walk = (ast: AST.AST, path: Pattern, open: ReadonlyArray<AST.AST>, found: Array<Pattern>): void => {
  if (isRedacted(ast)) {
    found.push(path)
    return
  }
  switch (ast._tag) {
    case "Transformation": {
      if (isRedacted(AST.typeAST(ast.to))) {
        found.push(path)
        return
      }
      const before = found.length
      walk(ast.from, path, open, found)
      // A secret that only the decoded side knows of, as inside Schema.parseJson: nobody can say where in the text it is.
      if (found.length === before && holdsSecret(ast.to)) found.push(path)
      return
    }
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
      if (!holdsSecret(inner)) return
      // A schema inside itself holds its secret at every depth; below the first few levels everything is hidden.
      if (open.includes(inner) || open.length > 1) found.push([...path, "**"])
      else walk(inner, path, [...open, inner], found)
      return
    }
    default:
      return
  }
}

/** The places of the encoded form that hold secrets. */
export const patternsOf = (schema: Schema.Schema.All): ReadonlyArray<Pattern> => {
  const found: Array<Pattern> = []
  if (holdsSecret(schema.ast)) walk(schema.ast, [], [], found)
  return found
}

/** Whether what does not fit is a secret or holds one, so that the message about it must not be shown. */
export const conceals = (issue: ParseResult.ParseIssue): boolean => {
  switch (issue._tag) {
    case "Pointer":
      return conceals(issue.issue)
    case "Composite":
      // Of several the first is told.
      return isRedacted(issue.ast) || conceals("_tag" in issue.issues ? issue.issues : issue.issues[0])
    case "Refinement":
      return conceals(issue.issue)
    case "Transformation":
      return isRedacted(AST.typeAST(issue.ast.to)) || conceals(issue.issue)
    case "Missing":
    case "Unexpected":
      return false
    default:
      return holdsSecret(issue.ast)
  }
}

const stepMatches = (step: string, key: PropertyKey): boolean =>
  step === "*" || step === String(key) || (step === "[]" && (typeof key === "number" || /^\d+$/.test(String(key))))

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
