/** The session ended while somebody was looking: they log in over what they see, and go on. */
import { config, place } from "../config.js"
import { ended } from "../session.js"
import { t } from "../text/en.js"
import { Dialog } from "../ui/Dialog.js"
import { LoginForm } from "./LoginForm.js"

export const SessionEnded = () =>
  ended.value
    ? (
      <Dialog title={t.login.ended} onClose={() => {}} binding>
        <p>{t.login.endedBody}</p>
        {config.login ? <LoginForm onDone={() => {}} /> : (
          <div class="actions">
            <a class="btn primary" href={place("../auth/login").href}>{t.login.again}</a>
          </div>
        )}
      </Dialog>
    )
    : null
