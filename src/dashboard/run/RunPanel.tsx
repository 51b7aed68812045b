/**
 * A run beside the list: the list goes on, and the panel can be made wider. Without room for both it lies over the list as a modal dialog,
 * which holds the focus; what is behind it is inert.
 */
import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { href } from "../location.js"
import { runPath } from "../route.js"
import { boundPanel, maxPanel, minPanel, panelWidth } from "../settings.js"
import { t } from "../text/en.js"
import { IconButton } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { cramped, narrow } from "../ui/media.js"
import { Splitter } from "../ui/Splitter.js"
import { inPanel, Toasts } from "../ui/toasts.js"
import { RunView } from "./lazyRun.js"

interface Placed {
  readonly id: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

const Beside = ({ children }: Placed) => (
  <>
    <Splitter
      label={t.run.resize}
      width={panelWidth.value}
      min={minPanel}
      max={maxPanel}
      onWidth={(width) => (panelWidth.value = boundPanel(width))}
    />
    <aside class="panel" aria-label={t.run.panel} style={{ width: `${panelWidth.value}px` }}>{children}</aside>
  </>
)

const Page = ({ children }: Placed) => <aside class="panel" aria-label={t.run.panel}>{children}</aside>

const Over = ({ children, id, onClose }: Placed) => {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    ref.current?.showModal()
    inPanel.value = true
    return () => {
      inPanel.value = false
    }
  }, [])
  // The focus begins at the panel itself: the first button would be one that acts. Of the run before, nothing is there any more that could have the focus.
  useEffect(() => ref.current?.focus(), [id])
  return (
    <dialog
      ref={ref}
      class="panel over"
      data-keys
      tabIndex={-1}
      aria-label={t.run.panel}
      style={{ width: `${panelWidth.value}px` }}
      onCancel={(event) => {
        // Of a menu or a dialog in it the Escape is not for the panel.
        if (event.target !== ref.current) return
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose()
      }}
    >
      {children}
      <Toasts panel />
    </dialog>
  )
}

export const RunPanel = ({ id, onClose }: { readonly id: string; readonly onClose: () => void }) => {
  const Place = narrow.value ? Page : cramped.value ? Over : Beside
  return (
    <Place id={id} onClose={onClose}>
      <RunView
        key={id}
        id={id}
        extra={
          <>
            <a class="btn only" href={href(runPath(id))} aria-label={t.run.fullPage} title={t.run.fullPage}>
              <Icon name="expand" />
            </a>
            <IconButton icon="close" kind="quiet" label={t.close} onClick={onClose} />
          </>
        }
      />
    </Place>
  )
}
