/** The filter that shows the runs of one task. Pure. */
export const termOf = (taskName: string): string => `task:${JSON.stringify(taskName)}`

/** Where the page of a task is, below the dashboard. */
export const taskPath = (taskName: string): string => `tasks/${encodeURIComponent(taskName)}`
