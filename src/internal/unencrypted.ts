/** Says once that secrets are stored as they are. */
import * as Effect from "effect/Effect"
import type { BackendInfo } from "../TaskBackend.js"
import type { Definition } from "./definition.js"

const warned = new WeakSet<BackendInfo>()

/** Of one backend, for the first definition with a place typed `Redacted`. What is kept in memory alone is not stored. */
export const warnOnce = (info: BackendInfo, definition: Definition): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { error, payload, persist, success, taskName } = definition
    const holdsSecret = [payload, success, error].some((codec) => codec !== null && codec.secrets.length > 0)
    if (!holdsSecret || !persist || info.encrypted === true || info.kind === "memory" || warned.has(info)) {
      return Effect.void
    }
    warned.add(info)
    return Effect.logWarning(
      `${taskName}: what is typed Redacted is shown to nobody, but the ${info.kind} backend stores it as it is: put ` +
        "TaskCipher.layer over the backend"
    )
  })
