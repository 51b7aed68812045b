/**
 * Where the module of a handler is, checked. Pure. The documented part of `Task` that has to do with it.
 */
import type { ModuleRef } from "../executor/job.js"
import { TaskDefinitionError } from "../TaskError.js"
import { quoted } from "./shown.js"

/** Marks what `Task.module` made. */
export const ModuleTypeId: unique symbol = Symbol.for("effect-taskflow/Task/Module")
/** Marks what `Task.module` made. */
export type ModuleTypeId = typeof ModuleTypeId

/** Where the handler of a task is: a module that a worker loads. */
export interface Module {
  readonly [ModuleTypeId]: ModuleTypeId
  readonly ref: ModuleRef
}

/** Which export of the module it is. */
export interface ModuleOptions {
  /** The export that `Task.worker` made. Default: `default`. */
  readonly export?: string | undefined
}

const fail = (path: string, message: string): never => {
  throw new TaskDefinitionError({ task: "", path, message: `Task.module: ${message}` })
}

/**
 * Names the module of a handler by its URL: `Resize.toLayer(Task.module(new URL("./resize.worker.js", import.meta.url)))`. It is
 * not loaded here, but by the worker. A `.js` that is not there while its `.ts` is means that one, so the same line holds
 * in development and after the build.
 *
 * Throws `TaskDefinitionError` for what is no absolute `file:` URL.
 */
export const module = (url: URL | string, options?: ModuleOptions): Module => {
  const given = String(url)
  const exportName = options?.export ?? "default"
  const wanted = "write new URL(\"./name.worker.js\", import.meta.url)"
  if (!URL.canParse(given)) return fail("url", `${quoted(given)} is no absolute URL: ${wanted}`)
  const { href, protocol } = new URL(given)
  if (protocol !== "file:") return fail("url", `${quoted(given)} is no file: URL: ${wanted}`)
  if (exportName === "") return fail("export", "the name of an export is not empty; the default export is \"default\"")
  return { [ModuleTypeId]: ModuleTypeId, ref: { url: href, exportName } }
}
