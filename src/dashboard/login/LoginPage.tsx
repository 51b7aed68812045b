/** The page for whoever is not known yet. */
import { config, home } from "../config.js"
import { param } from "../location.js"
import { t } from "../text/en.js"
import { Mark } from "../ui/Icon.js"
import { LoginForm } from "./LoginForm.js"
import { nextOf } from "./next.js"

export const LoginPage = () => (
  <main class="login-page">
    <div class="card">
      <div class="brand">
        <Mark />
        <span>{config.title}</span>
        {config.environment === null ? null : <span class="env">{config.environment}</span>}
      </div>
      <h1>{config.login ? t.login.title : t.login.none}</h1>
      {config.login
        ? <LoginForm onDone={() => location.replace(nextOf(param("next"), home))} />
        : <p>{t.login.noneBody}</p>}
    </div>
  </main>
)
