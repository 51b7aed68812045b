/** As much of pg-boss as docs/migration uses; see bullmq.d.ts. */
export interface JobWithMetadata {
  readonly id: string
  readonly data: object
  readonly blocked: boolean
  readonly blocking: boolean
  readonly startAfter: Date
  readonly priority: number
}

export class PgBoss {
  constructor(options: { readonly connectionString: string; readonly supervise: boolean; readonly schedule: boolean })
  start(): Promise<this>
  stop(): Promise<void>
  findJobs(
    name: string,
    options: { readonly queued: boolean; readonly limit: number }
  ): Promise<Array<JobWithMetadata>>
  deleteJob(name: string, ids: Array<string>): Promise<unknown>
}
