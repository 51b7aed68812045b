/** The words of one task and its forms, in the language in force. Apart from the others: they are loaded with the page. */
import { task } from "./en/task.js"

export const words: typeof task = task
