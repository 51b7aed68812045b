/**
 * The one page of the web app, as text: what it loads and what it has to know. Nothing is inline but data, so its policy can
 * forbid everything else. Pure.
 */
import type { Entry } from "./assets.js"
import type { PageConfig } from "./config.js"

/** What a page of the app may do: load what this origin serves, and talk to it. Nothing inline, no other origin, no frame. */
export const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

export const headers: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": policy,
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => entities[char] ?? char)

// `<` alone could end the block of data, or begin a comment in it.
const data = (value: unknown): string => JSON.stringify(value).replace(/</g, "\\u003c")

/** `root` is the way from the page to the dashboard, with a slash at its end: relative, so that no proxy can make it wrong. */
export const html = (root: string, entry: Entry, config: PageConfig): string => {
  const link = (rel: string, path: string, more = "") => `<link rel="${rel}" href="${escaped(root + path)}"${more}>`
  return [
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="color-scheme" content="light dark">`,
    `<meta name="robots" content="noindex">`,
    `<title>${escaped(config.title)}</title>`,
    `<script type="application/json" id="config">${data(config)}</script>`,
    // As soon as it is there, whatever else is still on its way.
    `<script async type="module" src="${escaped(root + entry.first)}"></script>`,
    link("icon", entry.icon, ` type="image/svg+xml"`),
    ...entry.fonts.map((font) => link("preload", font, ` as="font" type="font/woff2" crossorigin`)),
    ...entry.styles.map((style) => link("stylesheet", style)),
    ...entry.modules.map((module) => link("modulepreload", module)),
    `<script type="module" src="${escaped(root + entry.script)}"></script>`,
    "</head>",
    "<body>",
    `<div id="root"></div>`,
    "<noscript>This page needs JavaScript. The HTTP API answers without it.</noscript>",
    "</body>",
    "</html>",
    ""
  ].join("\n")
}

/** What is said instead of the app where it was not built. */
export const notBuilt = [
  "<!doctype html>",
  `<html lang="en"><head><meta charset="utf-8"><title>No dashboard</title></head><body>`,
  "<h1>The dashboard is not built</h1>",
  "<p>The API works. The files of the dashboard are not where this server looks for them.</p>",
  "<p>In a clone of effect-taskflow run <code>npm run build:dashboard</code>. A bundler that copies the package has to leave ",
  "<code>effect-taskflow</code> out of its bundle.</p>",
  "</body></html>",
  ""
].join("\n")
