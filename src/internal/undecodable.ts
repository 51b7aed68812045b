/** Why a payload did not become what its handler takes. Pure. */
import { TaskDecryptionError } from "../TaskError.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Misfit } from "./codec.js"
import * as Sealed from "./sealed.js"

/** What cannot be decrypted, or does not fit: with the value that does not, unless it is a secret. */
export const undecodable = ({ payload, taskId }: TaskRecord, { message, path }: Misfit): Error => {
  const keyId = Sealed.keyIdOf(payload)
  if (keyId !== null) return new TaskDecryptionError({ taskId, keyId })
  const error = new Error(
    `the stored payload does not fit the definition${path === "" ? "" : ` at ${path}`}: ${message}`
  )
  error.name = "UndecodablePayload"
  return error
}
