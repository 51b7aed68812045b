// Whether the declarations of a subpath are complete for who has only what it needs. Those of this package are checked as if they were
// the consumer's own: one that names a package which is not there would otherwise become `any` without a word.
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"

/** Parsed once for all subpaths: most of what they load is the same. */
const parsed = new Map()

export const check = (project, pkg, root, subpath) => {
  const consumer = join(project, "consumer.ts")
  writeFileSync(consumer, `import * as subpath from "${subpath}"\nvoid subpath\n`)
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")]
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (file, ...rest) => {
    if (file === consumer) return getSourceFile(file, ...rest)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest))
    return parsed.get(file)
  }
  const program = ts.createProgram({ rootNames: [consumer], options, host })
  const own = program.getSourceFiles().filter(({ fileName }) =>
    fileName === consumer || fileName.includes(`/node_modules/${pkg.name}/`)
  )
  assert(own.length > 1, `${subpath} has no declarations`)
  const problems = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
  ]
  assert.deepEqual(
    problems.map(({ file, messageText, start }) => {
      const at = file === undefined ? "" : `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}: `
      return `${at}${ts.flattenDiagnosticMessageText(messageText, "\n")}`
    }),
    [],
    `the declarations of ${subpath} do not compile where only what README.md says is installed`
  )
}
