/**
 * As much of BullMQ as docs/migration uses, for where the package itself is not installed (see test/docs.test.ts). With
 * `npm run bench:peers` it is, and the pages are compiled against its own types.
 */
export interface Job {
  readonly id?: string
  readonly name: string
  readonly data: unknown
  readonly queueName: string
  readonly timestamp: number
  readonly delay: number
  readonly priority: number
  readonly repeatJobKey?: string
  readonly parent?: object
  remove(): Promise<void>
}

export class Queue {
  constructor(name: string, options: { readonly connection: { readonly host: string; readonly port: number } })
  pause(): Promise<void>
  close(): Promise<void>
  getActiveCount(): Promise<number>
  getJobs(types: Array<"waiting" | "prioritized" | "delayed">, start: number, end: number): Promise<Array<Job>>
}
