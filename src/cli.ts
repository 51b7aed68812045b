#!/usr/bin/env node
/**
 * The command line: `npx effect-taskflow`. What it is made with are optional peers, so the first thing it does is to look whether
 * they are there, and everything else is loaded behind that.
 */
import { absent, lacking } from "./cli/packages.js"

const refuse = (words: string): void => {
  process.stderr.write(`${words}\n`)
  process.exitCode = 2
}

const words = lacking("command line")
if (words !== null) refuse(words)
else {
  try {
    const { main } = await import("./cli/main.js")
    main(process.argv)
  } catch (error) {
    // One of those packages needs another one.
    const words = absent(error)
    if (words === null) throw error
    refuse(words)
  }
}
