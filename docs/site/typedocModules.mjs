/**
 * How TypeDoc shows modules in the style of Effect: declarations as they are written, not as the compiler resolves them; a service's
 * members, which stand in a type argument, as members; an error by its fields.
 */
import { Comment, Converter, ReflectionKind } from "typedoc"
import { MarkdownTheme, MarkdownThemeContext, ModuleRouter } from "typedoc-plugin-markdown"
import ts from "typescript"

const packageName = "effect-taskflow"

// ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Code as it is written, moved to the left margin. */
const textOf = (node, from = node.getStart(), to = node.end) => {
  const { text } = node.getSourceFile()
  const line = text.slice(text.lastIndexOf("\n", from) + 1, from)
  const margin = /^\s*/.exec(line)[0]
  return text.slice(from, to).trimEnd().replaceAll(`\n${margin}`, "\n").replace(/^(export |readonly )+/, "")
}

/** What the compiler infers may be pages long. */
const inferred = (checker, type, node) => {
  const text = checker.typeToString(type, node)
  return text.length <= 200 ? text : text.replace(/[<{][^]*/, (rest) => rest.startsWith("<") ? "<…>" : "{ … }")
}

const parametersOf = (node) => {
  if (node.parameters.every(({ initializer, name }) => initializer === undefined && ts.isIdentifier(name))) {
    const to = node.type?.getFullStart() ?? node.equalsGreaterThanToken?.getFullStart() ?? node.body.getFullStart()
    return textOf(node, node.getStart(), to).replace(/\s*:$/, "")
  }
  // A parameter that is taken apart, or has a default: neither is the caller's affair.
  const parameters = node.parameters.map((one) => {
    const name = ts.isIdentifier(one.name) ? one.name.text : "options"
    return `${name}${
      one.initializer === undefined && one.questionToken === undefined ? "" : "?"
    }: ${one.type.getText()}`
  })
  const types = node.typeParameters === undefined
    ? ""
    : `<${node.typeParameters.map((one) => one.getText()).join(", ")}>`
  return `${types}(${parameters.join(", ")})`
}

/** A function's type: its head, and what it returns. */
const headOf = (checker, node) => {
  const returned = node.type === undefined
    ? inferred(checker, checker.getSignatureFromDeclaration(node).getReturnType(), node)
    : textOf(node.type)
  return `${parametersOf(node)} => ${returned}`
}

const valueText = (checker, name, node) => {
  const { initializer, type } = node
  if (type !== undefined) return `${name}: ${textOf(type)}`
  if (initializer !== undefined && ts.isArrowFunction(initializer)) return `${name}: ${headOf(checker, initializer)}`
  // A schema says more by how it is made than by its type.
  if (initializer !== undefined && /^Schema\./.test(initializer.getText())) return `${name} = ${textOf(initializer)}`
  return `${name}: ${inferred(checker, checker.getTypeAtLocation(node), node)}`
}

const declaredText = (checker, node) => {
  if (ts.isVariableDeclaration(node)) return valueText(checker, `const ${node.name.getText()}`, node)
  if (ts.isPropertyDeclaration(node)) {
    const isStatic = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) === true
    return valueText(checker, `${isStatic ? "static " : ""}${node.name.getText()}`, node)
  }
  if (ts.isFunctionDeclaration(node)) return textOf(node, node.getStart(), node.body?.getFullStart() ?? node.end)
  if (ts.isTypeAliasDeclaration(node) || ts.isPropertySignature(node) || ts.isMethodSignature(node)) return textOf(node)
  if (ts.isMethodDeclaration(node)) return textOf(node, node.getStart(), node.body?.getFullStart() ?? node.end)
  return undefined
}

// ── services and errors ──────────────────────────────────────────────────────────────────────────────────────────────

/** The type that a service of `class X extends Context.Tag("…")<X, Shape>() {}` has, as it is written. */
const shapeOf = (node) => {
  const call = node.heritageClauses?.[0]?.types[0]?.expression
  if (call === undefined || !ts.isCallExpression(call)) return undefined
  return /^Context\.(Tag|Reference)\b/.test(call.expression.getText()) ? call.typeArguments?.[1] : undefined
}

const isOfSchema = (node) => /^Schema\./.test(node.heritageClauses?.[0]?.types[0]?.expression.getText() ?? "")

/** What has a function's type reads better as a function: a heading of its own among them, and an anchor. */
const asFunction = (property, kind) => {
  const signatures = property.type?.type === "reflection" ? property.type.declaration.signatures : undefined
  if (signatures === undefined || property.type.declaration.children !== undefined) return
  property.kind = kind
  property.signatures = signatures
  for (const signature of signatures) {
    signature.name = property.name
    signature.parent = property
    signature.comment ??= property.comment
  }
  property.type = undefined
}

/** What the file says of itself in its first comment is what there is to say of its namespace, or its service. */
const describe = (reflection, file) => {
  const header = /^\/\*\*([^]*?)\*\//.exec(file?.text ?? "")?.[1]
  if (header === undefined) return
  const text = header.replace(/^ ?\* ?/gm, "").trim()
  reflection.comment = new Comment([{ kind: "text", text }])
}

const listen = (app, texts) => {
  const shapes = new Map()
  const plain = new Set()
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind === ReflectionKind.Namespace) {
      return describe(reflection, context.getSymbolFromReflection(reflection)?.declarations?.find(ts.isSourceFile))
    }
    const node = context.getSymbolFromReflection(reflection)?.declarations?.find((one) =>
      reflection.kind !== ReflectionKind.TypeAlias || ts.isTypeAliasDeclaration(one)
    )
    if (node === undefined || node.getSourceFile().isDeclarationFile) return
    const text = declaredText(context.checker, node)
    if (text !== undefined) texts.set(reflection, text)
    if (!ts.isClassDeclaration(node) || reflection.kind !== ReflectionKind.Class) return
    const shape = shapeOf(node)
    if (shape !== undefined) shapes.set(reflection, app.converter.convertType(context.withScope(reflection), shape))
    if (shape !== undefined || isOfSchema(node)) plain.add(reflection)
    if (shape !== undefined && reflection.comment === undefined) describe(reflection, node.getSourceFile())
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of plain) {
      reflection.extendedTypes = undefined
      for (const child of [...reflection.children ?? []]) {
        if (child.kind === ReflectionKind.Constructor || child.kind === ReflectionKind.Accessor) {
          project.removeReflection(child)
        } else if (!child.flags.isStatic) child.defaultValue = undefined
      }
      const shape = shapes.get(reflection)
      const members = shape?.type === "reflection" ? shape.declaration.children ?? [] : []
      for (const member of members) member.parent = reflection
      reflection.children = [...members, ...reflection.children ?? []]
    }
    const kinds = ReflectionKind.Interface | ReflectionKind.Class
    for (const owner of project.getReflectionsByKind(kinds)) {
      // `new(_: never)` only says that it may be extended.
      for (const child of [...owner.children ?? []]) {
        if (child.kind === ReflectionKind.Constructor && owner.kind === ReflectionKind.Interface) {
          project.removeReflection(child)
        }
      }
      for (const child of owner.children ?? []) {
        if (child.kind === ReflectionKind.Property) asFunction(child, ReflectionKind.Method)
      }
    }
    for (const variable of project.getReflectionsByKind(ReflectionKind.Variable)) {
      asFunction(variable, ReflectionKind.Function)
    }
    for (const module of project.children ?? []) {
      module.name = module.name === "src" ? packageName : module.name.replace(/^src/, packageName)
    }
  })
}

// ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const codeOf = (text) => `\`\`\`ts\n${text}\n\`\`\``

/** `effect-taskflow/http` is at http/, its namespaces beside its index. */
class Router extends ModuleRouter {
  getIdealBaseName(reflection) {
    return super.getIdealBaseName(reflection)
      .replace("/namespaces/", "/")
      .replace(new RegExp(`^${packageName}/(?=[^/]+/)`), "")
  }
}

const contextWith = (texts) =>
  class extends MarkdownThemeContext {
    constructor(...given) {
      super(...given)
      const { comment, declarationTitle, signatureTitle } = this.partials
      this.partials = {
        ...this.partials,
        declaration: (model, options) =>
          [
            this.partials.declarationTitle(model),
            model.comment === undefined ? "" : comment(model.comment, { headingLevel: options?.headingLevel ?? 2 })
          ].filter((part) => part !== "").join("\n\n"),
        declarationTitle: (model) => texts.has(model) ? codeOf(texts.get(model)) : declarationTitle(model),
        signatureTitle: (model, options) =>
          texts.has(model.parent) ? codeOf(texts.get(model.parent)) : signatureTitle(model, options),
        signatureReturns: () => "",
        inheritance: () => ""
      }
    }
  }

/** Call it between bootstrap and convert. */
export const nameModules = (app) => {
  const texts = new Map()
  listen(app, texts)
  const Context = contextWith(texts)
  app.renderer.defineRouter("subpaths", Router)
  app.renderer.defineTheme(
    "written",
    class extends MarkdownTheme {
      getRenderContext(page) {
        return new Context(this, page, this.application.options)
      }
    }
  )
}
