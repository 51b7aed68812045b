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

// The decoded side of a schema inside itself is made anew at every level, so it is not known again when it comes back:
// after this many levels everything that it can hold was seen.
const maxUnrolled = 6

const holdsSecret = (ast: AST.AST, seen: Set<AST.AST>, unrolled = 0): boolean => {
  if (isRedacted(ast)) return true
  if (seen.has(ast)) return false
  seen.add(ast)
  const inside = (inner: AST.AST) => holdsSecret(inner, seen, unrolled)
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
      return unrolled < maxUnrolled && holdsSecret(ast.f(), seen, unrolled + 1)
    default:
      return false
  }
}

// Along the encoded side of every transformation, or along the decoded one.
const walk = (
  side: "from" | "to",
  ast: AST.AST,
  path: Pattern,
  open: ReadonlyArray<AST.AST>,
  found: Array<Pattern>
): void => {
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
      walk(side, ast[side], path, open, found)
      // A secret that only the decoded side knows of, as inside Schema.parseJson: nobody can say where in the text it is.
      if (found.length === before && holdsSecret(ast[side === "from" ? "to" : "from"], new Set())) found.push(path)
      return
    }
    case "Refinement":
      return walk(side, ast.from, path, open, found)
    case "Declaration": {
      // A class has the fields of its struct; how another type lays out what it holds is its own affair.
      const surrogate = AST.getSurrogateAnnotation(ast)
      if (Option.isSome(surrogate)) return walk(side, surrogate.value, path, open, found)
      return ast.typeParameters.forEach((inner) => walk(side, inner, [...path, "**"], open, found))
    }
    case "Union":
      return ast.types.forEach((member) => walk(side, member, path, open, found))
    case "TupleType":
      return [...ast.elements, ...ast.rest].forEach(({ type }) => walk(side, type, [...path, "[]"], open, found))
    case "TypeLiteral":
      ast.propertySignatures.forEach(({ name, type }) => walk(side, type, [...path, String(name)], open, found))
      return ast.indexSignatures.forEach(({ type }) => walk(side, type, [...path, "*"], open, found))
    case "Suspend": {
      const inner = ast.f()
      if (!open.includes(inner) && open.length < maxUnrolled) return walk(side, inner, path, [...open, inner], found)
      // A schema inside itself: if it holds a secret at all, it does so at every depth.
      if (holdsSecret(inner, new Set())) found.push([...path, "**"])
      return
    }
    default:
      return
  }
}

/** The places of the encoded form that hold secrets, or of the decoded one (a key may be renamed in between). */
export const patternsOf = (
  schema: Schema.Schema.All,
  side: "encoded" | "decoded" = "encoded"
): ReadonlyArray<Pattern> => {
  const found: Array<Pattern> = []
  walk(side === "encoded" ? "from" : "to", schema.ast, [], [], found)
  return found
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
