/** The bar above everything: what and where this is, its sections, whether it is live, how it looks, who looks. */
import { config, mount } from "../config.js"
import { connection, live, paused, rate } from "../live/store.js"
import { href, route } from "../location.js"
import { preloadPalette } from "../palette/lazyPalette.js"
import { isApple, paletteOpen } from "../palette/state.js"
import { logOut, may, readOnly, session } from "../session.js"
import { density, shortcuts, theme, themes, utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { IconButton, Key } from "../ui/controls.js"
import { Icon, type IconName, Mark } from "../ui/Icon.js"
import { Menu, MenuItem } from "../ui/Menu.js"
import { helpOpen } from "./helpOpen.js"
import { sections } from "./sections.js"

const LiveState = () => {
  const { kind } = connection.value
  const sampling = kind === "live" && live.value.sampling
  const word = paused.value
    ? t.live.paused
    : sampling
    ? t.live.sampling
    : t.live[kind === "refused" ? "lost" : kind]
  const tone = paused.value ? "off" : kind === "live" ? "on" : kind === "lost" || kind === "refused" ? "bad" : "off"
  return (
    <span class={`live ${tone}`} title={sampling ? t.live.samplingWhy : undefined}>
      <i />
      <span>{word}</span>
      {tone === "on"
        ? <span class="rate">{rate.value === null || rate.value === 0 ? "" : format.perSecond(rate.value)}</span>
        : null}
    </span>
  )
}

const Pause = () => (
  <IconButton
    kind="quiet"
    icon={paused.value ? "play" : "pause"}
    label={paused.value ? t.live.resume : t.live.pause}
    onClick={() => (paused.value = !paused.value)}
  />
)

const Search = () => (
  <button
    type="button"
    class="search-open"
    aria-haspopup="dialog"
    aria-keyshortcuts="Control+K Meta+K"
    title={t.palette.title}
    onMouseEnter={preloadPalette}
    onFocus={preloadPalette}
    onClick={() => (paletteOpen.value = true)}
  >
    <Icon name="search" />
    <span>{t.palette.open}</span>
    <Key>{isApple ? "⌘K" : "Ctrl K"}</Key>
  </button>
)

const themeIcons: Readonly<Record<typeof themes[number], IconName>> = { system: "screen", light: "sun", dark: "moon" }

const Theme = () => (
  <span class="theme">
    <Menu
      label={t.theme.title}
      button={(open, toggle) => (
        <IconButton
          kind="quiet"
          icon={themeIcons[theme.value]}
          label={t.theme.next(t.theme[theme.value])}
          expanded={open}
          popover="menu"
          onClick={toggle}
        />
      )}
    >
      {themes.map((one) => (
        <MenuItem key={one} checked={theme.value === one} onSelect={() => (theme.value = one)}>
          <Icon name={themeIcons[one]} size={14} />
          {t.theme[one]}
        </MenuItem>
      ))}
    </Menu>
  </span>
)

const Account = () => {
  const { open, user } = session.value ?? {}
  return (
    <Menu
      role="group"
      label={t.account.title}
      button={(isOpen, toggle) => (
        <IconButton
          kind="quiet"
          icon="person"
          label={`${t.account.title}${user === undefined ? "" : `: ${user}`}`}
          expanded={isOpen}
          onClick={toggle}
        />
      )}
    >
      <div class="menu-head">
        <b>{user ?? "…"}</b>
        {open === true ? <span>{t.account.anonymous}</span> : null}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={density.value === "compact"}
          onChange={(event) => (density.value = event.currentTarget.checked ? "compact" : "comfortable")}
        />
        {t.account.density}
      </label>
      <label class="check">
        <input type="checkbox" checked={utc.value} onChange={(event) => (utc.value = event.currentTarget.checked)} />
        {t.account.utc}
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={shortcuts.value}
          onChange={(event) => (shortcuts.value = event.currentTarget.checked)}
        />
        {t.account.shortcuts}
      </label>
      <button type="button" class="row" onClick={() => (helpOpen.value = true)}>{t.account.help}</button>
      {config.login && open !== true
        ? <button type="button" class="row" onClick={() => void logOut()}>{t.account.logOut}</button>
        : null}
    </Menu>
  )
}

/** How many wait for a person. Large numbers take little room; the exact one is in the tooltip. */
interface CountProps {
  readonly value: number
  readonly say: (value: number) => string
  readonly short: (value: number) => string
}

const Count = ({ say, short, value }: CountProps) =>
  value === 0 ? null : (
    <span class="pill bad" title={say(value)}>
      <span aria-hidden="true">{short(value)}</span>
      <span class="sr">{say(value)}</span>
    </span>
  )

const Nav = () => (
  <nav class="nav" aria-label={config.title}>
    {sections.filter(({ permission }) => permission === undefined || may(permission)).map((
      { count, counted = format.count, label, pages, path, short = format.short }
    ) => (
      <a key={path} href={href(path)} aria-current={pages.includes(route.value.page) ? "page" : undefined}>
        {label}
        {count === undefined ? null : <Count value={count()} say={counted} short={short} />}
      </a>
    ))}
  </nav>
)

export const Header = () => (
  <header class="top">
    <a class="brand" href={href("")} title={mount.host}>
      <Mark />
      <span>{config.title}</span>
    </a>
    {config.environment === null
      ? null
      : <span class={`env ${config.environmentColor ?? ""}`}>{config.environment}</span>}
    <Nav />
    <span class="grow" />
    {readOnly.value
      ? (
        <span class="env" title={t.account.readOnlyWhy}>
          <Icon name="lock" size={12} /> {t.account.readOnly}
        </span>
      )
      : null}
    <Search />
    <LiveState />
    <Pause />
    <Theme />
    <Account />
  </header>
)
