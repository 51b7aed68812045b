/** What the menu of views holds: those of everybody, one's own, and saving what is shown. Loaded when it is first opened. */
import { useState } from "preact/hooks"
import { href, param } from "../location.js"
import { t } from "../text/en.js"
import { Button, IconButton } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { toast } from "../ui/toasts.js"
import { allViews, change, ownViews, startAnew, type Trouble } from "./store.js"
import * as Views from "./views.js"
import { type Wish, wish } from "./wish.js"

// The menu closes when the focus leaves it.
const toPage = (): void => void requestAnimationFrame(() => document.getElementById("main")?.focus())

const ViewLink = ({ name, path }: Views.View) => <a href={href(path)} title={name} onClick={toPage}>{name}</a>

const Heading = ({ children }: { readonly children: string }) => <p class="menu-note">{children}</p>

const Own = ({ name, path }: Views.View) => (
  <div class="menu-row">
    <ViewLink name={name} path={path} />
    <IconButton
      small
      kind="quiet"
      icon="edit"
      label={t.views.rename(name)}
      onClick={() => (wish.value = { rename: name })}
    />
    <IconButton
      small
      kind="quiet"
      icon="close"
      label={t.views.remove(name)}
      onClick={() => (wish.value = { remove: name })}
    />
  </div>
)

export const ViewsMenu = () => {
  const shared = allViews.value.filter((view) => view.shared)
  const own = ownViews.value
  return (
    <>
      {shared.length === 0 ? null : <Heading>{t.views.shared}</Heading>}
      {shared.map(({ name, path }) => (
        <div key={name} class="menu-row">
          <ViewLink name={name} path={path} />
        </div>
      ))}
      {own === null
        ? (
          <>
            <p class="menu-note trouble">{t.views.unreadable}</p>
            <button
              type="button"
              class="row"
              onClick={() => {
                const trouble = startAnew()
                if (trouble !== null) toast("bad", t.views.trouble[trouble])
              }}
            >
              {t.views.anew}
            </button>
          </>
        )
        : (
          <>
            {own.length === 0 ? <p class="menu-note">{t.views.none}</p> : <Heading>{t.views.own}</Heading>}
            {own.map((view) => <Own key={view.name} {...view} />)}
            <hr />
            <button type="button" class="row" onClick={() => (wish.value = { save: Views.pathOf(param) })}>
              {t.views.save}
            </button>
          </>
        )}
    </>
  )
}

// What opened the dialog was in the menu, which is gone.
const close = (): void => {
  wish.value = null
  requestAnimationFrame(() => document.querySelector<HTMLElement>("#views button")?.focus())
}

interface NamedProps {
  readonly title: string
  readonly body: string | null
  readonly go: string
  readonly name: string
  readonly act: (name: string) => Trouble | null
}

const Named = ({ act, body, go, name, title }: NamedProps) => {
  const [text, setText] = useState(name)
  const [trouble, setTrouble] = useState<Trouble | null>(null)
  const submit = (event: Event): void => {
    event.preventDefault()
    const why = act(text)
    setTrouble(why)
    if (why !== null) return
    toast("good", t.views.saved(text.trim()))
    close()
  }
  return (
    <Dialog title={title} onClose={close}>
      {body === null ? null : <p>{body}</p>}
      <form onSubmit={submit}>
        <div class="clear-form">
          <label>
            {t.views.name}
            <input
              type="text"
              autocomplete="off"
              maxLength={Views.longestName}
              aria-invalid={trouble !== null ? true : undefined}
              aria-describedby={trouble === null ? undefined : "view-trouble"}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
        </div>
        {trouble === null ? null : <p id="view-trouble" class="trouble" role="alert">{t.views.trouble[trouble]}</p>}
        <div class="actions">
          <Button onClick={close}>{t.views.keep}</Button>
          <button type="submit" class="btn primary">{go}</button>
        </div>
      </form>
    </Dialog>
  )
}

const Remove = ({ name }: { readonly name: string }) => {
  const go = (): void => {
    const trouble = change((views) => Views.without(views, name))
    if (trouble === null) toast("good", t.views.removed(name))
    else toast("bad", t.views.trouble[trouble])
    close()
  }
  return (
    <Dialog title={t.views.removeTitle(name)} onClose={close}>
      <p>{t.views.removeBody}</p>
      <div class="actions">
        <Button onClick={close}>{t.views.keep}</Button>
        <Button kind="danger" onClick={go}>{t.views.removeGo}</Button>
      </div>
    </Dialog>
  )
}

export const ViewDialog = ({ wish }: { readonly wish: Wish }) => {
  if ("remove" in wish) return <Remove name={wish.remove} />
  if ("rename" in wish) {
    const { rename } = wish
    return (
      <Named
        title={t.views.renameTitle(rename)}
        body={null}
        go={t.views.renameGo}
        name={rename}
        act={(name) => change((views) => Views.rename(views, rename, name))}
      />
    )
  }
  const { save } = wish
  return (
    <Named
      title={t.views.saveTitle}
      body={t.views.saveBody}
      go={t.views.go}
      name=""
      act={(name) => change((views) => Views.add(views, name, save))}
    />
  )
}
