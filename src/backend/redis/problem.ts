/** What Redis or the way to it refused, told whether the same could ever succeed. Carries no data of the command. */
export class RedisProblem extends Error {
  constructor(message: string, readonly permanent = false) {
    super(message)
    this.name = "RedisProblem"
  }
}
