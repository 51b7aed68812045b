/**
 * What an editor shows: the language service of TypeScript over a file that exists for it alone.
 */
import * as path from "node:path"
import ts from "typescript"

const here = import.meta.dirname
const root = path.resolve(here, "../..")

/** What is shown for one place in a text. */
export interface Shown {
  /** The signature. */
  readonly type: string
  /** The documentation below it. */
  readonly text: string
}

export interface Editor {
  readonly program: ts.Program
  /** What is shown over the last name before `place`; the name of a place is in a comment, as `/*name*\/`. */
  readonly hover: (place: string) => Shown
  /** The names that are offered at `place`, those of the language left out. */
  readonly offered: (place: string) => ReadonlyArray<string>
  /** What stands beside one of them. */
  readonly offeredAs: (place: string, name: string) => Shown
  /** What is wrong with the text. Takes most of the time that the rest takes. */
  readonly errors: () => ReadonlyArray<string>
}

const shownOf = (
  found: Pick<ts.QuickInfo, "displayParts" | "documentation"> | undefined,
  what: string
): Shown => {
  if (found === undefined) throw new Error(`nothing is shown for ${what}`)
  return { type: ts.displayPartsToString(found.displayParts), text: ts.displayPartsToString(found.documentation) }
}

/** Opens a text that stands beside this file, and `others` behind it. */
export const open = (text: string, others: ReadonlyArray<string> = []): Editor => {
  const file = path.join(here, "__editor.ts")
  const config = ts.getParsedCommandLineOfConfigFile(path.join(root, "tsconfig.json"), {
    noUnusedLocals: false,
    noUnusedParameters: false
  }, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} })!
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => config.options,
    getScriptFileNames: () => [file, ...others],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const content = name === file ? text : ts.sys.readFile(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: (name) => name === file ? text : ts.sys.readFile(name),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    ...(ts.sys.realpath === undefined ? {} : { realpath: ts.sys.realpath })
  }
  const service = ts.createLanguageService(host)
  const program = service.getProgram()!
  const at = (place: string): number => {
    const found = text.indexOf(`/*${place}*/`)
    if (found < 0) throw new Error(`there is no place ${place}`)
    return found
  }
  return {
    program,
    hover: (place) => shownOf(service.getQuickInfoAtPosition(file, at(place) - 1), place),
    offered: (place) => (service.getCompletionsAtPosition(file, at(place), {})?.entries ?? []).map(({ name }) => name),
    offeredAs: (place, name) =>
      shownOf(service.getCompletionEntryDetails(file, at(place), name, {}, undefined, {}, undefined), name),
    errors: () =>
      [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics(program.getSourceFile(file))]
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
  }
}
