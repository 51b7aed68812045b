/** Keys for tests, and a cipher with them. */
import { createHash } from "node:crypto"
import { Redacted } from "effect"
import { TaskCipher } from "effect-taskflow"

/** The key of this name: the same one each time. */
export const key = (id: string, secret: string = id): TaskCipher.CipherKey => ({
  id,
  key: Redacted.make(createHash("sha256").update(secret).digest("base64"))
})

export const cipher = (options: Partial<TaskCipher.TaskCipherOptions> = {}) =>
  TaskCipher.layer({ keys: [key("k1")], ...options })
