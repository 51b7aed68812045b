#!/usr/bin/env node
/**
 * The command line: `npx effect-taskflow`. What it is made with are optional peers, so the first thing it does is to look whether
 * they are there, and everything else is loaded behind that.
 */
import { lacking } from "./cli/packages.js"

const words = lacking("command line")
if (words === null) {
  const { main } = await import("./cli/main.js")
  main(process.argv)
} else {
  process.stderr.write(`${words}\n`)
  process.exitCode = 2
}
