/** A name and a password, and what the server thinks of them. Used by the page and where a session ended. */
import { useEffect, useRef, useState } from "preact/hooks"
import { isProblem } from "../api/problem.js"
import * as clock from "../clock.js"
import { logIn } from "../session.js"
import { t } from "../text/en.js"

type Trouble =
  | { readonly kind: "wrong" }
  /** Epoch milliseconds of the browser. */
  | { readonly kind: "throttled"; readonly until: number }
  | { readonly kind: "unreachable" }
  | { readonly kind: "failed"; readonly message: string }

const troubleOf = (error: unknown): Trouble => {
  if (!isProblem(error)) return { kind: "failed", message: String(error) }
  const { retryAfter } = error.details
  switch (error.tag) {
    case "Unauthorized":
      return { kind: "wrong" }
    case "TooManyAttempts":
      return { kind: "throttled", until: clock.local() + (typeof retryAfter === "number" ? retryAfter : 5) * 1_000 }
    case "Network":
    case "Timeout":
      return { kind: "unreachable" }
    default:
      return { kind: "failed", message: error.message }
  }
}

const wordsOf = (trouble: Trouble): string | null => {
  void clock.now.value
  switch (trouble.kind) {
    case "wrong":
      return t.login.wrong
    case "throttled": {
      const seconds = Math.ceil((trouble.until - clock.local()) / 1_000)
      return seconds > 0 ? t.login.throttled(seconds) : null
    }
    case "unreachable":
      return t.login.unreachable
    case "failed":
      return t.login.failed(trouble.message)
  }
}

export const LoginForm = ({ onDone }: { readonly onDone: () => void }) => {
  const [username, setUsername] = useState("")
  const [password, setPassword] = useState("")
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<Trouble | null>(null)
  const name = useRef<HTMLInputElement>(null)
  const secret = useRef<HTMLInputElement>(null)
  const words = trouble === null ? null : wordsOf(trouble)
  const waiting = trouble?.kind === "throttled" && words !== null

  useEffect(() => name.current?.focus(), [])

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (busy || waiting) return
    setBusy(true)
    setTrouble(null)
    try {
      await logIn(username, password)
      onDone()
    } catch (error) {
      setTrouble(troubleOf(error))
      setBusy(false)
      secret.current?.select()
    }
  }

  return (
    <form class="login" onSubmit={(event) => void submit(event)}>
      <label>
        {t.login.username}
        <input
          ref={name}
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          value={username}
          onInput={(event) => setUsername(event.currentTarget.value)}
        />
      </label>
      <label>
        {t.login.password}
        <input
          ref={secret}
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          aria-describedby="login-trouble"
          aria-invalid={trouble?.kind === "wrong" ? true : undefined}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <p id="login-trouble" class="trouble" role="alert">{words}</p>
      <button type="submit" class="btn primary" aria-disabled={busy || waiting ? true : undefined}>
        {busy ? t.login.submitting : t.login.submit}
      </button>
    </form>
  )
}
