/** An entry of the audit trail: what was done in words, and where to find what it was done to. Pure but for the address. */
import type { AuditEntry } from "../api/types.js"
import { href } from "../location.js"
import { runPath } from "../route.js"
import { term } from "../schedules/shown.js"
import { t } from "../text/en.js"

export const actions = Object.keys(t.audit.actions)

const words: Readonly<Record<string, string>> = t.audit.actions

/** A newer server may write actions that this app has no words for. */
export const wordsOf = (action: string): string => words[action] ?? action

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** The filter that an action on many was asked with. */
const filterOf = (parameters: unknown): string | null => {
  const { filter } = isObject(parameters) ? parameters : {}
  const { q } = isObject(filter) ? filter : {}
  return typeof q === "string" ? q : typeof filter === "string" ? filter : null
}

export interface Target {
  readonly text: string
  readonly to: string | null
}

const linkOf = (action: string, target: string): string | null => {
  if (action === "retry" || action === "cancel") return href(runPath(target))
  if (action === "enqueue" || action.startsWith("definition.")) return href("runs", { q: term("task", target) })
  if (action.startsWith("schedule.")) return href("schedules", { find: target, open: target })
  return action.startsWith("instance.") ? href("instances") : null
}

export const targetOf = ({ action, parameters, target }: AuditEntry): Target | null => {
  if (target !== null) return { text: target, to: linkOf(action, target) }
  const filter = filterOf(parameters)
  return filter === null ? null : { text: filter, to: href("runs", { q: filter, since: "all" }) }
}

/** It only said what would happen. */
export const isCount = ({ parameters }: AuditEntry): boolean => isObject(parameters) && parameters["dryRun"] === true

/** Null when it says nothing. */
export const parametersOf = ({ parameters }: AuditEntry): string | null =>
  isObject(parameters) && Object.keys(parameters).length === 0 || parameters === null
    ? null
    : JSON.stringify(parameters)
